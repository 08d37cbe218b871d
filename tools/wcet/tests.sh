#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of make wcet: the tool on snippets, faults planted in the module, the real module.
#
# Room: wcet. Usage: tests.sh [KERNEL=amd64], as run.sh. Prints KTAP. A loop, a longer
# path and an indirect call that are planted in a copy of the source must be caught in what
# the kernel's own flags make of it.
set -euo pipefail
. "$(dirname "$0")/../build/lib.sh"
. "$here/../build/ktap.sh"

take_kernel amd64 "$@" || true
locate_kernel "$kernel"
csv=$(table_of wcet)
work=$tlsf_root/build/wcet/seeded-$kernel_file

# Copies of the source, those that differ anew, so that only what they are in is rebuilt.
restore() {
	local file
	mkdir -p "$work"
	cp -r "$tlsf_root/include" "$work"
	find "$work" -type l -delete
	for file in "$tlsf_root"/{Kbuild,tlsf_*.[ch]}; do
		cmp -s "$file" "$work/${file##*/}" || cp "$file" "$work"
	done
}

# The module, with CODE put first into function FUNCTION of FILE.
seeded() {
	local file=$1 function=$2 code=$3
	restore
	rm "$work/$file"
	sed "/^[A-Za-z].*[ *]$function(/,/^{/ s/^{\$/{ $code/" "$tlsf_root/$file" >"$work/$file"
	grep -nF "{ $code" "$work/$file" | cut -d: -f1 >"$work/line"
	[ -s "$work/line" ] || die "$file has no function $function to put a fault into"
	in_tree "$tree" make -s -C "$kdir" M="$work" modules 2>"$work/make.err" ||
		{ cat "$work/make.err" && return 1; }
}

# caught FILE FUNCTION CODE WORD...: is the complaint about what was planted? In a shell of
# its own, for die.
caught() (
	local complaint word
	seeded "$1" "$2" "$3" || return 1
	! complaint=$("$here/wcet.py" "$work/tlsf_mod.ko" --kernel "$image" \
		--ceilings "$here/ceilings.csv" 2>&1 >"$work/table") || die "nothing was found"
	set -- "${@:4}"
	for word; do
		[[ $complaint == *"${word/LINE/$(cat "$work/line")}"* ]] ||
			die "no '$word' in: $complaint"
	done
)

# Columns of wcet.csv: kernel, path, static_bound, measured_max. A path may have a comma.
measured() {
	awk -F, -v least="$1" -v pattern="$2" -v but="${3:-^$}" '
		{ path = $0; sub(/^[^,]*,/, "", path); sub(/,[^,]*,[^,]*$/, "", path); gsub(/"/, "", path) }
		path ~ but { next }
		path ~ pattern { n++; bound = $(NF - 1) }
		path ~ pattern && ($NF == "" || $NF > bound || $NF < least * bound) { print; bad = 1 }
		END { if (!n) print "no such path: " pattern; exit bad || !n }' "$csv"
}

loop='while (*(volatile size_t *)c);'
pool_loop='while (*(volatile int *)pool);'
indirect='((void (*)(void))*(size_t *)c)();'
longer='if (*(volatile int *)c == 7) { volatile int *v = (void *)c; v[1]++; v[2]++; v[3]++; }'

subtests "the tool on snippets" "$here/selftest.py"
holds "a loop planted in the core's free is caught, and its function and line are named" \
	caught tlsf_ops.h tlsf_op_free "$loop" "tlsf_ops.h:LINE: tlsf_op_free in tlsf_" "loops back"
holds "so is one in the pool's free" \
	caught tlsf_alloc.c tlsf_pool_free "$pool_loop" "tlsf_alloc.c:LINE: tlsf_pool_free+" "loops back"
holds "so is an indirect call" \
	caught tlsf_ops.h tlsf_op_free "$indirect" "tlsf_ops.h:LINE: tlsf_op_free in tlsf_" indirect
holds "a longer path that no test takes, planted in the core's allocate, is above the ceiling" \
	caught tlsf_ops.h tlsf_op_memalign "$longer" "tlsf_kmalloc may take" ceilings.csv
holds "the real module: nothing measured above its bound, no bound above its ceiling, all flat" \
	"$here/run.sh" "KERNEL=$kernel"
holds "allocate, free and resize were measured at 0.8 of their bounds at least" \
	measured 0.8 '^tlsf_(k|pool_)(m?alloc|memalign|realloc|free)$'
holds "so was every other path" measured 0.8 . '^tlsf_drain_some$|recording adds$|deferred'
# Their bounds count that the fast path found no block first, and that an NMI freed one right
# then: what is measured finds the frees at once.
holds "after deferred frees it was 0.7 at least" measured 0.7 'deferred'
finish
