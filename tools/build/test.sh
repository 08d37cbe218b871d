#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs test suites and adds up their results.
#
# Room: build. Usage: test.sh [SUITE]...   default: all but rt, which has to be named:
# see docs/testing.md. Each suite prints KTAP and goes to build/test/SUITE.ktap. Closes
# with "N passed, N failed, N skipped". As many suites at a time as there are processors.
set -euo pipefail
# shellcheck source=tools/build/lib.sh
. "$(dirname "$0")/lib.sh"
cd "$tlsf_root"

suites=(host check vm contexts kunit harness demo wcet bench cli sum)
declare -A command=(
	[sum]="tools/build/ktap_sum_test.sh"
	[host]="make -s -C tools/host test"
	[cli]="tools/cli/tests/run.sh build/tools/tlsf"
	[check]="tools/build/check.sh"
	[harness]="tools/vm/selftest.sh"
	[kunit]="tools/kunit/run.sh"
	[vm]="tools/vm/tests.sh"
	[rt]="tools/vm/tests.sh FLAVOUR=rt-amd64"
	[contexts]="tools/vm/contexts.sh"
	[demo]="tools/vm/demo_test.sh"
	[wcet]="tools/wcet/tests.sh"
	[bench]="tools/bench/tests.sh"
)

# The last line of a log is "# exit STATUS": a log without it is cut off.
run_suite() {
	local name=$1 log=build/test/$1.ktap status=0 begin=$SECONDS
	${command[$name]} >"$log" 2>"build/test/$name.err" || status=$?
	echo "# exit $status" >>"$log"
	printf '%-8s %4d ok %4d not ok %4d s  %s\n' "$name" \
		"$(grep -acE '^ *ok ' "$log")" "$(grep -acE '^ *not ok ' "$log")" \
		$((SECONDS - begin)) "$log"
	[ $status = 0 ] || tail -n 5 "build/test/$name.err" | sed 's/^/    /'
}

[ $# -gt 0 ] || set -- "${suites[@]}"
mkdir -p build/test
logs=()
for suite; do
	[ -n "${command[$suite]:-}" ] || die "no suite '$suite'; there are: ${suites[*]}"
done
for suite; do
	logs+=("build/test/$suite.ktap")
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n || true
	done
	run_suite "$suite" &
done
wait
exec tools/build/ktap_sum.py "${logs[@]}"
