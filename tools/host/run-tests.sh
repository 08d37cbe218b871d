#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the built test programs of each variant; one KTAP stream per program on stdout.
#
# Room: host; called by the Makefile. A program that ends without a verdict (a
# sanitizer's report, a signal, a time-out) is told as a failed test of its own, so that
# whoever counts results sees it.
#
#	BUILD=dir SEED=n UNITS="..." [EMULATOR=qemu-s390x] run-tests.sh VARIANT...
set -euo pipefail

: "${BUILD:?}" "${UNITS:?}" "${SEED:=1}" "${EMULATOR:=}"
failed=0

# a report of a sanitizer is no failed expectation, which is status 1
export ASAN_OPTIONS=exitcode=99:${ASAN_OPTIONS-} UBSAN_OPTIONS=print_stacktrace=1:exitcode=99

# run VARIANT PROGRAM [ARGUMENT...]
run() {
	local program=$BUILD/$1/$2 status=0

	# shellcheck disable=SC2086 # no emulator is no word
	TLSF_SEED=$SEED timeout 300 $EMULATOR "$program" "${@:3}" || status=$?
	if [ "$status" -gt 1 ]; then
		printf 'KTAP version 1\n1..1\nnot ok 1 %s_of_%s_ended_with_status_%d\n' \
			"$2" "$1" "$status"
	fi
	[ "$status" -eq 0 ] || failed=1
}

for variant in "$@"; do
	for unit in $UNITS; do
		run "$variant" "$unit"
	done
	run "$variant" fuzz_replay
	for seed in "$SEED" $((SEED + 1)) $((SEED + 2)); do
		run "$variant" random_test --ops 90000 --seed "$seed"
	done
done
exit "$failed"
