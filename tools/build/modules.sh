#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds tlsf_mod.ko, the sample client, the self-test and, where the kernel has KUnit,
# the suites.
#
# Room: build. Usage: modules.sh [--tree TREE] KDIR OUT [MAKE-ARGUMENT]...
# KDIR is a kernel's build directory, as seen in TREE if one is given: see kernel.sh. The
# sources are mirrored by symbolic links into OUT, so that several kernels can be built
# for side by side and the source tree stays clean. All but tlsf_mod.ko are built as
# anybody's module would be: apart, with its Module.symvers.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

take_tree "$@" && shift 2
[ $# -ge 2 ] || die "usage: modules.sh [--tree TREE] KDIR OUT [MAKE-ARGUMENT]..."
kdir=$(in_tree "$tree" realpath -m "$1") out=$(realpath -m "$2")
in_tree "$tree" test -f "$kdir/Makefile" ||
	die "no kernel to build for at $1; install its headers, or name one with KVER="
shift 2

mirror() {
	find "$out" -xtype l -delete
	cp -rsfu "$tlsf_root"/{Kbuild,dkms.conf,tlsf_*.[ch],include,samples,selftest,kunit} "$out"
}

build() {
	local dir=$1
	shift
	in_tree "$tree" make -s -C "$kdir" M="$dir" "$@" modules
}

client() {
	local dir=$out/$1
	shift
	forget_versions "$dir" "$out/Module.symvers"
	build "$dir" KBUILD_EXTRA_SYMBOLS="$out/Module.symvers" "$@"
}

# The compiler that the kernel was built with and BTF are said again for each module.
quietly() {
	"$@" 2> >(grep -vE '^(Skipping BTF|warning: the compiler differs)|^  (The kernel was|You are using)' >&2)
}

mkdir -p "$out"
take_turn "$out.lock"
mirror
quietly build "$out" "$@"
quietly client samples "$@"
quietly client selftest "$@"
if in_tree "$tree" grep -q '^CONFIG_KUNIT=[ym]' "$kdir/include/config/auto.conf"; then
	quietly client kunit "$@"
fi
