#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# In the guest: what the kernel lost between "kmemleak.sh clear" and "kmemleak.sh scan".
#
# Room: vm. In the guest. Exit status 77 where the kernel cannot tell.
leaks=/sys/kernel/debug/kmemleak

[ -e $leaks ] || exit 77
echo "$1" >$leaks || exit 77
[ "$1" = scan ] || exit 0
# It reports nothing younger than 5 s, and wants to see it twice.
sleep 6
echo scan >$leaks
! grep '' $leaks
