#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds a client of tlsf_mod.ko as anybody's module would be: apart, with the header
# and the Module.symvers of what modules.sh built.
#
# Room: build. Usage: client.sh [--tree TREE] KDIR MODULES SRC OUT [MAKE-ARGUMENT]...
# KDIR and TREE are as for modules.sh.
# SRC has the Kbuild and the sources, which are mirrored by symbolic links into OUT.
set -euo pipefail
. "$(dirname "$0")/lib.sh"

take_tree "$@" && shift 2
[ $# -ge 4 ] || die "usage: client.sh [--tree TREE] KDIR MODULES SRC OUT [MAKE-ARGUMENT]..."
kdir=$1 symbols=$(realpath "$2")/Module.symvers src=$(realpath "$3") out=$(realpath -m "$4")
shift 4
mkdir -p "$out"
take_turn "$out.lock"
find "$out" -xtype l -delete
cp -rsfu "$src/." "$tlsf_root/include" "$out"
forget_versions "$out" "$symbols"
in_tree "$tree" make -s -C "$kdir" M="$out" KBUILD_EXTRA_SYMBOLS="$symbols" "$@" modules 2>"$out/make.err" ||
	{ cat "$out/make.err" >&2 && exit 1; }
