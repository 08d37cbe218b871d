#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Readers of traces besides the command tlsf: what is out of bounds is refused by each, at
# its line, and takes no memory.
#
# Room: traces. Prints KTAP. cli/tests/run.sh does the same with tlsf replay.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"
# shellcheck source=tools/build/ktap.sh
. "$here/../build/ktap.sh"

# In as much memory as a short trace needs, and some.
small=300000 # KiB
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench=$tlsf_root/build/host/plain/bench
make -s -C "$tlsf_root/tools/host" "$bench" >&2

read_by() {
	case $1 in
	lint) "$here/lint-trace.py" --min-operations 1 "$2" ;;
	workload) "$here/../bench/workload.py" "$work/out" --trace "$2" ;;
	bench) "$bench" memory core "$2" ;;
	esac
}

# "refused READER FILE PATTERN"
refused() {
	local status=0 found
	found=$(ulimit -v "$small" && read_by "$1" "$2" 2>&1) || status=$?
	[ "$status" != 0 ] && grep -qE "$3" <<<"$found" && return
	echo "status $status, expected a failure and /$3/: $found" && return 1
}

accepted() {
	(ulimit -v "$small" && read_by "$@" >/dev/null)
}

trace() {
	printf 'tlsf-trace 1\n%s\nend 1\n' "$1" | zstd -q -f -o "$work/$2.zst"
}

echo "KTAP version 1"
comment="# recipe: $(printf '%4085s' x)"
{ printf 'tlsf-trace 1\n# ' && head -c 1G /dev/zero; } | zstd -q -o "$work/bomb.zst"
trace "$comment"$'\na 0 5' longest
trace "$comment-"$'\na 0 5' longer
trace $'# recipe: x\na 0 4294967301' large
for reader in lint workload bench; do
	result "$reader refuses a line of 1 GB" refused $reader "$work/bomb.zst" ':.*2: longer than 4096'
	result "$reader refuses a line of 4097 bytes" refused $reader "$work/longer.zst" \
		':.*2: longer than 4096'
done
for reader in workload bench; do
	result "$reader takes a line of 4096 bytes" accepted $reader "$work/longest.zst"
done
result "lint takes one and goes on" refused lint "$work/longest.zst" 'header recorded-from is missing'
result "bench refuses a size that would wrap" refused bench "$work/large.zst" \
	':3: .* a number that is too large'
result "bench refuses a pool that would wrap" \
	bash -c "! '$bench' speed core u16-1024:4294967297:50 2>&1 | grep -v 'expected 1 to 4194304 MiB'"
result "random_test refuses a number that would wrap" \
	bash -c "make -s -C '$tlsf_root/tools/host' '$tlsf_root/build/host/plain/random_test' >&2
	! '$tlsf_root/build/host/plain/random_test' --ops 1 --regions 4294967297 2>&1 |
	grep -v 'is not a number from 0 to 8'"
finish
