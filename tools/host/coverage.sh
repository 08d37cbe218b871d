#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Line and branch coverage of the core by its fast tests, and what they leave out.
#
# Room: host; called by the Makefile, which builds the programs with gcc --coverage
# from a core without forced inlining, so that each line is counted once and not for
# every function that it ends up in. Prints lines, those reached and those missing of each
# source, then the same of branches. Fails unless all are reached. What cannot be has to be marked
# in the source, GCOVR_EXCL_BR_LINE, with the reason beside it; nothing is today.
#
#	BUILD=dir SEED=n UNITS="..." coverage.sh
set -euo pipefail

: "${BUILD:?}" "${SEED:=1}"
here=$(cd "$(dirname "$0")" && pwd)
dir=$BUILD/cov status=0

# "reached SOURCE ARGUMENT...": a row of gcovr's table; its own status is that of the threshold
reached() {
	gcovr --root "$here/../.." --filter ".*/$1\$" "${@:2}" "$dir" | grep -F "$1"
}

find "$dir" -name '*.gcda' -delete
"$here/run-tests.sh" cov >"$dir/tests.ktap" || {
	grep -a '^not ok' "$dir/tests.ktap"
	echo "coverage of failing tests says nothing; mend these first" >&2
	exit 1
}
for source in tlsf_ops.h tlsf_core.c tlsf_check.c; do
	reached $source --fail-under-line 100 || status=1
	reached $source --branches --fail-under-branch 100 || status=1
done
exit $status
