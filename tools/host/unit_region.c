// SPDX-License-Identifier: GPL-2.0-only
/*
 * Regions: adding in every order, gaps, removal, odd places and sizes, limits,
 * validation of pointers that lie between, the control structure among them.
 *
 * Room: host.
 */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "heap.h"

#define SLOT		((size_t)512)		/* a region and the gap behind it */
#define REGION		((size_t)320)
#define NR_SLOTS	(TLSF_REGIONS_MAX + 1)

static unsigned char *arena;

static void *slot(unsigned int i)
{
	return arena + i * SLOT;
}

static void slots_open(struct heap *h)
{
	arena = heap_open_empty(h, REGION, NR_SLOTS * SLOT);
}

static enum tlsf_status add(struct heap *h, void *mem, size_t bytes)
{
	enum tlsf_status status = tlsf_core_add_region(h->c, mem, bytes);

	heap_verify(h);
	return status;
}

static enum tlsf_status remove_region(struct heap *h, void *mem)
{
	enum tlsf_status status = tlsf_core_remove_region(h->c, mem);

	heap_verify(h);
	return status;
}

/* the first slot that @code picks among those not in @taken; a digit of base @left */
static unsigned int nth_untaken(unsigned int taken, unsigned int nth)
{
	unsigned int i;

	for (i = 0; (taken >> i & 1) || nth--; )
		i++;
	return i;
}

/* adds @n regions in permutation number @code */
static void add_in_order(struct heap *h, unsigned int n, unsigned int code)
{
	unsigned int taken = 0, left, i;

	for (left = n; left; code /= left--) {
		i = nth_untaken(taken, code % left);
		taken |= 1u << i;
		EXPECT_STATUS(tlsf_core_add_region(h->c, slot(i), REGION), TLSF_OK);
	}
	heap_verify(h);
}

static void regions_in_every_order_are_sorted_and_usable(void)
{
	unsigned int n, code, orders = 1, i;
	struct heap h;

	slots_open(&h);
	for (n = 1; n <= TLSF_REGIONS_MAX; n++) {
		orders *= n;
		for (code = 0; code < orders; code += n < 8 ? 1 : 7) {
			add_in_order(&h, n, code);
			EXPECT_EQ(heap_stats(&h).free_blocks, n);
			EXPECT_EQ(heap_stats(&h).region_bytes, n * REGION);
			for (i = 0; i < n; i++)
				EXPECT_STATUS(tlsf_core_remove_region(h.c, slot(i)), TLSF_OK);
		}
	}
	heap_verify(&h);
	heap_close(&h);
}

/* blocks of every region are allocated, validated and freed, whatever their number */
static void blocks_of_every_region_can_be_freed(void)
{
	void *p[TLSF_REGIONS_MAX];
	unsigned int n, i;
	struct heap h;

	slots_open(&h);
	for (n = 1; n <= TLSF_REGIONS_MAX; n++) {
		EXPECT_STATUS(add(&h, slot(n - 1), REGION), TLSF_OK);
		for (i = 0; i < n; i++) {
			p[i] = heap_alloc(&h, REGION - 2 * G);
			EXPECT(p[i]);
		}
		EXPECT_PTR(heap_alloc(&h, 1), NULL);
		for (i = 0; i < n; i++)
			EXPECT_STATUS(heap_free(&h, p[i]), TLSF_OK);
		EXPECT_EQ(heap_stats(&h).free_blocks, n);
	}
	heap_close(&h);
}

/* neighbours in one list must reach each other, wherever their regions lie */
static void blocks_of_all_regions_share_lists(void)
{
	void *p[TLSF_REGIONS_MAX];
	unsigned int first, i;
	struct heap h;

	for (first = 0; first < TLSF_REGIONS_MAX; first++) {
		slots_open(&h);
		for (i = 0; i < TLSF_REGIONS_MAX; i++)
			EXPECT_STATUS(add(&h, slot(i), REGION), TLSF_OK);
		for (i = 0; i < TLSF_REGIONS_MAX; i++)
			p[i] = heap_alloc(&h, REGION - 2 * G);
		for (i = 0; i < TLSF_REGIONS_MAX; i++)
			EXPECT_STATUS(heap_free(&h, p[(first + i) % TLSF_REGIONS_MAX]), TLSF_OK);
		for (i = 0; i < TLSF_REGIONS_MAX; i++)
			EXPECT(heap_alloc(&h, REGION - 2 * G));
		heap_close(&h);
	}
}

