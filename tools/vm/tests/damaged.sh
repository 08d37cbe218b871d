#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# A pool that found its heap damaged serves nothing, and says so everywhere, rather than
# look merely full.
#
# Room: vm. tlsf_damage.ko writes to memory it has freed.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# "told DAMAGED FAIL_DAMAGED"
told() {
	same "damaged and fail_damaged in JSON" "$(figure damaged) $(figure fail_damaged)" "$1 $2"
	same "damaged and fail_damaged in debugfs" "$(view damaged) $(view fail_damaged)" "$1 $2"
}

load
told 0 0
expect "stat tells of a sound heap" 0 '^  heap damaged +no, 0 requests refused' tlsf stat
dmesg -c >/dev/null
holds "a client writes to what it has freed, and can ask" insmod /modules/tlsf_damage.ko
expect "the log has it once" 0 'tlsf: pool default: heap is damaged' dmesg
told 1 1
expect "the next request is refused" 1 'EIO' tlsf stress --threads 1 --ops 1 --resize-mix 0
holds "and counted" [ "$(figure fail_damaged)" -gt 1 ]
same "the pool does not look full" "$(figure fail_exhausted) $(figure fail_fragmented)" "0 0"
expect "stat tells" 0 "^  heap damaged +yes, $(figure fail_damaged) requests refused" tlsf stat
holds "reset" tlsf reset
told 1 0
rmmod tlsf_damage
load
told 0 0
finish
