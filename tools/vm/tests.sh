#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests of /dev/tlsf, one behaviour a file, on Debian's stock kernel.
#
# Room: harness. Usage: tests.sh [NAME]...   default: all. Prints KTAP. The tests are
# the programs in build/tools/tests and the scripts tools/vm/tests/*.sh.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"

stage=$tlsf_root/build/vm/tests

collect() {
	local file
	rm -rf "$stage"
	mkdir -p "$stage"
	for file in "$tlsf_root"/build/tools/tests/* "$here"/tests/*.sh; do
		[ -f "$file" ] && [ -x "$file" ] && cp "$file" "$stage"
	done
	return 0
}

keep_only() {
	local file
	for file in "$stage"/*; do
		[[ " $* " == *" $(basename "$file" .sh) "* ]] || rm "$file"
	done
}

make -s -C "$here/tests" >&2
collect
[ $# = 0 ] || keep_only "$@"
[ -n "$(ls "$stage")" ] || die "no such test among build/tools/tests, tools/vm/tests: $*"
exec "$here/with-tlsf" --smp 2 --mem 1G --timeout 400 --init-script "$here/guest/tests.sh" \
	--log "$tlsf_root/build/test/vm.log" --file "$stage:tests" --file "$here/tests/ktap.sh"