static void adjacent_regions_do_not_merge(void)
{
	struct heap h;
	void *a, *b;

	slots_open(&h);
	EXPECT_STATUS(add(&h, arena, 256), TLSF_OK);
	EXPECT_STATUS(add(&h, arena + 256, 256), TLSF_OK);
	a = heap_alloc(&h, 256 - 2 * G);
	b = heap_alloc(&h, 256 - 2 * G);
	EXPECT(a && b);
	EXPECT_STATUS(heap_free(&h, a), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, b), TLSF_OK);
	heap_expect(&h, "F* | F*");
	heap_close(&h);
}

static void ninth_region_is_refused(void)
{
	struct snapshot before;
	unsigned int i;
	struct heap h;

	slots_open(&h);
	for (i = 0; i < TLSF_REGIONS_MAX; i++)
		EXPECT_STATUS(add(&h, slot(i), REGION), TLSF_OK);
	snapshot_take(&before, &h);
	EXPECT_STATUS(add(&h, slot(i), REGION), TLSF_E_REGION);
	snapshot_expect_same(&before, &h);
	EXPECT_STATUS(remove_region(&h, slot(3)), TLSF_OK);
	EXPECT_STATUS(add(&h, slot(i), REGION), TLSF_OK);
	heap_close(&h);
}

struct overlap {
	size_t offset;		/* from a region of 512 bytes at 1024 */
	size_t bytes;
	enum tlsf_status status;
};

static const struct overlap overlaps[] = {
	{ 1024, 512,	TLSF_E_REGION },	/* the same */
	{ 1100, 100,	TLSF_E_REGION },	/* inside */
	{ 900,	800,	TLSF_E_REGION },	/* around */
	{ 900,	125,	TLSF_E_REGION },	/* its first byte */
	{ 1535,	512,	TLSF_E_REGION },	/* its last byte */
	{ 512,	512,	TLSF_OK },		/* touches from below */
	{ 1536,	512,	TLSF_OK },		/* touches from above */
};

static void overlapping_region_is_refused(void)
{
	const struct overlap *o;
	struct snapshot before;
	unsigned char *mem;
	struct heap h;

	for (o = overlaps; o < overlaps + ARRAY_SIZE(overlaps); o++) {
		mem = heap_open_empty(&h, 1024, 4096);
		EXPECT_STATUS(add(&h, mem + 1024, 512), TLSF_OK);
		if (o->status != TLSF_OK)
			snapshot_take(&before, &h);
		EXPECT_STATUS(add(&h, mem + o->offset, o->bytes), o->status);
		if (o->status != TLSF_OK)
			snapshot_expect_same(&before, &h);
		heap_close(&h);
	}
}

static void region_over_or_below_the_control_structure_is_refused(void)
{
	size_t bytes = tlsf_core_size(4096);
	unsigned char *mem = memory_aligned(3 * 8192), *c = mem + 8192;
	struct heap h = { .c = tlsf_core_init(c, bytes, 4096) };

	EXPECT_STATUS(add(&h, c, 1024), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, c - 1000, 1001), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, c + bytes - 1, 1024), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, c - 1024, 1024), TLSF_E_REGION);	/* below it */
	EXPECT_STATUS(add(&h, c + bytes, 1024), TLSF_OK);
	free(mem);
}

/* ---- removal ---- */

