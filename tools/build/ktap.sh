# shellcheck shell=bash
# SPDX-License-Identifier: GPL-2.0-only
#
# KTAP from a shell test on the host: a result to a command, and the plan.
#
# Room: build. Sourced by bash scripts under "set -euo pipefail", which begin with
# "KTAP version 1" and end with "finish".
count=0 status=0

# result NAME COMMAND...: ok if the command succeeds, which says why it does not
result() {
	local name=$1 found
	shift
	count=$((count + 1))
	if found=$("$@" 2>&1); then
		echo "ok $count - $name"
	else
		echo "not ok $count - $name"
		[ -z "$found" ] || printf '%s\n' "$found" | sed 's/^/# /'
		status=1
	fi
}

finish() {
	echo "1..$count"
	exit $status
}
