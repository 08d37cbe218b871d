#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The command without the device and without permission: exit status 3, with the reason.
#
# Room: vm. What needs no device: tools/cli/tests/run.sh.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

commands="info stat hist map check reset stress"

nobody() {
	su nobody -s /bin/sh -c "$*"
}

unload
for command in $commands; do
	expect "$command without the device" 3 '/dev/tlsf: no such device: .*modprobe tlsf_mod' \
		tlsf "$command"
done
load
same "mode of the device" "$(stat -c %a /dev/tlsf)" 600
for command in $commands; do
	expect "$command without permission" 3 '/dev/tlsf: permission denied: run as root' \
		nobody tlsf "$command"
done
holds "nobody is somebody" nobody true
holds "info as root" tlsf info
holds "check as root" tlsf check
expect "one number" 0 '^16777216$' tlsf info --get pool_bytes
expect "one string" 0 '^(tsc|cntvct|ns)$' tlsf info --get clock/unit
expect "what is below a name" 0 '"bad_frees": 0' tlsf stat --get counters
expect "a name with a point" 0 '^[0-9]+$' tlsf stat --get latency/alloc/hold/cycles/p99.9
for key in none counters/none counters/allocs/none clock/unit/none; do
	expect "no $key" 2 "'$key' leads to nothing" tlsf stat --get "$key"
done
expect "none of the check" 2 "'none' leads to nothing" tlsf check --get none
expect "another device" 3 'INFO is not a call of this device' tlsf info --device /dev/null
finish
