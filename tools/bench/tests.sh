#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of make bench, on short workloads: two runs are the same to the digit, and
# seeded faults are noticed.
#
# Room: bench. Usage: tests.sh [KERNEL=amd64]   Prints KTAP. Both runs at the same
# time; -icount makes each blind to how busy the host is.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

take_kernel amd64 "$@" || true
out=$tlsf_root/build/test/bench-$kernel_file

# bench N: with fault N at its end
bench() {
	mkdir -p "$out/$1"
	"$here/run.sh" "KERNEL=$kernel" --out "$out/$1" --limit 3000 --random 3000 --fault "$1" \
		>"$out/$1/table" 2>"$out/$1/err"
}

# went_well N STATUS
went_well() { [ "$2" = 0 ] || { cat "$out/$1/err" && return 1; }; }

# both operations of both workloads, and a figure in every column
complete() {
	awk -F, -v names="tlsf kmalloc kmem_cache mempool gen_pool_first_fit gen_pool_best_fit" '
		{ lines[$3]++ }
		NF != 14 || /,,|,0,0,0,0,/ { print "incomplete: " $0; bad = 1 }
		END { n = split(names, name, " ")
			for (i = 1; i <= n; i++) if (lines[name[i]] != 4) {
				print name[i] ": " lines[name[i]] + 0 " lines, expected 4"; bad = 1 }
			exit bad }' "$out/1/bench.csv"
}

# pools are bounded, and the worst that the others did shows in the same table
cheaper() {
	awk -F, '$3 == "tlsf" { if ($13 > most) most = $13 }
		$3 == "kmalloc" && $4 == "alloc" && (!least || $13 < least) { least = $13 }
		END { print "tlsf at most " most ", kmalloc at most " least
			exit !(most && most < least) }' "$out/1/bench.csv"
}

noticed() { grep -q "$2" "$out/$1/table" || { cat "$out/$1/table" && return 1; }; }

bench 1 & first=$!
bench 2 & second=$!
wait $first && first=0 || first=$?
wait $second && second=0 || second=$?
holds "a short head to head succeeds on a stock kernel" went_well 1 $first
holds "it succeeds again" went_well 2 $second
holds "both runs print the same figures to the digit" \
	diff "$out/1/bench.csv" "$out/2/bench.csv"
holds "every allocator served both workloads" complete
holds "the most that tlsf took is less than the most that kmalloc took" cheaper
holds "a block that is never freed is noticed" \
	noticed 1 'bench: tlsf says [0-9]* bytes are allocated, but all blocks were freed'
holds "a damaged byte is noticed" noticed 2 'bench: tlsf: byte [0-9]* of block .* expected'
finish
