#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests that all modules build for a kernel without a word of warning at W=1.
#
# Room: build. Usage: strict.sh [KERNEL=amd64]   See kernel.sh. Prints KTAP.
# Built from nothing each time: a warning is only said when its file is compiled.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/ktap.sh"

take_kernel amd64 "$@" || true
locate_kernel "$kernel"
out=$tlsf_root/build/strict/$release

builds() {
	local said status=0
	said=$("$here/modules.sh" --tree "$tree" "$kdir" "$out" W=1 KCFLAGS=-Werror 2>&1) || status=1
	echo "$said"
	[ -z "$said" ] && return "$status"
}

rm -rf "$out"
holds "the modules build for $release without a warning at W=1" builds
finish
