#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds programs for guests of an architecture, and prints the directory they are in.
#
# Room: build. Usage: tools.sh ARCH [MAKEFILE-DIRECTORY]...   see arch.sh. Always the command
# tlsf; others by their directories under tools/, e.g. vm/tests, built into its last part.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
. "$here/arch.sh"

# "build DIRECTORY OUT"
build() {
	in_tree "$arch_tree" make -s -C "$tlsf_root/tools/$1" OUT="$2" "${arch_make[@]}" >&2
}

arch_select "$1"
shift
mkdir -p "$arch_tools"
take_turn "$arch_tools.lock"
build . "$arch_tools"
for dir; do
	build "$dir" "$arch_tools/${dir##*/}"
done
echo "$arch_tools"
