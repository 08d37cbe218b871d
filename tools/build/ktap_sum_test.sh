#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Seeded logs for ktap_sum.py, and what ktap.sh prints: each way of failing must be counted.
# Prints KTAP.
#
# Room: build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
. "$here/ktap.sh"

log=$(mktemp)
trap 'rm -f "$log"' EXIT

# "adds_up NAME SUM LINE...": passed, failed and skipped of a log of these lines
adds_up() {
	printf '%s\n' "${@:3}" | sed '/^$/d' >"$log"
	same "$1" "$("$here/ktap_sum.py" --summary "$log")" "$2"
}

adds_up "plain results" "1 1 1" '1..3' 'ok 1 - a' 'not ok 2 - b' \
	'ok 3 - c # SKIP no such machine' '# exit 1'
adds_up "plan at the end" "1 0 0" 'ok 1 - a' '1..1' '# exit 0'
adds_up "whole file skipped" "0 0 1" '1..0 # SKIP nothing to do' '# exit 0'
adds_up "fewer results than planned" "1 1 0" '1..2' 'ok 1 - a' '# exit 0'
adds_up "no plan" "1 1 0" 'ok 1 - a' '# exit 0'
adds_up "empty log" "0 2 0"
adds_up "cut off" "1 1 0" '1..1' 'ok 1 - a'
adds_up "exit status without a failed result" "1 1 0" '1..1' 'ok 1 - a' '# exit 2'
adds_up "one stream after another" "3 1 0" 'KTAP version 1' '# first' '1..2' 'ok 1 - a' \
	'ok 2 - b' 'KTAP version 1' '# second' '1..2' 'ok 1 - c' 'KTAP version 1' '1..0' \
	'# exit 0'
adds_up "bail out" "1 1 0" '1..1' 'ok 1 - a' 'Bail out! no device' '# exit 1'
adds_up "subtests count, their parent does not" "2 1 0" '1..1' \
	'[    1.000000]     # Subtest: suite' '[    1.000001]     1..3' '    ok 1 - a' \
	'        # Subtest: parameters' '        ok 1 - one' '    ok 2 - b' '    not ok 3 - c' \
	'not ok 1 - suite' '# exit 1'
adds_up "a parent that fails alone" "1 1 0" '1..1' '    1..1' '    ok 1 - a' \
	'not ok 1 - suite init' '# exit 1'
adds_up "a parent that hides a failure" "0 1 0" '1..1' '    1..1' '    not ok 1 - a' \
	'ok 1 - suite' '# exit 0'
adds_up "a subtest that breaks off" "1 2 0" '1..2' '    1..2' '    ok 1 - a' 'ok 1 - suite' \
	'# exit 0'

# in a shell of its own
failing_test() (
	. "$here/ktap.sh"
	holds good true
	holds bad false
	expect "another status" 0 '' sh -c 'exit 3'
	expect "another text" 0 'b' echo a
	expect "no failure" failure '' true
	expect "a failure" failure 'b' sh -c 'echo b; exit 3'
	same "a word" a b
	skip "nothing" "no reason"
	subtests "good ones" printf '1..1\nok 1 - a\n'
	subtests "bad ones" sh -c 'printf "1..1\nnot ok 1 - a\n"; exit 1'
	subtests "broken off" sh -c 'printf "1..1\n"; exit 1'
	finish
)

adds_up "each sort of result of ktap.sh" "3 7 1" \
	"$(failing_test && status=0 || status=$?; echo "# exit $status")"
same "the sum in words" "$("$here/ktap_sum.py" "$log" | tail -n 1)" "3 passed, 7 failed, 1 skipped"
finish
