#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs test suites and adds up their results.
#
# Room: build. Usage: test.sh [SUITE[@KERNEL]]...   default: the suites below. A suite that
# boots or builds for a kernel does so for another with @KERNEL: see kernel.sh. Each suite
# prints KTAP and goes to build/test/SUITE.ktap. Closes with "N passed, N failed, N
# skipped". As many suites at a time as there are processors.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$tlsf_root"

suites=(host check vm contexts kunit harness demo wcet bench cli traces sum
	vm@rt-amd64 vm@trixie-backports/rt-amd64 build@trixie/amd64)
declare -A command=(
	[sum]="tools/build/ktap_sum_test.sh"
	[host]="make -s -C tools/host test"
	[cli]="tools/cli/tests/run.sh build/tools/tlsf"
	[traces]="tools/traces/readers_test.sh"
	[check]="tools/build/check.sh"
	[harness]="tools/vm/selftest.sh"
	[kunit]="tools/kunit/run.sh"
	[vm]="tools/vm/tests.sh"
	[contexts]="tools/vm/contexts.sh"
	[stress]="tools/vm/stress.sh"
	[build]="tools/build/strict.sh"
	[demo]="tools/vm/demo_test.sh"
	[wcet]="tools/wcet/tests.sh"
	[bench]="tools/bench/tests.sh"
)

# Another Debian's kernel needs its packages, from the network or the cache, and a chroot.
can_have() {
	locate_kernel "$1" || return 1
	in_tree "$tree" test -d "$kdir" && [ -f "$image" ]
}

# "attempt SUITE [KERNEL]": its KTAP, or that of one skip where the kernel cannot be had
attempt() {
	case ${2:-} in
	*/*) can_have "$2" ||
		{ (. tools/build/ktap.sh && skip "$1" "$2 cannot be had here" && finish) && return; } ;;
	esac
	${command[$1]} ${2:+"KERNEL=$2"}
}

# The last line of a log is "# exit STATUS": a log without it is cut off.
run_suite() {
	local name=${1//\//-} suite=${1%%@*} kernel=${1#*@} status=0 begin=$SECONDS log sum
	log=build/test/$name.ktap
	[ "$kernel" != "$1" ] || kernel=
	attempt "$suite" "$kernel" >"$log" 2>"build/test/$name.err" || status=$?
	echo "# exit $status" >>"$log"
	read -ra sum < <(tools/build/ktap_sum.py --summary "$log")
	printf '%-28s %4d passed %3d failed %3d skipped %4d s  %s\n' "$name" "${sum[@]}" \
		$((SECONDS - begin)) "$log"
	[ $status = 0 ] || tail -n 5 "build/test/$name.err" | sed 's/^/    /'
}

[ $# -gt 0 ] || set -- "${suites[@]}"
mkdir -p build/test
logs=()
for suite; do
	[ -n "${command[${suite%%@*}]:-}" ] || die "no suite '$suite'; there are: ${!command[*]}"
done
for suite; do
	logs+=("build/test/${suite//\//-}.ktap")
	while [ "$(jobs -rp | wc -l)" -ge "$(nproc)" ]; do
		wait -n || true
	done
	run_suite "$suite" &
done
wait
exec tools/build/ktap_sum.py "${logs[@]}"