static void busy_region_is_not_removed(void)
{
	struct snapshot before;
	struct heap h;
	void *p;

	slots_open(&h);
	EXPECT_STATUS(add(&h, slot(0), REGION), TLSF_OK);
	EXPECT_STATUS(add(&h, slot(1), REGION), TLSF_OK);
	p = heap_alloc(&h, 64);
	snapshot_take(&before, &h);
	EXPECT_STATUS(remove_region(&h, slot((uintptr_t)p >= (uintptr_t)slot(1))), TLSF_E_BUSY);
	snapshot_expect_same(&before, &h);
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	EXPECT_STATUS(remove_region(&h, slot(0)), TLSF_OK);
	EXPECT_STATUS(remove_region(&h, slot(1)), TLSF_OK);
	EXPECT_EQ(heap_stats(&h).region_bytes, 0);
	EXPECT_EQ(heap_stats(&h).free_bytes, 0);
	EXPECT_PTR(heap_alloc(&h, 1), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	heap_close(&h);
}

static void damaged_region_is_not_removed(void)
{
	struct snapshot before;
	struct tlsf_block *b;
	struct heap h;

	slots_open(&h);
	EXPECT_STATUS(add(&h, slot(0), REGION), TLSF_OK);
	EXPECT_STATUS(add(&h, slot(1), REGION), TLSF_OK);
	b = tlsf_block_of((void *)h.c->region[0].first);
	b->prev++;
	snapshot_take(&before, &h);
	EXPECT_STATUS(tlsf_core_remove_region(h.c, slot(0)), TLSF_E_LINKS);
	snapshot_expect_same(&before, &h);
	b->prev--;
	EXPECT_STATUS(remove_region(&h, slot(0)), TLSF_OK);
	heap_close(&h);
}

static void unknown_region_is_not_removed(void)
{
	struct snapshot before;
	struct heap h;

	slots_open(&h);
	EXPECT_STATUS(add(&h, slot(1), REGION), TLSF_OK);
	snapshot_take(&before, &h);
	EXPECT_STATUS(remove_region(&h, slot(0)), TLSF_E_REGION);
	EXPECT_STATUS(remove_region(&h, (char *)slot(1) + G), TLSF_E_REGION);
	EXPECT_STATUS(remove_region(&h, NULL), TLSF_E_REGION);
	snapshot_expect_same(&before, &h);
	heap_close(&h);
}

static void removed_region_is_foreign(void)
{
	struct heap h;
	void *p;

	slots_open(&h);
	EXPECT_STATUS(add(&h, slot(0), REGION), TLSF_OK);
	p = heap_alloc(&h, 64);
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	EXPECT_STATUS(remove_region(&h, slot(0)), TLSF_OK);
	EXPECT_STATUS(heap_free(&h, p), TLSF_E_OUTSIDE);
	heap_close(&h);
}

/* ---- pointers between regions ---- */

static void pointers_in_gaps_are_outside(void)
{
	unsigned int n, i;
	struct heap h;
	size_t at;

	slots_open(&h);
	for (n = 1; n <= TLSF_REGIONS_MAX; n++) {
		EXPECT_STATUS(add(&h, slot(n - 1), REGION), TLSF_OK);
		for (i = 0; i < n; i++)
			for (at = REGION - TLSF_BLOCK_MIN + G; at < SLOT; at += G)
				EXPECT_STATUS(tlsf_core_free(h.c, (char *)slot(i) + at),
					      TLSF_E_OUTSIDE);
		EXPECT_STATUS(tlsf_core_free(h.c, slot(0)), TLSF_E_OUTSIDE);
		EXPECT_STATUS(tlsf_core_free(h.c, h.c), TLSF_E_OUTSIDE);
		EXPECT_STATUS(tlsf_core_free(h.c, NULL), TLSF_E_OUTSIDE);
	}
	heap_verify(&h);
	heap_close(&h);
}

/* ---- odd places and sizes ---- */

static void region_is_cut_to_the_granule(void)
{
	size_t off, bytes, first, end;
	struct heap h;
	void *p;

	for (off = 0; off < 2 * G; off++) {
		for (bytes = 128; bytes < 128 + 2 * G; bytes++) {
			slots_open(&h);
			EXPECT_STATUS(add(&h, arena + off, bytes), TLSF_OK);
			first = (off + G - 1) / G * G + G;
			end = (off + bytes) / G * G - G;
			EXPECT_EQ(heap_stats(&h).largest_free, end - first);
			EXPECT_EQ(heap_stats(&h).region_bytes, bytes);
			p = heap_alloc(&h, end - first);
			EXPECT_PTR(p, arena + first);
			memset(p, 0xff, end - first);
			heap_verify(&h);
			heap_close(&h);
		}
	}
}

/* the smallest region holds the smallest block and an end mark */
static void smallest_region(void)
{
	size_t smallest = TLSF_BLOCK_MIN + G, bytes;
	struct heap h;

	for (bytes = 0; bytes <= smallest + 16; bytes++) {
		bool serves = bytes >= smallest;

		slots_open(&h);
		EXPECT_STATUS(add(&h, arena, bytes), serves ? TLSF_OK : TLSF_E_REGION);
		EXPECT(!heap_alloc(&h, TLSF_BLOCK_MIN - G) == !serves);
		heap_close(&h);
	}
}

static void misplaced_regions_are_refused(void)
{
	struct heap h;

	slots_open(&h);
	EXPECT_STATUS(add(&h, NULL, 256), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, arena, 0), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, arena, SIZE_MAX), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, arena, SIZE_MAX - (uintptr_t)arena + 1), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, (void *)UINTPTR_MAX, 1), TLSF_E_REGION);
	EXPECT_STATUS(add(&h, (void *)(UINTPTR_MAX - 63), 64), TLSF_E_REGION);
	heap_close(&h);
}

/* largest region that control structures for @told bytes take: up to the next class */
static size_t largest_region(size_t told)
{
	unsigned int class = tlsf_map_index(told / G);

	return tlsf_map_floor(class + 1) * G;	/* the block is an end mark smaller */
}

