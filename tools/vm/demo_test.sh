#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests the demo: it succeeds, and a second run prints the same to the digit.
#
# Room: harness. Prints KTAP. Both runs at the same time; -icount makes each blind to
# how busy the host is.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"
out=$tlsf_root/build/test/demo
status=0

demo() {
	"$here/with-tlsf" --icount --init-script "$here/guest/demo.sh" --timeout 300 \
		--log "$out.$1.log" >"$out.$1" 2>"$out.$1.err"
}

# "result STATUS NUMBER NAME"
result() {
	[ "$1" = 0 ] && echo "ok $2 - $3" && return
	echo "not ok $2 - $3"
	status=1
}

mkdir -p "$(dirname "$out")"
demo 1 & first=$!
demo 2 & second=$!
echo "KTAP version 1"
wait $first && ok=0 || ok=1
result "$ok" 1 "the demo succeeds on a stock kernel"
sed 's/^/# /' "$out.1.err"
wait $second && ok=0 || ok=1
result "$ok" 2 "the demo succeeds again"
diff "$out.1" "$out.2" >"$out.diff" && [ -s "$out.1" ] && ok=0 || ok=1
result "$ok" 3 "both runs print the same figures to the digit"
sed 's/^/# /' "$out.diff"
grep -q 'alloc  hold' "$out.1" && ok=0 || ok=1
result "$ok" 4 "the latency table is among them"
echo "1..4"
exit $status
