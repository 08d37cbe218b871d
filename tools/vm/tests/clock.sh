#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Unit and frequency of the clock are what the kernel said of this machine when it booted.
#
# Room: vm. That cycles are ticks of this counter: info.c.
# shellcheck source=tools/vm/tests/module.sh
. /bin/module.sh

# The last that the kernel said: it may have measured its clock twice.
case $(uname -m) in
x86_64) unit=tsc said='^.*tsc: .* \([0-9.]*\) MHz.*' ;;
aarch64) unit=cntvct said='^.*arch_timer: .* at \([0-9.]*\)MHz.*' ;;
esac
mhz=$(dmesg | sed -n "s/$said/\1/p" | tail -n 1)

same "unit" "$(tlsf info --get clock/unit)" "$unit"
if [ -n "$mhz" ]; then
	decimals=${mhz#*.}
	same "frequency in MHz" "$(printf '%s %s' "${#decimals}" "$(tlsf info --get clock/hz)" |
		awk '{ printf "%." $1 "f", $2 / 1e6 }')" "$mhz"
else
	skip "frequency" "the kernel's log no longer has it"
fi
finish
