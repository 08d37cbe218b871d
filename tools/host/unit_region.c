// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory that a core is given: how it is shared between the control structure and the
 * region, where both begin and end, which sizes and places do and which do not.
 *
 * Room: host.
 */
#include <string.h>
#include <sys/mman.h>

#include "asan.h"
#include "heap.h"

#define ARENA		((size_t)16384)
#define SMALLEST	(TLSF_BLOCK_MIN + TLSF_BLOCK_HEADER)	/* region: a block, an end mark */
#define UNTOUCHED	0x5a

/* memory full of UNTOUCHED, of which the @bytes from @offset up may be touched */
static unsigned char *arena_open(size_t offset, size_t bytes)
{
	unsigned char *arena = memory_aligned(ARENA);

	memset(arena, UNTOUCHED, ARENA);
	asan_poison(arena, offset);
	asan_poison(arena + offset + bytes, ARENA - offset - bytes);
	return arena;
}

static void expect_untouched(const unsigned char *mem, size_t bytes)
{
	size_t i;

	for (i = 0; i < bytes; i++)
		EXPECT_EQ(mem[i], UNTOUCHED);
}

/* as well where no address sanitizer looks: nothing but the @bytes from @offset up changed */
static void arena_close(unsigned char *arena, size_t offset, size_t bytes)
{
	asan_unpoison(arena, ARENA);
	expect_untouched(arena, offset);
	expect_untouched(arena + offset + bytes, ARENA - offset - bytes);
	memory_free(arena);
}

/* @bytes at @offset make a heap that ends where they do, and whose whole region can be used */
static void expect_whole_memory_is_used(size_t offset, size_t bytes)
{
	size_t control = tlsf_core_size(bytes), end = bytes / G * G - G;
	unsigned char *arena = arena_open(offset, bytes), *mem = arena + offset;
	struct heap h = { .c = tlsf_core_init(mem, bytes) };
	void *p;

	ktap_note("%zu bytes at +%zu", bytes, offset);
	EXPECT_PTR(h.c, mem);
	EXPECT_PTR(tlsf_core_start(h.c), mem + control);
	EXPECT_PTR(tlsf_core_end(h.c), mem + end);
	EXPECT_EQ(heap_stats(&h).region_bytes, bytes - control);
	EXPECT_EQ(heap_stats(&h).largest_free, end - control - G);
	EXPECT_EQ(tlsf_core_most(h.c), end - control - G);
	EXPECT_LE(TLSF_FIRST_LIST + tlsf_map_index((end - control) / G), control / G - 2);
	p = heap_alloc(&h, end - control - G);
	EXPECT_PTR(p, mem + control + G);
	memset(p, 0xff, end - control - G);
	heap_verify(&h);
	EXPECT_STATUS(heap_free(&h, p), TLSF_OK);
	heap_expect(&h, "F*");
	arena_close(arena, offset, bytes);
}

static void memory_of_every_size_is_used_whole(void)
{
	size_t bytes;

	for (bytes = heap_bytes_for(SMALLEST); bytes < ARENA / 2; bytes += 1 + bytes / 512)
		expect_whole_memory_is_used(0, bytes);
}

/* a granule is the least that memory grows by; what is beyond the last one is left alone */
static void memory_with_an_odd_end_is_cut_to_the_granule(void)
{
	size_t bytes = heap_bytes_for(128), odd;

	for (odd = 0; odd < 4 * G; odd++)
		expect_whole_memory_is_used(0, bytes + odd);
}

static void memory_may_begin_at_every_multiple_of_its_alignment(void)
{
	size_t bytes = heap_bytes_for(320) + 3, offset;

	for (offset = 0; offset <= HEAP_ALIGN; offset += CONTROL_ALIGN)
		expect_whole_memory_is_used(offset, bytes);
}

static void expect_no_heap(size_t offset, size_t bytes)
{
	unsigned char *arena = arena_open(offset, 0);

	ktap_note("%zu bytes at +%zu", bytes, offset);
	EXPECT_PTR(tlsf_core_init(arena + offset, bytes), NULL);
	arena_close(arena, offset, 0);
}

/* not even the memory that there is has been looked at */
static void misaligned_memory_is_rejected(void)
{
	size_t offset;

	for (offset = 1; offset < 2 * CONTROL_ALIGN; offset++)
		if (offset % CONTROL_ALIGN)
			expect_no_heap(offset, ARENA / 2);
}

static void memory_that_is_too_small_is_rejected(void)
{
	size_t smallest = heap_bytes_for(SMALLEST), bytes;

	for (bytes = 0; bytes < smallest; bytes++) {
		EXPECT_EQ(tlsf_core_size(bytes), 0);
		expect_no_heap(0, bytes);
	}
	EXPECT_EQ(smallest - tlsf_core_size(smallest), SMALLEST);
	expect_whole_memory_is_used(0, smallest);
}

