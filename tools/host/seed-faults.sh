#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# Does the random test catch what it is there to catch? Applies one fault at a time to a
# copy of tlsf_core.c, builds the random test with it and expects it to fail.
#
# Room: host; called by the Makefile. A fault is a name and a sed script. One that
# changes nothing has been overtaken by the core: that is an error, not a pass.
#
#	seed-faults.sh [NAME...]     all faults, or the named ones
set -euo pipefail

here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
CC=${CC:-gcc}

declare -A faults=(
	[none]=''
	[bitmap_bit_is_not_cleared]='/\blist_emptied(struct/,/^}/ s/tlsf_bit_clear(list,.*);/;/'
	[summary_bit_is_not_cleared]='/\blist_emptied(struct/,/^}/ s/tlsf_bit_clear(w,.*);/;/'
	[prev_free_flag_stays_after_exact_fit]='/\bblock_carve(struct/,/^}/ s/.*header &= ~TLSF_PREV_FREE;//'
	[shrink_does_not_tell_the_block_above]='/\bresize_in(struct/,/^}/ s/header | TLSF_PREV_FREE/header/'
	[good_fit_does_not_round_up]='/\blist_search(struct/,/^}/ s/~1UL << /~0UL << /'
	[rest_is_a_granule_short]='/\bblock_carve(struct/,/^}/ s/rest = n - need;/rest = n - need - 1;/'
	[footer_is_stale]='/\bblock_insert(struct/,/^}/ s/^\t\*tlsf_block_footer_below.*//'
	[merged_block_stays_in_its_list]='/\bfree_in(struct/,/^}/ s/ || !block_unlink(c, v.next)//'
	[merge_below_is_forgotten]='/\bfree_in(struct/,/^}/ s/if (.*prev_f.*) {/if (0) {/I'
	[own_list_is_not_looked_at]='/\blist_find(struct/,/^}/ s/if (.*f->n < need.*) {/if (1) {/'
	[next_keeps_its_link_back]='/\bblock_bypass(struct/,/^}/ s/at(c, next)->prev = prev;/;/'
	[first_region_is_taken_for_all]='s/\bfree_in(c, region_search(c, [^)]*)ptr)/free_in(c, c->region/'
	[grow_back_forgets_its_gap]='/\btlsf_core_grow_back(struct/,/^}/ s/if (start != prev)/if (0)/'
	[resize_counts_nothing]='/\bresize_in(struct/,/^}/ s/account_[a-z]*(c, v.n - /(void)(/'
	[double_free_is_taken]='/\bview_header(const struct/,/^}/ s/ ^ TLSF_USED)/ \& ~TLSF_USED)/'
	[absorbed_block_keeps_its_header]='/\bfree_in(struct/,/^}/ s/tlsf_block_of(ptr)->header = 0;/;/'
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
