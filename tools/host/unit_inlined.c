// SPDX-License-Identifier: GPL-2.0-only
/*
 * The operations as tlsf_fast.h inlines them in the module: they do what the core's own
 * do, and a free that is refused is taken back by tlsf_core_free_refused(), with the same
 * result and as if nothing had happened.
 *
 * Room: host.
 */
#include "../../tlsf_core.h"

#define TLSF_OPS_ONLY
#define TLSF_INLINED
#define TLSF_OP			static inline __attribute__((__unused__))
#define tlsf_core_alloc		inlined_alloc
#define tlsf_core_memalign	inlined_memalign
#define tlsf_core_free		inlined_free
#define tlsf_core_resize	inlined_resize
#define tlsf_core_grow_back	inlined_grow_back

#include "../../tlsf_core.c"

#undef tlsf_core_alloc
#undef tlsf_core_memalign
#undef tlsf_core_free
#undef tlsf_core_resize
#undef tlsf_core_grow_back

#include "heap.h"

enum { FIRST, BELOW, BLOCK, ABOVE, LAST };

/* a word that is damaged, or none; both blocks beside BLOCK may be free */
struct damage {
	const char *layout;
	size_t *(*word)(void **p);
};

static size_t *own_header(void **p)
{
	return &tlsf_block_of(p[BLOCK])->header;
}

static size_t *header_above(void **p)
{
	return &tlsf_block_of(p[ABOVE])->header;
}

static size_t *prev_above(void **p)
{
	return &tlsf_block_of(p[ABOVE])->prev;
}

static size_t *footer_above(void **p)
{
	return tlsf_block_footer_below(tlsf_block_of(p[LAST]));
}

static size_t *prev_below(void **p)
{
	return &tlsf_block_of(p[BELOW])->prev;
}

static size_t *footer_below(void **p)
{
	return tlsf_block_footer_below(tlsf_block_of(p[BLOCK]));
}

#define BOTH	"U32 F128 U64 F200 U32"
#define LOW	"U32 F128 U64 U200 U32"
#define HIGH	"U32 U128 U64 F200 U32"

static const struct damage damages[] = {
	{ BOTH, own_header }, { BOTH, header_above }, { BOTH, prev_above }, { BOTH, footer_above },
	{ BOTH, prev_below }, { BOTH, footer_below },
	{ LOW, own_header }, { LOW, header_above }, { LOW, prev_below }, { LOW, footer_below },
	{ HIGH, own_header }, { HIGH, header_above }, { HIGH, prev_above }, { HIGH, footer_above },
};

static void expect_refused_alike(struct heap *h, void *ptr)
{
	enum tlsf_status why = tlsf_core_free(h->c, ptr);
	struct snapshot before;

	EXPECT(why != TLSF_OK);
	snapshot_take(&before, h);
	EXPECT_EQ(inlined_free(h->c, ptr), TLSF_E_HELD_BACK);
	EXPECT_STATUS(tlsf_core_free_refused(h->c, ptr), why);
	snapshot_expect_same(&before, h);
}

static void refused_free_is_taken_back(void)
{
	const struct damage *d;
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;
	size_t was;

	for (d = damages; d < damages + ARRAY_SIZE(damages); d++) {
		ktap_note("damage %zu", (size_t)(d - damages));
		heap_build(&h, d->layout, p);
		was = *d->word(p);
		*d->word(p) = SIZE_MAX / 2;
		expect_refused_alike(&h, p[BLOCK]);
		*d->word(p) = was;
		EXPECT_STATUS(inlined_free(h.c, p[BLOCK]), TLSF_OK);
		heap_verify(&h);
		heap_close(&h);
	}
}

static void pointer_outside_is_refused_alike(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, BOTH, p);
	expect_refused_alike(&h, &h);
	expect_refused_alike(&h, (char *)p[BLOCK] + 1);
	expect_refused_alike(&h, h.c);
	EXPECT_STATUS(inlined_free(h.c, p[BLOCK]), TLSF_OK);
	expect_refused_alike(&h, p[BLOCK]);
	heap_close(&h);
}

static void inlined_operations_do_the_same(void)
{
	void *p[HEAP_BLOCKS_MAX], *at;
	struct heap h;

	heap_build(&h, BOTH, p);
	EXPECT_PTR(inlined_alloc(h.c, 200), p[ABOVE]);
	EXPECT_PTR(inlined_memalign(h.c, 64, 200), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_EXHAUSTED);
	EXPECT_STATUS(inlined_resize(h.c, p[ABOVE], 100), TLSF_OK);
	at = p[BLOCK];
	EXPECT_STATUS(inlined_grow_back(h.c, &at, G, 128), TLSF_OK);
	heap_verify(&h);
	EXPECT_STATUS(inlined_free(h.c, at), TLSF_OK);
	EXPECT_STATUS(inlined_free(h.c, p[ABOVE]), TLSF_OK);
	heap_expect(&h, "U32 F128+64+200 U32");
	heap_close(&h);
}

/* a head that lies about its size is put back where it was */
static void short_head_is_put_back(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct snapshot before;
	struct heap h;
	size_t was;

	heap_build(&h, "U32 F4096 U32", p);
	was = tlsf_block_of(p[1])->header;
	tlsf_block_of(p[1])->header = 64;
	*tlsf_block_footer_below(tlsf_block_above(tlsf_block_of(p[1]), 64)) =
		tlsf_block_place(h.c, tlsf_block_of(p[1]));
	snapshot_take(&before, &h);
	EXPECT_PTR(inlined_alloc(h.c, 1024), NULL);
	EXPECT_STATUS(tlsf_core_status(h.c), TLSF_E_LINKS);
	snapshot_expect_same(&before, &h);
	tlsf_block_of(p[1])->header = was;
	heap_verify(&h);
	heap_close(&h);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(refused_free_is_taken_back),
		KTAP_CASE(pointer_outside_is_refused_alike),
		KTAP_CASE(inlined_operations_do_the_same),
		KTAP_CASE(short_head_is_put_back),
	};

	return ktap_run("unit_inlined", cases, ARRAY_SIZE(cases));
}
