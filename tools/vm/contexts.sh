#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# The self-test in every context, with real NMIs.
#
# Room: vm. Usage: contexts.sh [KERNEL=amd64] [MACHINE]...   Prints KTAP. Machines:
#   smp2  two processors
#   smp1  one processor
#   up    one, with the module built as for a uniprocessor kernel, where a spinlock is
#         nothing: Debian has no such kernel, but one processor cannot tell; lockdep does,
#         and has it skipped
# TLSF_SOURCE is another tree to take the module from, for counter-tests.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

take_kernel amd64 "$@" && shift
[ $# -gt 0 ] || set -- smp2 smp1 up
source=${TLSF_SOURCE:-$tlsf_root}
locate_kernel "$kernel"
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

# The directory with the modules of machine $1.
modules_of() {
	local out=$source/build/modules/$release args=()
	[ "$1" != up ] || { out+=-up && args=(KCFLAGS=-DTLSF_TEST_UP); }
	"$source/tools/build/modules.sh" --tree "$tree" "$kdir" "$out" "${args[@]}" >&2
	echo "$out"
}

# Why machine $1 is not for this kernel; fails when it is.
skipped() {
	[ "$1" = up ] && in_tree "$tree" grep -qx CONFIG_LOCKDEP=y "$kdir/include/config/auto.conf" &&
		echo "the kernel checks locks, and this module is built without"
}

# Pass on the guest's output, and when it asks for NMIs send them.
with_nmis() {
	local line
	while IFS= read -r line; do
		printf '%s\n' "$line"
		[ "$line" != "# please send NMIs" ] || "$here/send-nmi" "$work/$1.monitor" >&2 &
	done
}

boot() {
	local out options
	out=$(modules_of "$1") || return
	mapfile -t options < <(run_options "$kernel")
	"$here/run" --kernel "$image" "${options[@]}" --smp "$([ "$1" = smp2 ] && echo 2 || echo 1)" \
		--timeout $((90 * slow)) --monitor "$work/$1.monitor" \
		--init-script "$here/guest/selftest.sh" \
		--log "$tlsf_root/build/test/contexts-$kernel_file-$1.log" \
		--file "$here/../build/ktap.sh" --module "$out/tlsf_mod.ko" \
		--module "$out/selftest/tlsf_selftest.ko" |
		with_nmis "$1"
}

for machine; do
	case $machine in smp1 | smp2 | up) ;; *) die "no machine '$machine'; there are: smp2 smp1 up" ;; esac
	skipped "$machine" >"$work/$machine.skipped" ||
		{ boot "$machine" >"$work/$machine.out" && echo ok >"$work/$machine.status"; } &
done
wait

went_well() { cat "$work/$1.out" && [ -e "$work/$1.status" ]; }

for machine; do
	if [ -s "$work/$machine.skipped" ]; then
		skip "$machine" "$(<"$work/$machine.skipped")"
	else
		subtests "$machine" went_well "$machine"
	fi
done
finish
