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

# "adds_up NAME SUM": does the log on standard input?
adds_up() {
	cat >"$log"
	same "$1" "$("$here/ktap_sum.py" "$log" | tail -n 1)" "$2"
}

adds_up "plain results" "1 passed, 1 failed, 1 skipped" <<'END'
1..3
ok 1 - a
not ok 2 - b
ok 3 - c # SKIP no such machine
# exit 1
END
adds_up "plan at the end" "1 passed, 0 failed, 0 skipped" <<'END'
ok 1 - a
1..1
# exit 0
END
adds_up "whole file skipped" "0 passed, 0 failed, 1 skipped" <<'END'
1..0 # SKIP nothing to do
# exit 0
END
adds_up "fewer results than planned" "1 passed, 1 failed, 0 skipped" <<'END'
1..2
ok 1 - a
# exit 0
END
adds_up "no plan" "1 passed, 1 failed, 0 skipped" <<'END'
ok 1 - a
# exit 0
END
adds_up "empty log" "0 passed, 2 failed, 0 skipped" </dev/null
adds_up "cut off" "1 passed, 1 failed, 0 skipped" <<'END'
1..1
ok 1 - a
END
adds_up "exit status without a failed result" "1 passed, 1 failed, 0 skipped" <<'END'
1..1
ok 1 - a
# exit 2
END
adds_up "one stream after another" "3 passed, 1 failed, 0 skipped" <<'END'
KTAP version 1
# first
1..2
ok 1 - a
ok 2 - b
KTAP version 1
# second
1..2
ok 1 - c
KTAP version 1
1..0
# exit 0
END
adds_up "bail out" "1 passed, 1 failed, 0 skipped" <<'END'
1..1
ok 1 - a
Bail out! no device
# exit 1
END
adds_up "subtests count, their parent does not" "2 passed, 1 failed, 0 skipped" <<'END'
1..1
[    1.000000]     # Subtest: suite
[    1.000001]     1..3
    ok 1 - a
        # Subtest: parameters
        ok 1 - one
    ok 2 - b
    not ok 3 - c
not ok 1 - suite
# exit 1
END
adds_up "a parent that fails alone" "1 passed, 1 failed, 0 skipped" <<'END'
1..1
    1..1
    ok 1 - a
not ok 1 - suite init
# exit 1
END
adds_up "a parent that hides a failure" "0 passed, 1 failed, 0 skipped" <<'END'
1..1
    1..1
    not ok 1 - a
ok 1 - suite
# exit 0
END
adds_up "a subtest that breaks off" "1 passed, 2 failed, 0 skipped" <<'END'
1..2
    1..2
    ok 1 - a
ok 1 - suite
# exit 0
END
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

adds_up "each sort of result of ktap.sh" "3 passed, 7 failed, 1 skipped" \
	< <(failing_test && status=0 || status=$?; echo "# exit $status")
cat >"$log" <<'END'
1..3
ok 1 - a
ok 2 - b # SKIP
not ok 3 - c
# exit 1
END
same "the three numbers alone" "$("$here/ktap_sum.py" --summary "$log")" "1 1 1"
finish
