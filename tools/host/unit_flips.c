// SPDX-License-Identifier: GPL-2.0-only
/*
 * Single bits that flip, anywhere in a heap: the checker survives and names what any
 * operation would reject, and no operation reads outside the memory (the address sanitizer
 * would end the program) or writes over a live block.
 *
 * Room: host.
 */
#include <stdio.h>
#include <string.h>

#include "heap.h"

/* free blocks alone in their list, as head, middle and tail of one, and beside each other's */
#define LAYOUT	"U64 F128 U24 F1024 U64 F128 U200 F256 U64 F128 U128"
#define BLOCKS	11
#define LIVE	6

static const size_t live_size[LIVE] = { 64, 24, 64, 200, 64, 128 };

/* a heap and its bytes as they should be, to go back to after each fault */
struct image {
	struct heap h;
	unsigned char *good;
	size_t bytes;
	void *live[LIVE];
};

static void image_take(struct image *m)
{
	m->bytes = (size_t)(heap_end(&m->h) - (unsigned char *)m->h.c);
	m->good = memory_aligned(m->bytes);
	memcpy(m->good, m->h.c, m->bytes);
}

static void image_open(struct image *m)
{
	void *block[HEAP_BLOCKS_MAX];
	const char *token = LAYOUT;
	unsigned int i, n = 0;

	heap_build(&m->h, LAYOUT, block);
	for (i = 0; n < LIVE; i++, token = strchr(token, ' ') + 1)
		if (*token == 'U')
			m->live[n++] = block[i];
	for (i = 0; i < LIVE; i++)
		memset(m->live[i], 0x50 + (int)i, live_size[i]);
	image_take(m);
}

static void image_restore(struct image *m)
{
	memcpy(m->h.c, m->good, m->bytes);
}

static void image_close(struct image *m)
{
	memory_free(m->good);
	heap_close(&m->h);
}

static void flip(void *mem, size_t bit)
{
	((unsigned char *)mem)[bit / 8] ^= (unsigned char)(1u << bit % 8);
}

static bool in_range(const struct image *m, const void *ptr, size_t bytes)
{
	size_t offset = (uintptr_t)ptr - (uintptr_t)m->h.c;

	return offset < m->bytes && bytes <= m->bytes - offset;
}

/* is the byte at @offset contents of live block @except or of any other? */
static bool is_contents(const struct image *m, size_t offset)
{
	uintptr_t at = (uintptr_t)m->h.c + offset;
	unsigned int i;

	for (i = 0; i < LIVE; i++)
		if (at - (uintptr_t)m->live[i] < live_size[i])
			return true;
	return false;
}

/* the header of a live block: what is believed of it is another test's matter */
static bool is_live_header(const struct image *m, size_t offset)
{
	uintptr_t at = (uintptr_t)m->h.c + offset;
	unsigned int i;

	for (i = 0; i < LIVE; i++)
		if ((uintptr_t)m->live[i] - G <= at && at < (uintptr_t)m->live[i])
			return true;
	return false;
}

/* ---- every operation, one at a time ---- */

static const size_t requests[] = { 1, 24, 64, 128, 129, 250, 256, 1000, 1024 };

#define NR_REQUESTS	ARRAY_SIZE(requests)
#define OPERATIONS	(NR_REQUESTS + 2 + 5 * LIVE)

struct outcome {
	enum tlsf_status status;
	void *ptr;
	size_t size;
	unsigned int touched;	/* live block that it was done to, or LIVE */
};

static struct outcome operate(struct image *m, unsigned int op)
{
	struct outcome out = { .status = TLSF_OK, .touched = LIVE };
	struct tlsf_core *c = m->h.c;

	if (op < NR_REQUESTS + 2) {
		out.size = op < NR_REQUESTS ? requests[op] : 100;
		out.ptr = op < NR_REQUESTS ? tlsf_core_alloc(c, out.size) :
			  tlsf_core_memalign(c, (size_t)64 << (op - NR_REQUESTS), out.size);
		out.status = out.ptr ? TLSF_OK : tlsf_core_status(c);
		return out;
	}
	op -= NR_REQUESTS + 2;
	out.touched = op / 5;
	out.ptr = m->live[out.touched];
	out.size = (const size_t[]){ 0, 24, 300, 150, 1200 }[op % 5];
	if (op % 5 == 0)
		out.status = tlsf_core_free(c, out.ptr);
	else if (op % 5 < 3)
		out.status = tlsf_core_resize(c, out.ptr, out.size);
	else
		out.status = tlsf_core_grow_backward(c, &out.ptr, G, out.size);
	return out;
}

static bool contents_are(const void *mem, int byte, size_t bytes)
{
	const unsigned char *p = mem;

	while (bytes && p[bytes - 1] == byte)
		bytes--;
	return !bytes;
}

/*
 * What is handed out lies in the memory and over no other live block, and no live block's
 * contents have changed but for the one that the operation was about.
 */
