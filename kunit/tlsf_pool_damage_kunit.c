// SPDX-License-Identifier: GPL-2.0-only
/*
 * KUnit suite "tlsf_pool_damage": realloc beside damage keeps its contract.
 *
 * Room: kunit. Includes <linux/tlsf.h> and no other header of ours.
 *
 * Each case overwrites one word of a free block or of a footer, resizes a block beside it
 * some times, and puts the word right again. Each time the result must be NULL, with the
 * block as it was, or a block with the contents; there are never more blocks than
 * before, and at the end all of them are freed and the pool is one free block.
 */
#include <kunit/test.h>

#include <linux/module.h>
#include <linux/string.h>
#include <linux/tlsf.h>

#define POOL_BYTES	(64UL << 10)
#define WORD		sizeof(long)
#define BAD		0x41414141UL
#define QUIET		(GFP_NOWAIT | __GFP_NOWARN)
#define TIMES		10

/* neighbours in this order; behind the last is the rest of the pool */
enum { BELOW, BLOCK, ABOVE, LAST, ROW };

static const size_t row_size[ROW] = { 200, 64, 24, 24 };

enum word { FOOTER_BELOW, NEXT_BELOW, PREV_BELOW, NEXT_ABOVE, PREV_ABOVE, NEXT_REST, PREV_REST };

struct damage_case {
	const char *name;
	bool free_below;
	bool free_above;
	enum word word;
	size_t size;
	enum { FAILS, MOVES_BELOW, RETIRES } outcome;
};

static const struct damage_case damage_cases[] = {
	{ "tail beside a damaged block", true, true, PREV_ABOVE, 220, MOVES_BELOW },
	{ "tail beside a damaged next", true, true, NEXT_ABOVE, 220, MOVES_BELOW },
	{ "footer below, too small", true, false, FOOTER_BELOW, 400, FAILS },
	{ "footer below, large enough", true, false, FOOTER_BELOW, 220, FAILS },
	{ "next below, too small", true, false, NEXT_BELOW, 400, FAILS },
	{ "prev below, too small", true, false, PREV_BELOW, 400, FAILS },
	{ "prev below, large enough", true, false, PREV_BELOW, 220, FAILS },
	{ "next above, too small", false, true, NEXT_ABOVE, 400, FAILS },
	{ "prev above, too small", false, true, PREV_ABOVE, 400, FAILS },
	{ "prev above, large enough", false, true, PREV_ABOVE, 90, FAILS },
	{ "prev above, both needed", true, true, PREV_ABOVE, 290, FAILS },
	{ "new block's prev", false, false, PREV_REST, 400, RETIRES },
	{ "new block's next", false, false, NEXT_REST, 400, RETIRES },
};

static void damage_desc(const struct damage_case *p, char *desc)
{
	strscpy(desc, p->name, KUNIT_PARAM_DESC_SIZE);
}

KUNIT_ARRAY_PARAM(damage, damage_cases, damage_desc);

static int damage_init(struct kunit *test)
{
	struct tlsf_pool *pool = tlsf_pool_create("damaged", POOL_BYTES);

	test->priv = pool;
	return PTR_ERR_OR_ZERO(pool);
}

static struct tlsf_pool_stats look(struct kunit *test)
{
	struct tlsf_pool_stats s;

	tlsf_pool_stats(test->priv, &s);
	return s;
}

static void damage_exit(struct kunit *test)
{
	struct tlsf_pool_stats s;

	if (IS_ERR_OR_NULL(test->priv))
		return;
	s = look(test);
	KUNIT_EXPECT_EQ(test, s.used_blocks, 0);
	KUNIT_EXPECT_EQ(test, s.free_blocks, 1);
	tlsf_pool_destroy(test->priv);
}

static noinline void *take(struct kunit *test, size_t size)
{
	void *block = tlsf_pool_alloc(test->priv, size, QUIET);

	KUNIT_ASSERT_FALSE(test, ZERO_OR_NULL_PTR(block));
	memset(block, 0x5a, size);
	return block;
}

static void give(struct kunit *test, void *block)
{
	u64 bad = look(test).bad_frees;

	tlsf_pool_free(test->priv, block);
	KUNIT_EXPECT_EQ(test, look(test).bad_frees, bad);
}

/* hides from the compiler how large the block is */
static unsigned long *word_at(void *ptr, long words)
{
	unsigned long *word = ptr;

	OPTIMIZER_HIDE_VAR(word);
	return word + words;
}

static unsigned long *word_of(void *row[ROW], enum word word)
{
	switch (word) {
	case FOOTER_BELOW:
		return word_at(row[BLOCK], -2);
	case NEXT_BELOW:
	case PREV_BELOW:
		return word_at(row[BELOW], word - NEXT_BELOW);
	case NEXT_ABOVE:
	case PREV_ABOVE:
		return word_at(row[ABOVE], word - NEXT_ABOVE);
	default:
		return word_at(row[LAST], row_size[LAST] / WORD + 1 + word - NEXT_REST);
	}
}

