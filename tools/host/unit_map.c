// SPDX-License-Identifier: GPL-2.0-only
/*
 * The mapping of tlsf_map.h against the formula of the paper, computed naively:
 *
 *	mapping(r) = (f, s)	f = floor(log2(r))	s = (r - 2^f) * 2^SLI / 2^f
 *
 * Room: host.
 */
#include <limits.h>

#include "../../tlsf_core.h"
#include "ktap.h"

#define VALUE_BITS	(8 * (unsigned int)sizeof(unsigned long))

struct mapping {
	unsigned int f;
	unsigned long s;
};

/* the paper's formula for any SLI; divides first where the product would not fit */
static struct mapping naive(unsigned long r, unsigned int sli)
{
	struct mapping m = { .f = 0 };
	unsigned long half;

	for (half = r; half > 1; half /= 2)
		m.f++;
	m.s = r - (1UL << m.f);
	m.s = m.f >= sli ? m.s >> (m.f - sli) : m.s << (sli - m.f);
	return m;
}

/* class number by counting: one each below 2^(SLI+1), 2^SLI for each f from there */
static unsigned int naive_index(unsigned long r)
{
	struct mapping m;

	if (r < 2 * TLSF_SL_COUNT)
		return (unsigned int)r;
	m = naive(r, TLSF_SLI);
	return (m.f - TLSF_SLI) * TLSF_SL_COUNT + TLSF_SL_COUNT + (unsigned int)m.s;
}

/* smallest value of (f, s) */
static unsigned long naive_floor(struct mapping m, unsigned int sli)
{
	return (1UL << m.f) + (m.f >= sli ? m.s << (m.f - sli) : m.s >> (sli - m.f));
}

/* the classic figure: four second-level lists; a free block of 69 bytes is in (6, 0) */
static void request_69_maps_to_6_0_and_is_served_from_6_1(void)
{
	struct mapping m = naive(69, 2);

	EXPECT_EQ(m.f, 6);
	EXPECT_EQ(m.s, 0);
	EXPECT_EQ(naive_floor(m, 2), 64);	/* too small for 69: so the next list up, */
	m.s++;
	EXPECT_EQ(naive_floor(m, 2), 80);	/* where every block fits */
	EXPECT_EQ(naive(89, 2).s, 1);
}

static void index_is_the_formula_for_all_values_to_2_20(void)
{
	unsigned long r;

	for (r = 0; r <= 1UL << 20; r++)
		EXPECT_EQ(tlsf_map_index(r), naive_index(r));
}

static void index_is_the_formula_at_every_boundary_above(void)
{
	unsigned long b;
	unsigned int f, s;

	for (f = TLSF_SLI + 1; f < VALUE_BITS; f++) {
		for (s = 0; s < TLSF_SL_COUNT; s++) {
			b = (1UL << f) + ((unsigned long)s << (f - TLSF_SLI));
			EXPECT_EQ(tlsf_map_index(b - 1), naive_index(b - 1));
			EXPECT_EQ(tlsf_map_index(b), naive_index(b));
			EXPECT_EQ(tlsf_map_index(b + 1), naive_index(b + 1));
			EXPECT_EQ(tlsf_map_index(b), tlsf_map_index(b - 1) + 1);
		}
	}
	EXPECT_EQ(tlsf_map_index(ULONG_MAX), naive_index(ULONG_MAX));
}

static void floor_is_the_inverse_of_index(void)
{
	unsigned int i, last = tlsf_map_index(ULONG_MAX);

	EXPECT_EQ(tlsf_map_floor(0), 0);
	for (i = 1; i <= last; i++) {
		EXPECT_EQ(tlsf_map_index(tlsf_map_floor(i)), i);
		EXPECT_EQ(tlsf_map_index(tlsf_map_floor(i) - 1), i - 1);
	}
}

static void class_is_at_most_one_32nd_wide(void)
{
	unsigned int i, last = tlsf_map_index(ULONG_MAX);

	for (i = TLSF_SL_COUNT; i < last; i++) {
		unsigned long floor = tlsf_map_floor(i), width = tlsf_map_floor(i + 1) - floor;

		EXPECT_LE(width, floor / TLSF_SL_COUNT);
	}
}

static void log2_is_the_position_of_the_top_bit(void)
{
	unsigned int f;

	for (f = 0; f < VALUE_BITS; f++) {
		EXPECT_EQ(tlsf_fls(1UL << f), f);
		EXPECT_EQ(tlsf_fls((1UL << f) | ((1UL << f) - 1)), f);
	}
}

/* the control structure has a list for every block there can be, and one above */
static void largest_block_has_a_list(void)
{
	size_t granules = (TLSF_BLOCK_LIMIT - TLSF_GRANULE) / TLSF_GRANULE;

	EXPECT_EQ(tlsf_map_index(granules), TLSF_LISTS_MAX - 1);
	EXPECT_EQ(tlsf_map_index(granules + 1), TLSF_LISTS_MAX);
	EXPECT_GE(TLSF_BITMAP_WORDS * TLSF_WORD_BITS, TLSF_LISTS_MAX + 1);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(request_69_maps_to_6_0_and_is_served_from_6_1),
		KTAP_CASE(index_is_the_formula_for_all_values_to_2_20),
		KTAP_CASE(index_is_the_formula_at_every_boundary_above),
		KTAP_CASE(floor_is_the_inverse_of_index),
		KTAP_CASE(class_is_at_most_one_32nd_wide),
		KTAP_CASE(log2_is_the_position_of_the_top_bit),
		KTAP_CASE(largest_block_has_a_list),
	};

	return ktap_run("unit_map", cases, ARRAY_SIZE(cases));
}
