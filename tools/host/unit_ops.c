// SPDX-License-Identifier: GPL-2.0-only
/*
 * Both forms of the operations (ops.h) on heaps alike: the results are the same, and so is
 * every byte afterwards. Of a free or an allocation that fails, the inlined form leaves it to
 * its caller to ask why: the answer is the same too, and nothing has changed.
 *
 * Room: host.
 */
#include <string.h>

#include "heap.h"
#include "ops.h"

/* ---- any history ---- */

#define POOL_BYTES	((size_t)4096)
#define OPERATIONS	20000
#define SLOTS		32u

/* a heap, the form of its operations, and its blocks */
struct side {
	const struct ops *ops;
	struct heap h;
	void *block[SLOTS];
};

/* what is drawn once, to be done on both sides */
struct draw {
	unsigned int kind;
	unsigned int slot;
	size_t align;
	size_t size;
	size_t wrong;		/* bytes beside the block, at times */
};

enum { ALLOC, MEMALIGN, FREE, RESIZE, GROW_BACKWARD, KINDS };

static struct draw draw(struct rng *r)
{
	struct draw d = { .kind = (unsigned int)rng_below(r, KINDS) };

	d.slot = (unsigned int)rng_below(r, SLOTS);
	d.align = (size_t)rng_below(r, 40) ? (size_t)1 << rng_below(r, 10) : 24;
	d.size = (size_t)rng_below(r, rng_below(r, 40) ? 400 : 2 * POOL_BYTES);
	d.wrong = rng_below(r, 10) ? 0 : (size_t)rng_below(r, 400);
	return d;
}

/* where the result lies in the region counts, not where the region does */
struct outcome {
	enum tlsf_status status;
	size_t offset;
};

static struct outcome outcome(const struct side *s, enum tlsf_status status, const void *ptr)
{
	uintptr_t base = (uintptr_t)s->h.c;

	return (struct outcome){ status, ptr ? (uintptr_t)ptr - base : 0 };
}

static struct outcome take(struct side *s, const struct draw *d)
{
	void *ptr = d->kind == ALLOC ? s->ops->alloc(s->h.c, d->size) :
				       s->ops->memalign(s->h.c, d->align, d->size);

	s->block[d->slot] = ptr;
	return outcome(s, ptr ? TLSF_OK : tlsf_core_status(s->h.c), ptr);
}

static struct outcome give(struct side *s, const struct draw *d)
{
	void *ptr = (char *)s->block[d->slot] + d->wrong;
	enum tlsf_status status = s->ops->free(s->h.c, ptr);

	if (status == TLSF_OK)
		s->block[d->slot] = NULL;
	return outcome(s, status, ptr);
}

static struct outcome change(struct side *s, const struct draw *d)
{
	void *ptr = (char *)s->block[d->slot] + d->wrong;
	enum tlsf_status status = d->kind == RESIZE ? s->ops->resize(s->h.c, ptr, d->size) :
				  s->ops->grow_backward(s->h.c, &ptr, d->align, d->size);

	if (status == TLSF_OK)
		s->block[d->slot] = ptr;
	return outcome(s, status, ptr);
}

static struct outcome operate(struct side *s, const struct draw *d)
{
	if (!s->block[d->slot])
		return take(s, d);
	return d->kind == FREE ? give(s, d) : change(s, d);
}

static void expect_alike(const struct side *a, const struct side *b)
{
	size_t bytes = (size_t)(heap_end(&a->h) - (unsigned char *)a->h.c);

	EXPECT_EQ(heap_end(&b->h) - (unsigned char *)b->h.c, bytes);
	EXPECT(!memcmp(a->h.c, b->h.c, bytes));
}

static void both_forms_do_the_same(void)
{
	struct side called = { .ops = &ops_called }, inlined = { .ops = &ops_inlined };
	unsigned int done[TLSF_STATUS_NR] = { 0 };
	struct rng r = rng_seed(ktap_seed);
	struct outcome a, b;
	struct draw d;
	int i;

	heap_open(&called.h, POOL_BYTES);
	heap_open(&inlined.h, POOL_BYTES);
	for (i = 0; i < OPERATIONS; i++) {
		d = draw(&r);
		d.kind = called.block[d.slot] || d.kind < FREE ? d.kind : ALLOC;
		ktap_note("operation %d: kind %u, align %zu, size %zu, %zu bytes beside", i, d.kind,
			  d.align, d.size, d.wrong);
		a = operate(&called, &d);
		b = operate(&inlined, &d);
		EXPECT_STATUS(b.status, a.status);
		EXPECT_EQ(b.offset, a.offset);
		EXPECT_LE(ops_steps, TLSF_STEPS_MAX);
		expect_alike(&called, &inlined);
		done[a.status]++;
	}
	heap_verify(&inlined.h);
	for (i = TLSF_OK; i < TLSF_E_NEIGHBOUR; i++)
		EXPECT_GE(done[i], i == TLSF_E_OUTSIDE ? 0 : 1);
	heap_close(&called.h);
	heap_close(&inlined.h);
}

/* ---- damage ---- */

enum { FIRST, BELOW, BLOCK, ABOVE, LAST };

/* a word that is damaged; blocks beside BLOCK may be free */
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

static void expect_rejected_alike(struct heap *h, void *ptr)
{
	struct snapshot before;
	enum tlsf_status why;

	snapshot_take(&before, h);
	why = ops_called.free(h->c, ptr);
	EXPECT(why != TLSF_OK);
	EXPECT_STATUS(ops_inlined.free(h->c, ptr), why);
	snapshot_expect_same(&before, h);
}

static void rejected_free_is_taken_back(void)
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
		expect_rejected_alike(&h, p[BLOCK]);
		*d->word(p) = was;
		EXPECT_STATUS(heap_free(&h, p[BLOCK]), TLSF_OK);
		expect_rejected_alike(&h, p[BLOCK]);
		heap_close(&h);
	}
}

static void pointer_outside_is_rejected_alike(void)
{
	void *p[HEAP_BLOCKS_MAX];
	struct heap h;

	heap_build(&h, BOTH, p);
	expect_rejected_alike(&h, &h);
	expect_rejected_alike(&h, (char *)p[BLOCK] + 1);
	expect_rejected_alike(&h, h.c);
	heap_close(&h);
}

int main(void)
{
	static const struct ktap_case cases[] = {
		KTAP_CASE(both_forms_do_the_same),
		KTAP_CASE(rejected_free_is_taken_back),
		KTAP_CASE(pointer_outside_is_rejected_alike),
	};

	return ktap_run("unit_ops", cases, ARRAY_SIZE(cases));
}