static void largest_region_for_a_control_structure(void)
{
	static const size_t told[] = { 48, 1000, 4096, 65536, 100000 };
	size_t i, bytes, most;
	struct heap h;
	void *mem;

	for (i = 0; i < ARRAY_SIZE(told); i++) {
		most = largest_region(told[i]);
		for (bytes = most - 16; bytes <= most + 16; bytes += G) {
			mem = heap_open_empty(&h, told[i], bytes);
			EXPECT_STATUS(add(&h, mem, bytes),
				      bytes <= most ? TLSF_OK : TLSF_E_REGION);
			if (bytes <= most)
				EXPECT(heap_alloc(&h, bytes - 2 * G));
			heap_close(&h);
		}
	}
}

/* all address space that is asked for, not the memory behind it */
static void *reserve(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

static void largest_region_of_all(void)
{
	unsigned char *mem;
	size_t most, bytes;
	struct heap h;

	heap_open_empty(&h, SIZE_MAX, 0);
	most = tlsf_map_floor(h.c->nr_lists) * G;	/* blocks of it have a list */
	heap_close(&h);
	EXPECT_GE(most, (size_t)1 << (G == 8 ? 38 : 31));
	mem = reserve(most + 16);
	if (!mem)
		ktap_skip("this machine does not give that much address space");
	for (bytes = most - 16; bytes <= most + 16; bytes += G) {
		heap_open_empty(&h, SIZE_MAX, 0);
		EXPECT_STATUS(add(&h, mem, bytes), bytes <= most ? TLSF_OK : TLSF_E_REGION);
		if (bytes <= most) {
			EXPECT_EQ(heap_stats(&h).largest_free, bytes - 2 * G);
			EXPECT_PTR(heap_alloc(&h, bytes - 2 * G), mem + G);
			EXPECT_STATUS(heap_free(&h, mem + G), TLSF_OK);
			EXPECT(heap_alloc(&h, 1));
		}
		heap_close(&h);
	}
	munmap(mem, most + 16);
}

/* ---- control structure ---- */

static void control_structure_is_small(void)
{
	if (G == 8) {
		EXPECT_LE(tlsf_core_size((size_t)1 << 20), 4096);
		EXPECT_LE(tlsf_core_size(SIZE_MAX), 8704);
	}
	EXPECT_LE(tlsf_core_size(0), tlsf_core_size(1 << 20));
	EXPECT_EQ(tlsf_core_size(0) % G, 0);
}

static void init_refuses_and_leaves_the_memory(void)
{
	size_t bytes = tlsf_core_size(4096);
	unsigned char *mem = memory_aligned(2 * 8192), *copy = malloc(2 * 8192);
	size_t off;

	memcpy(copy, mem, 2 * 8192);
	EXPECT_PTR(tlsf_core_init(NULL, bytes, 4096), NULL);
	EXPECT_PTR(tlsf_core_init(mem, bytes - 1, 4096), NULL);
	EXPECT_PTR(tlsf_core_init(mem, 0, 0), NULL);
	for (off = 1; off < G; off++)
		EXPECT_PTR(tlsf_core_init(mem + off, 8192, 4096), NULL);
	EXPECT(!memcmp(mem, copy, 2 * 8192));
	EXPECT_PTR(tlsf_core_init(mem, bytes, 4096), mem);
	EXPECT(!memcmp(mem + bytes, copy + bytes, 8192 - bytes));
	free(copy);
	free(mem);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(regions_in_every_order_are_sorted_and_usable),
		KTAP_CASE(blocks_of_every_region_can_be_freed),
		KTAP_CASE(blocks_of_all_regions_share_lists),
		KTAP_CASE(adjacent_regions_do_not_merge),
		KTAP_CASE(ninth_region_is_refused),
		KTAP_CASE(overlapping_region_is_refused),
		KTAP_CASE(region_over_or_below_the_control_structure_is_refused),
		KTAP_CASE(busy_region_is_not_removed),
		KTAP_CASE(damaged_region_is_not_removed),
		KTAP_CASE(unknown_region_is_not_removed),
		KTAP_CASE(removed_region_is_foreign),
		KTAP_CASE(pointers_in_gaps_are_outside),
		KTAP_CASE(region_is_cut_to_the_granule),
		KTAP_CASE(smallest_region),
		KTAP_CASE(misplaced_regions_are_refused),
		KTAP_CASE(largest_region_for_a_control_structure),
		KTAP_CASE(largest_region_of_all),
		KTAP_CASE(control_structure_is_small),
		KTAP_CASE(init_refuses_and_leaves_the_memory),
	};

	return ktap_run("unit_region", cases, ARRAY_SIZE(cases));
}