static void memory_that_cannot_be_is_rejected(void)
{
	void *last = (void *)(UINTPTR_MAX / CONTROL_ALIGN * CONTROL_ALIGN);
	unsigned char *mem = memory_aligned(HEAP_ALIGN);

	EXPECT_EQ(tlsf_core_size(SIZE_MAX), 0);
	EXPECT_PTR(tlsf_core_init(NULL, HEAP_ALIGN), NULL);
	EXPECT_PTR(tlsf_core_init(NULL, 0), NULL);
	EXPECT_PTR(tlsf_core_init(mem, SIZE_MAX), NULL);
	EXPECT_PTR(tlsf_core_init(mem, SIZE_MAX - (uintptr_t)mem + 1), NULL);
	EXPECT_PTR(tlsf_core_init(last, 1), NULL);
	EXPECT_PTR(tlsf_core_init(last, HEAP_ALIGN), NULL);
	memory_free(mem);
}

/* all address space that is asked for, not the memory behind it */
static unsigned char *reserve(size_t bytes)
{
	void *mem = mmap(NULL, bytes, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);

	return mem == MAP_FAILED ? NULL : mem;
}

/* the most memory that does, to the byte */
static size_t most_memory(void)
{
	size_t most = 0, bit;

	for (bit = SIZE_MAX / 2 + 1; bit; bit /= 2)
		if (tlsf_core_size(most + bit))
			most += bit;
	return most;
}

static void largest_memory_is_used_whole(void)
{
	size_t most = most_memory(), region;
	unsigned char *mem;
	struct heap h;

	EXPECT_GE(most, TLSF_REGION_MAX);
	EXPECT_LE(most - tlsf_core_size(most), TLSF_REGION_MAX + G);
	EXPECT_EQ(tlsf_core_size(most + 1), 0);
	mem = reserve(most + G);
	if (!mem)
		ktap_skip("this machine does not give that much address space");
	EXPECT_PTR(tlsf_core_init(mem, most + 1), NULL);
	h.c = tlsf_core_init(mem, most);
	EXPECT_PTR(h.c, mem);
	region = most / G * G - tlsf_core_size(most);
	EXPECT_EQ(heap_stats(&h).largest_free, region - 2 * G);
	EXPECT_PTR(heap_alloc(&h, region - 2 * G), heap_start(&h) + G);
	EXPECT_STATUS(heap_free(&h, heap_start(&h) + G), TLSF_OK);
	EXPECT(heap_alloc(&h, 1));
	munmap(mem, most + G);
}

/* ---- pointers that are not into the region ---- */

static void pointers_below_and_above_the_blocks_are_outside(void)
{
	size_t bytes = heap_bytes_for(320), at;
	unsigned char *mem = memory_aligned(bytes + ARENA);
	struct heap h = { .c = tlsf_core_init(mem, bytes) };
	unsigned char *first = heap_start(&h) + G, *last = heap_end(&h) - SMALLEST + G;

	for (at = 0; at < bytes + ARENA; at++) {
		ktap_note("+%zu", at);
		if (mem + at < first || mem + at >= last + G)
			EXPECT_STATUS(tlsf_core_free(h.c, mem + at), TLSF_E_OUTSIDE);
		else if (at % G)
			EXPECT_STATUS(tlsf_core_free(h.c, mem + at), TLSF_E_MISALIGNED);
	}
	for (at = 0; at < 4 * G; at++)
		EXPECT_STATUS(tlsf_core_free(h.c, (void *)(UINTPTR_MAX - at)), TLSF_E_OUTSIDE);
	EXPECT_STATUS(tlsf_core_free(h.c, NULL), TLSF_E_OUTSIDE);
	heap_verify(&h);
	memory_free(mem);
}

/* ---- the control structure ---- */

static void control_structure_is_small(void)
{
	if (G == 8) {
		EXPECT_LE(tlsf_core_size((size_t)1 << 20), 4096);
		EXPECT_LE(tlsf_core_size(TLSF_REGION_MAX), 8704);
	}
	EXPECT_EQ(tlsf_core_size(TLSF_REGION_MAX) % G, 0);
}

/* a list for each class of blocks up to all of the memory, and no more */
static void control_structure_grows_with_the_memory(void)
{
	size_t bytes = heap_bytes_for(SMALLEST), most = most_memory(), lists;

	for (; bytes < most; bytes += 1 + bytes / 1000) {
		lists = tlsf_map_index(bytes / G - 1) + 1;
		EXPECT_EQ(tlsf_core_size(bytes),
			  offsetof(struct tlsf_core, list) + lists * sizeof(size_t));
	}
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(memory_of_every_size_is_used_whole),
		KTAP_CASE(memory_with_an_odd_end_is_cut_to_the_granule),
		KTAP_CASE(memory_may_begin_at_every_multiple_of_its_alignment),
		KTAP_CASE(misaligned_memory_is_rejected),
		KTAP_CASE(memory_that_is_too_small_is_rejected),
		KTAP_CASE(memory_that_cannot_be_is_rejected),
		KTAP_CASE(largest_memory_is_used_whole),
		KTAP_CASE(pointers_below_and_above_the_blocks_are_outside),
		KTAP_CASE(control_structure_is_small),
		KTAP_CASE(control_structure_grows_with_the_memory),
	};

	return ktap_run("unit_region", cases, ARRAY_SIZE(cases));
}
