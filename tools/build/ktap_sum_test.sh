#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Seeded logs for ktap_sum.py: each way of failing must be counted. Prints KTAP.
#
# Room: build.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
log=$(mktemp)
trap 'rm -f "$log"' EXIT
count=0 status=0

# Does the log on standard input add up to $2?
adds_up() {
	local name=$1 want=$2 got
	cat >"$log"
	count=$((count + 1))
	got=$("$here/ktap_sum.py" "$log" | tail -n 1) || true
	if [ "$got" = "$want" ]; then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		echo "# wanted: $want; got: $got"
		status=1
	fi
}

echo "KTAP version 1"
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
echo "1..$count"
exit $status
