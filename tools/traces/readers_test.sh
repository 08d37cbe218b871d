#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Readers of traces besides the command tlsf: what is out of bounds is refused by each, at
# its line, and takes no memory.
#
# Room: traces. Prints KTAP. cli/tests/run.sh does the same with tlsf replay.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

# In as much memory as a short trace needs, and some.
small=300000 # KiB
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
bench=$tlsf_root/build/host/plain/bench
random_test=$tlsf_root/build/host/plain/random_test
make -s -C "$tlsf_root/tools/host" "$bench" "$random_test" >&2

read_by() {
	case $1 in
	lint) "$here/lint-trace.py" --min-operations 1 "$2" ;;
	workload) "$here/../bench/workload.py" "$work/out" --trace "$2" ;;
	bench) "$bench" memory core "$2" ;;
	esac
}

# "in_little READER FILE": with as little memory as that
in_little() { (ulimit -v "$small" && read_by "$@"); }

trace() {
	printf 'tlsf-trace 1\n%s\nend 1\n' "$1" | zstd -q -f -o "$work/$2.zst"
}

comment="# recipe: $(printf '%4085s' x)"
{ printf 'tlsf-trace 1\n# ' && head -c 1G /dev/zero; } | zstd -q -o "$work/bomb.zst"
trace "$comment"$'\na 0 5' longest
trace "$comment-"$'\na 0 5' longer
trace $'# recipe: x\na 0 4294967301' large
for reader in lint workload bench; do
	expect "$reader refuses a line of 1 GB" failure ':.*2: .*(longer than|at most) 4096' \
		in_little $reader "$work/bomb.zst"
	expect "$reader refuses a line of 4097 bytes" failure ':.*2: .*(longer than|at most) 4096' \
		in_little $reader "$work/longer.zst"
done
for reader in workload bench; do
	holds "$reader takes a line of 4096 bytes" in_little $reader "$work/longest.zst"
done
expect "lint takes one and goes on" failure 'header recorded-from is missing' \
	in_little lint "$work/longest.zst"
expect "bench refuses a size that would wrap" failure 'operation 1: expected less than 4 GiB' \
	in_little bench "$work/large.zst"
expect "bench refuses a pool that would wrap" failure 'expected 1 to 4194304 MiB' \
	"$bench" speed core u16-1024:4294967297:50
expect "random_test refuses a number that would wrap" failure 'is not a number from 0 to' \
	"$random_test" --ops 18446744073709551617
finish