static bool row_make(struct kunit *test, const struct damage_case *p, void *row[ROW])
{
	unsigned int i;

	for (i = 0; i < ROW; i++)
		row[i] = take(test, row_size[i]);
	if (p->free_below)
		give(test, row[BELOW]);
	if (p->free_above)
		give(test, row[ABOVE]);
	return row[LAST] == row[BELOW] + 200 + 64 + 24 + 3 * WORD;
}

static void row_free(struct kunit *test, const struct damage_case *p, void *row[ROW])
{
	give(test, row[BLOCK]);
	give(test, row[LAST]);
	if (!p->free_below)
		give(test, row[BELOW]);
	if (!p->free_above)
		give(test, row[ABOVE]);
}

/* one resize: whatever comes of it, the contract holds */
static noinline void *resize_once(struct kunit *test, void *block, size_t align, size_t size,
				  gfp_t flags)
{
	size_t was = tlsf_pool_ksize(test->priv, block), is;
	struct tlsf_pool_stats before = look(test), after;
	void *moved = tlsf_pool_realloc_align(test->priv, block, align, size, flags | QUIET);

	after = look(test);
	is = tlsf_pool_ksize(test->priv, moved ?: block);
	KUNIT_EXPECT_EQ(test, after.used_blocks, before.used_blocks);
	KUNIT_EXPECT_NULL(test, memchr_inv(moved ?: block, 0x5a, 64));
	if (!moved) {
		KUNIT_EXPECT_EQ(test, is, was);
		KUNIT_EXPECT_EQ(test, after.used_bytes, before.used_bytes);
		KUNIT_EXPECT_LE(test, after.bad_frees, before.bad_frees + 1);
	} else {
		KUNIT_EXPECT_GE(test, is, size);
		KUNIT_EXPECT_TRUE(test, moved == block || IS_ALIGNED((uintptr_t)moved, align));
		if (flags & __GFP_ZERO && is > was)
			KUNIT_EXPECT_NULL(test, memchr_inv(moved + was, 0, is - was));
	}
	return moved;
}

static void expect_outcome(struct kunit *test, const struct damage_case *p, void *row[ROW],
			   void *moved)
{
	void *other = tlsf_pool_alloc(test->priv, 1000, QUIET);

	if (p->outcome == MOVES_BELOW)
		KUNIT_EXPECT_PTR_EQ(test, moved, row[BELOW]);
	else
		KUNIT_EXPECT_NULL(test, moved);
	if (p->outcome == RETIRES)
		KUNIT_EXPECT_NULL(test, other);
	else
		KUNIT_EXPECT_NOT_NULL(test, other);
	if (other)
		give(test, other);
}

static void realloc_beside_damage(struct kunit *test, size_t align, gfp_t flags)
{
	const struct damage_case *p = test->param_value;
	unsigned long *word, good;
	void *row[ROW], *moved;
	unsigned int i;

	KUNIT_ASSERT_TRUE(test, row_make(test, p, row));
	word = word_of(row, p->word);
	good = *word;
	*word = BAD;
	moved = resize_once(test, row[BLOCK], align, p->size, flags);
	if (p->outcome == RETIRES && !moved)
		*word = good;	/* it is known now, whatever becomes of the word */
	if (align == TLSF_MINALIGN)
		expect_outcome(test, p, row, moved);
	for (i = 1; i < TIMES && !moved; i++)
		moved = resize_once(test, row[BLOCK], align, p->size, flags);
	row[BLOCK] = moved ?: row[BLOCK];
	if (*word == BAD)
		*word = good;
	row_free(test, p, row);
}

static void realloc_keeps_its_contract(struct kunit *test)
{
	realloc_beside_damage(test, TLSF_MINALIGN, 0);
}

static void realloc_zeroing_keeps_its_contract(struct kunit *test)
{
	realloc_beside_damage(test, TLSF_MINALIGN, __GFP_ZERO);
}

static void realloc_align_keeps_its_contract(struct kunit *test)
{
	realloc_beside_damage(test, 64, 0);
}

static struct kunit_case damage_cases_table[] = {
	KUNIT_CASE_PARAM(realloc_keeps_its_contract, damage_gen_params),
	KUNIT_CASE_PARAM(realloc_zeroing_keeps_its_contract, damage_gen_params),
	KUNIT_CASE_PARAM(realloc_align_keeps_its_contract, damage_gen_params),
	{}
};

static struct kunit_suite damage_suite = {
	.name = "tlsf_pool_damage",
	.init = damage_init,
	.exit = damage_exit,
	.test_cases = damage_cases_table,
};

kunit_test_suite(damage_suite);

MODULE_DESCRIPTION("KUnit suite of tlsf's pools: realloc beside damage");
MODULE_LICENSE("GPL");
