#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# RESET clears all of bad_frees, also what was rejected without the pool's lock.
#
# Room: vm. tlsf_probe.ko frees no block from a probe.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

load
same "bad frees at first" "$(figure bad_frees)" 0
insert tlsf_probe
result $? "a bad free inside the allocator"
if rmmod tlsf_probe 2>/dev/null; then
	same "rejected inside the allocator" "$(figure bad_frees)" 1
	holds "reset" tlsf reset
	same "bad frees after it" "$(figure bad_frees)" 0
fi
finish
