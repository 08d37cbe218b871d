# shellcheck shell=dash
# SPDX-License-Identifier: GPL-2.0-only
#
# KTAP from a shell test, on the host and in a guest: results of commands, and the plan.
#
# Room: build. Sourced by bash scripts under "set -euo pipefail" and, as /bin/ktap.sh, by the
# busybox sh of a guest; begins the stream. A test ends with "finish". Commands run in the
# test's own shell, so that they may set its variables; "set -e" is off in them.
count=0 failed=0
ktap_said=${TMPDIR:-/tmp}/ktap.$$

# "result STATUS NAME": 0 is good, 77 means that the test cannot be done here.
result() {
	count=$((count + 1))
	case $1 in
	0) echo "ok $count - $2" ;;
	77) echo "ok $count - $2 # SKIP" ;;
	*) echo "not ok $count - $2" && failed=$((failed + 1)) ;;
	esac
}

# "skip NAME REASON"
skip() {
	result 0 "$1 # SKIP $2"
}

# "expect NAME CODE PATTERN COMMAND...": the command exits with CODE, or with any but 0 where
# that is "failure", and prints a line that matches PATTERN, an extended regular expression;
# '' for whatever it prints.
expect() {
	local name="$1" code="$2" pattern="$3" got=0
	shift 3
	"$@" >"$ktap_said" 2>&1 || got=$?
	if { [ "$got" = "$code" ] || { [ "$code" = failure ] && [ "$got" != 0 ]; }; } &&
		{ [ -z "$pattern" ] || grep -aEq -e "$pattern" "$ktap_said"; }; then
		result 0 "$name"
	else
		result 1 "$name"
		echo "# $*: exit $got, expected $code and /$pattern/; output:"
		sed 's/^/#   /' "$ktap_said"
	fi
}

# "holds NAME COMMAND...": the command succeeds.
holds() {
	local name="$1"
	shift
	expect "$name" 0 '' "$@"
}

# "same NAME GOT WANT"
same() {
	expect "$1: $2 is $3" 0 '' [ "$2" = "$3" ]
}

# "subtests NAME COMMAND...": the command prints KTAP of its own, and its status is the result.
subtests() {
	local name="$1" got=0
	shift
	echo "    # Subtest: $name"
	"$@" >"$ktap_said" 2>&1 || got=$?
	sed 's/^/    /' "$ktap_said"
	result $got "$name"
	[ $got = 0 ] || [ $got = 77 ] || echo "# exit status $got"
}

finish() {
	rm -f "$ktap_said"
	echo "1..$count"
	exit $((failed > 0))
}

echo "KTAP version 1"
