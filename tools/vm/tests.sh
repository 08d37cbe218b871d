#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs the tests of /dev/tlsf, one behaviour a file, on one of the kernels that
# build/kernel.sh knows.
#
# Room: vm. Usage: tests.sh [KERNEL=amd64] [NAME]...   default: all. Prints KTAP.
# The tests are the programs of tools/vm/tests, built for the kernel's architecture, and the scripts tools/vm/tests/*.sh.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/arch.sh"

take_kernel amd64 "$@" && shift
stage=$tlsf_root/build/vm/tests-$kernel_file

collect() {
	local file
	rm -rf "$stage"
	mkdir -p "$stage"
	for file in "$programs"/tests/* "$here"/tests/*.sh; do
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

programs=$("$here/../build/tools.sh" "$(arch_of_name "$kernel")" vm/tests)
collect
[ $# = 0 ] || keep_only "$@"
[ -n "$(ls "$stage")" ] || die "no such test in tools/vm/tests: $*"
exec "$here/with-tlsf" "KERNEL=$kernel" --client vm/module --smp 2 --mem 1G --timeout $((600 * slow)) \
	--append "tlsf_patience=$((90 * slow)) tlsf_slow=$slow" --init-script "$here/guest/tests.sh" \
	--log "$tlsf_root/build/test/vm-$kernel_file.log" \
	--file "$stage:tests" --file "$here/guest/kmemleak.sh" --file "$here/../build/ktap.sh" \
	--file "$here/tests/module.sh"