static void expect_no_harm(const struct image *m, const struct outcome *out)
{
	unsigned int i;

	if (out->status == TLSF_OK && out->size) {
		EXPECT(in_range(m, out->ptr, out->size));
		for (i = 0; i < LIVE; i++)
			EXPECT(i == out->touched ||
			       (uintptr_t)out->ptr + out->size <= (uintptr_t)m->live[i] - G ||
			       (uintptr_t)m->live[i] + live_size[i] <= (uintptr_t)out->ptr - G);
	}
	for (i = 0; i < LIVE; i++)
		EXPECT((i == out->touched && out->status == TLSF_OK) ||
		       contents_are(m->live[i], 0x50 + (int)i, live_size[i]));
}

static bool same_outcome(const struct outcome *a, const struct outcome *b)
{
	return a->status == b->status && a->ptr == b->ptr;
}

/* ---- the tests ---- */

/* what the checker calls good does as it should; everything else it names, and survives */
static void checker_names_what_operations_reject(void)
{
	struct outcome want[OPERATIONS], is;
	unsigned int op, good = 0, named = 0;
	struct image m;
	size_t bit;

	image_open(&m);
	for (op = 0; op < OPERATIONS; op++) {
		want[op] = operate(&m, op);
		image_restore(&m);
	}
	for (bit = 0; bit < 8 * m.bytes; bit++) {
		if (is_contents(&m, bit / 8))
			continue;
		ktap_note("bit %zu of byte +%zu", bit % 8, bit / 8);
		flip(m.h.c, bit);
		if (tlsf_core_check(m.h.c, NULL)) {
			named++;
			image_restore(&m);
			continue;
		}
		good++;
		for (op = 0; op < OPERATIONS; op++) {
			is = operate(&m, op);
			EXPECT(same_outcome(&is, &want[op]));
			image_restore(&m);
			flip(m.h.c, bit);
		}
		image_restore(&m);
	}
	printf("# %u flips named, %u harmless\n", named, good);
	EXPECT_GE(named, 8 * G * (2 * BLOCKS - LIVE));
	image_close(&m);
}

/* bits of lists, bitmaps, and of all that is in free blocks */
static void operations_do_no_harm(void)
{
	unsigned int op, flips = 0, rejected = 0;
	struct outcome is;
	struct image m;
	size_t bit;

	image_open(&m);
	for (bit = 0; bit < 8 * m.bytes; bit++) {
		if (is_contents(&m, bit / 8) || is_live_header(&m, bit / 8) ||
		    heap_is_limit(&m.h, bit / 8))
			continue;
		flips++;
		for (op = 0; op < OPERATIONS; op++) {
			ktap_note("bit %zu of byte +%zu, operation %u", bit % 8, bit / 8, op);
			flip(m.h.c, bit);
			is = operate(&m, op);
			rejected += is.status >= TLSF_E_OUTSIDE;
			expect_no_harm(&m, &is);
			image_restore(&m);
		}
	}
	printf("# %u flips, %u operations rejected\n", flips, rejected);
	EXPECT(rejected);
	image_close(&m);
}

/*
 * An expected failure: a live header whose size is off by a power of two is believed when
 * another header, or the sentinel, happens to be where the block would end then. What is
 * counted is every flip of bits 3 to 15 after which a free of the block says OK, and so
 * frees its neighbours with it or loses a part of it. The figure is to become 0 when the
 * header has a check of size and place in its spare bits.
 */
#define EQUAL_BLOCKS	256
#define EQUAL_BYTES	((size_t)128)		/* header included */
#define HARMFUL_FLIPS	1538			/* of 3328: 46 % */

static void live_header_off_by_a_power_of_two_is_believed(void)
{
	unsigned int i, harm = 0, flips = 0;
	void *live[EQUAL_BLOCKS];
	struct image m;
	size_t bit;

	heap_open(&m.h, EQUAL_BLOCKS * EQUAL_BYTES + TLSF_BLOCK_HEADER);
	for (i = 0; i < EQUAL_BLOCKS; i++)
		live[i] = tlsf_core_alloc(m.h.c, EQUAL_BYTES - G);
	image_take(&m);
	for (i = 0; i < EQUAL_BLOCKS; i++) {
		for (bit = 3; bit < 16; bit++) {
			tlsf_block_of(live[i])->header ^= (size_t)1 << bit;
			harm += tlsf_core_free(m.h.c, live[i]) == TLSF_OK;
			flips++;
			image_restore(&m);
		}
	}
	printf("# expected failure: %u of %u flips do harm\n", harm, flips);
	EXPECT_EQ(harm, HARMFUL_FLIPS);
	image_close(&m);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(checker_names_what_operations_reject),
		KTAP_CASE(operations_do_no_harm),
		KTAP_CASE(live_header_off_by_a_power_of_two_is_believed),
	};

	return ktap_run("unit_flips", cases, ARRAY_SIZE(cases));
}
