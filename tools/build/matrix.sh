#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Builds for, boots and tests every kernel that users run, and prints the table.
#
# Room: build. Usage: matrix.sh [KERNEL]...   See kernel.sh; default: all below.
# The versions are those that Debian serves today. Ours are built when needed, which
# takes some minutes the first time, and have KUnit, which Debian's lack.
set -euo pipefail
. "$(dirname "$0")/lib.sh"
cd "$tlsf_root"

kernels=(amd64 rt-amd64 trixie/amd64 trixie-backports/amd64 trixie-backports/rt-amd64
	debug kcsan arm64)
suites=(build vm contexts stress kunit)

# "SUITE KERNEL"
runs_on() {
	case $1 in
	kunit) [[ $2 != *amd64 ]] ;;
	esac
}

# "KERNEL SUITE": passed of all that ran, and what was skipped.
cell() {
	local log=build/test/$2@${1//\//-}.ktap passed failed skipped
	[ -f "$log" ] || { echo - && return; }
	read -r passed failed skipped < <("$here/ktap_sum.py" --summary "$log")
	printf '%d/%d' "$passed" $((passed + failed))
	[ "$skipped" = 0 ] || printf ' (%d skipped)' "$skipped"
	[ "$failed" = 0 ] || printf ' FAILED'
}

table() {
	local kernel suite
	printf '\n%-26s' kernel
	printf '%-16s' "${suites[@]}"
	echo
	for kernel; do
		printf '%-26s' "${image[$kernel]##*/vmlinuz-}"
		for suite in "${suites[@]}"; do
			printf '%-16s' "$(cell "$kernel" "$suite")"
		done
		echo
	done
}

[ $# -gt 0 ] || set -- "${kernels[@]}"
declare -A image
runs=()
for kernel; do
	image[$kernel]=$(TLSF_REFRESH=1 "$here/kernel.sh" "$kernel")
	for suite in "${suites[@]}"; do
		rm -f "build/test/$suite@${kernel//\//-}.ktap"
		runs_on "$suite" "$kernel" || continue
		runs+=("$suite@$kernel")
	done
done
status=0
"$here/test.sh" "${runs[@]}" || status=$?
table "$@"
exit $status
