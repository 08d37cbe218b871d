#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the random test catch what it is there to catch? Applies one fault at a time to a
# copy of tlsf_core.c, builds the random test with it and expects it to fail.
#
# Room: tools/host; called by the Makefile. A fault is a name and a sed script. One that
# changes nothing has been overtaken by the core: that is an error, not a pass.
#
#	seed-faults.sh [NAME...]     all faults, or the named ones
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
CC=${CC:-gcc}

declare -A faults=(
	[none]=''
	[bitmap_bit_is_not_cleared]='/ slot_clear(struct/,/^}/ s/c->bitmap\[w\] &= .*;/;/'
	[summary_bit_is_not_cleared]='/ slot_clear(struct/,/^}/ s/c->summary &= .*;/;/'
	[prev_free_flag_stays_after_exact_fit]='/ block_carve(struct/,/^}/ s/.*header &= ~TLSF_PREV_FREE;//'
	[shrink_does_not_tell_the_block_above]='/ tlsf_core_resize(struct/,/^}/ s/header | TLSF_PREV_FREE/header/'
	[good_fit_does_not_round_up]='/ slot_above(size_t/,/^}/ s/ + 1;/;/'
	[rest_is_a_granule_short]='/ block_carve(struct/,/^}/ s/rest = size - need;/rest = size - need - TLSF_GRANULE;/'
	[footer_is_stale]='/ block_mark_free(struct/,/^}/ s/^\t\*tlsf_block_footer_below.*//'
	[merged_block_stays_in_its_list]='/ tlsf_core_free(struct/,/^}/ s/ || !block_unlink(c, end)//'
	[merge_below_is_forgotten]='/ tlsf_core_free(struct/,/^}/ s/if (v.prev_flag)/if (0)/'
	[own_list_is_not_looked_at]='/ slot_find(struct/,/^}/ s/>= need;/>= need \&\& false;/'
	[grow_back_forgets_its_gap]='/ tlsf_core_grow_back(struct/,/^}/ s/if (start != prev)/if (0)/'
	[resize_counts_nothing]='/ tlsf_core_resize(struct/,/^}/ s/account_used(c, .*);/;/'
	[double_free_is_taken]='/ view_block(const/,/^}/ s/(header & TLSF_FLAGS & ~TLSF_PREV_FREE) ||//'
)

# build_with NAME: the random test on a core with that fault, as $dir/random_test
build_with() {
	cp "$root"/tlsf_*.h "$root/tlsf_check.c" "$dir"
	sed "${faults[$1]}" "$root/tlsf_core.c" >"$dir/tlsf_core.c"
	if [ "$1" != none ] && cmp -s "$dir/tlsf_core.c" "$root/tlsf_core.c"; then
		echo "fault $1 changes nothing: tlsf_core.c has moved on, adapt its sed script" >&2
		return 1
	fi
	"$CC" -std=gnu11 -O1 -g -w -DTLSF_COUNT_STEPS -ffile-prefix-map="$root"/= \
		-o "$dir/random_test" "$dir"/tlsf_core.c "$dir"/tlsf_check.c \
		"$here"/{random_test,shadow,heap,ktap}.c
}

# runs it; true when it failed, with the first line of evidence in $evidence
fails() {
	local status=0

	{ timeout 60 "$dir/random_test" --ops 50000; } >"$dir/out" 2>&1 || status=$?
	evidence=$(grep -m 1 '^# .*\.c:' "$dir/out" | cut -d ' ' -f 3- | cut -c 1-80) ||
		evidence="ended with status $status"
	[ "$status" -ne 0 ]
}

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
mapfile -t names < <(printf '%s\n' "${!faults[@]}" | grep -vx none | sort)
[ $# -eq 0 ] || names=("$@")

build_with none
if fails; then
	echo "the random test fails without any fault: $evidence" >&2
	exit 1
fi
missed=0
for name in "${names[@]}"; do
	build_with "$name"
	if fails; then
		printf 'caught  %-40s %s\n' "$name" "$evidence"
	else
		printf 'MISSED  %s\n' "$name"
		missed=$((missed + 1))
	fi
done
printf '%d faults, %d missed\n' "${#names[@]}" "$missed"
[ "$missed" -eq 0 ]
