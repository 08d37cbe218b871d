#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the demo: it succeeds, and a second run prints the same to the digit.
#
# Room: vm. Prints KTAP. Both runs at the same time; -icount makes each blind to
# how busy the host is.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"
out=$tlsf_root/build/test/demo

demo() {
	"$here/with-tlsf" --icount --init-script "$here/guest/demo.sh" --timeout 300 \
		--log "$out.$1.log" >"$out.$1" 2>"$out.$1.err"
}

# "succeeds PROCESS N": it does, and if not it says why
succeeds() { wait "$1" || { cat "$out.$2.err" && return 1; }; }

mkdir -p "$(dirname "$out")"
demo 1 & first=$!
demo 2 & second=$!
holds "the demo succeeds on a stock kernel" succeeds $first 1
holds "the demo succeeds again" succeeds $second 2
holds "both runs print the same figures to the digit" diff "$out.1" "$out.2"
holds "the latency table is among them" grep 'alloc  hold' "$out.1"
finish
