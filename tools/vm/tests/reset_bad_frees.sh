#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# RESET clears all of bad_frees, also what was refused without the pool's lock.
#
# Room: vm. tlsf_probe.ko frees no block from a probe.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

load
same "bad frees at first" "$(figure bad_frees)" 0
if insmod /modules/tlsf_probe.ko 2>/tmp/out; then
	rmmod tlsf_probe
	same "refused inside the allocator" "$(figure bad_frees)" 1
	holds "reset" tlsf reset
	same "bad frees after it" "$(figure bad_frees)" 0
elif grep -q 'not supported' /tmp/out; then
	skip "refused inside the allocator" "the kernel does not let a probe be set there"
else
	expect "the probe" 0 '' cat /tmp/out
	failed=1
fi
finish
