#!/usr/bin/env bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Tests of make wcet: the tool on snippets, faults planted in the core, the real module.
#
# Room: wcet. Prints KTAP. A loop, a longer path and an indirect call that are planted in
# tlsf_core.c must be caught in what the kernel's own flags make of it.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
# shellcheck source=tools/build/lib.sh
. "$here/../build/lib.sh"
# shellcheck source=tools/build/ktap.sh
. "$here/../build/ktap.sh"

image=$("$here/../build/kernel.sh")
release=${image##*/vmlinuz-}
kdir=/lib/modules/$release/build
work=$tlsf_root/build/wcet/seeded

# tlsf_core.o of the kernel's flags, with this sed script applied to the source
core_with() {
	mkdir -p "$work"
	cp -rsfu "$tlsf_root"/{Kbuild,tlsf_*.[ch],include} "$work"
	rm -f "$work"/tlsf_core.{c,o}
	sed "$1" "$tlsf_root/tlsf_core.c" >"$work/tlsf_core.c"
	[ -z "$1" ] || ! cmp -s "$tlsf_root/tlsf_core.c" "$work/tlsf_core.c" ||
		die "the seed '$1' changed nothing"
	make -s -C "$kdir" M="$work" tlsf_core.o 2>"$work/make.err" ||
		{ cat "$work/make.err" && return 1; }
}

# caught SED-SCRIPT WORD...: is the complaint about what was planted?
caught() {
	local complaint word
	core_with "$1" || return 1
	! complaint=$("$here/wcet.py" "$work/tlsf_core.o" 2>&1) || die "nothing was found"
	shift
	for word; do
		[[ $complaint == *"$word"* ]] || die "no '$word' in: $complaint"
	done
}

bound_of() {
	core_with "$1" || return 1
	"$here/wcet.py" "$work/tlsf_core.o" | awk -v path="$2" '$1 == path { print $2 }'
}

longer() {
	local before after
	before=$(bound_of '' "$2") && after=$(bound_of "$1" "$2") || return 1
	[ "$after" -gt "$before" ] || die "$2: $before without, $after with the longer path"
}

# Columns of wcet.csv: kernel, path, static_bound, measured_max.
measured() {
	awk -F, -v least="$1" -v pattern="$2" '
		$2 ~ pattern { n++ }
		$2 ~ pattern && ($4 == "" || $4 > $3 || $4 < least * $3) { print; bad = 1 }
		END { if (!n) print "no such path: " pattern; exit bad || !n }' "$tlsf_root/build/wcet.csv"
}

line=$(grep -n '^	c->frees++;' "$tlsf_root/tlsf_core.c" | cut -d: -f1)
"$here/selftest.py" || status=1
echo "KTAP version 1"
result "a loop planted in free is caught and its line named" \
	caught 's/^\tc->frees++;/\twhile (*(volatile size_t *)\&c->frees) c->frees--;/' \
	"tlsf_core.c:$line" tlsf_core_free+ "loops back"
result "an indirect call planted in free is caught and its line named" \
	caught 's/^\tc->frees++;/\tc->frees++, ((void (*)(void))c->allocs)();/' \
	"tlsf_core.c:$line" tlsf_core_free+ indirect
result "a longer path planted in allocate raises its bound" \
	longer 's/^\tc->allocs++;/\tif (c->allocs++ == 7) c->resizes ^= c->frees;/' tlsf_core_alloc
result "the real module has a bound on every path, and nothing was measured above it" \
	"$here/run.sh"
result "allocate, free and resize were measured at 0.8 of their bounds at least" \
	measured 0.8 '^tlsf_(k|pool_)(m?alloc|memalign|realloc|free)$'
result "so was the time that the lock was held" measured 0.8 'hold'
finish
