#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# The command without the device and without permission: exit status 3, with the reason.
#
# Room: harness (uapi test, in the guest). What needs no device: tools/cli/tests/run.sh.
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
expect "another device" 3 'INFO is not a call of this device' tlsf info --device /dev/null
finish
