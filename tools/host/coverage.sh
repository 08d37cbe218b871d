#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Line and branch coverage of the core by its fast tests, and what they leave out.
#
# Room: host; called by the Makefile, which builds the programs with gcc --coverage
# from a core without forced inlining, so that each line is counted once and not for
# every function that it ends up in. Fails when a line was not reached, or a branch that
# is not in coverage.allow with the reason why it cannot be.
#
#	BUILD=dir SEED=n UNITS="..." coverage.sh
set -euo pipefail

: "${BUILD:?}" "${SEED:=1}"
here=$(cd "$(dirname "$0")" && pwd)
dir=$BUILD/cov

find "$dir" -name '*.gcda' -delete
"$here/run-tests.sh" cov >"$dir/tests.ktap" || {
	grep -a '^not ok' "$dir/tests.ktap"
	echo "coverage of failing tests says nothing; mend these first" >&2
	exit 1
}
for object in tlsf_core tlsf_check ops; do
	gcov --json-format --stdout --branch-probabilities --object-directory "$dir" \
		"$dir/$object.gcda" >"$dir/$object.json"
done
exec "$here/coverage.py" --allow "$here/coverage.allow" "$dir"/{tlsf_core,tlsf_check,ops}.json
