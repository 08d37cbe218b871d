// SPDX-License-Identifier: GPL-2.0-only
/*
 * The pattern that shows whether two blocks ever overlap. See tlsf_contents.h.
 *
 * Room: dev. No state, no lock.
 */
#include <linux/errno.h>
#include <linux/minmax.h>
#include <linux/sched/signal.h>
#include <linux/string.h>

#include "tlsf_contents.h"
#include "tlsf_pool.h"

/* word @i of the pattern of @seed: splitmix64 (Steele, Lea, Flood, OOPSLA 2014) */
static u64 pattern_word(u64 seed, size_t i)
{
	u64 z = seed + (i + 1) * 0x9e3779b97f4a7c15ULL;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

/* write bytes @from to @to; @from is a multiple of a word */
static void pattern_fill(u8 *ptr, size_t from, size_t to, u64 seed)
{
	u64 word;

	for (; from < to; from += sizeof(word)) {
		word = pattern_word(seed, from / sizeof(word));
		memcpy(ptr + from, &word, min(sizeof(word), to - from));
	}
}

/* the first byte of @from to @to that differs, or @to; @from as above */
static size_t pattern_mismatch(const u8 *ptr, size_t from, size_t to, u64 seed)
{
	u64 word;

	for (; from < to; from += sizeof(word)) {
		word = pattern_word(seed, from / sizeof(word));
		if (memcmp(ptr + from, &word, min(sizeof(word), to - from)))
			break;
	}
	word = pattern_word(seed, from / sizeof(word));
	for (; from < to; from++)
		if (ptr[from] != ((const u8 *)&word)[from % sizeof(word)])
			break;
	return min(from, to);
}

static size_t zeros_mismatch(const u8 *ptr, size_t from, size_t to)
{
	const u8 *other = memchr_inv(ptr + from, 0, to - from);

	return other ? other - ptr : to;
}

/*
 * How many bytes the patterns of two seeds have in common: all, or less than a word, for
 * no two seeds have the same first word.
 */
static size_t seeds_agree(u64 a, u64 b)
{
	u64 word = pattern_word(a, 0);

	return a == b ? SIZE_MAX : pattern_mismatch((const u8 *)&word, 0, sizeof(word), b);
}

static size_t piece_end(size_t from, size_t end)
{
	return from + min_t(size_t, end - from, TLSF_POOL_PIECE);
}

/* after a piece: others may run, and who was killed is to stop */
static bool killed(void)
{
	cond_resched();
	return fatal_signal_pending(current);
}

/**
 * tlsf_contents_fill() - write all of a block
 * @c: out: what is known of it now
 * @ptr: block
 * @bytes: its size
 * @zeros: write zeros
 * @seed: else the pattern of this
 *
 * Context: task; may sleep.
 * Return: 0, or -EINTR when the task was killed: @c->known bytes are done.
 */
int tlsf_contents_fill(struct tlsf_contents *c, u8 *ptr, size_t bytes, bool zeros, u64 seed)
{
	size_t to;

	*c = (struct tlsf_contents){ .seed = seed, .zeros = zeros };
	for (; c->known < bytes; c->known = to) {
		if (c->known && killed())
			return -EINTR;
		to = piece_end(c->known, bytes);
		if (zeros)
			memset(ptr + c->known, 0, to - c->known);
		else
			pattern_fill(ptr, c->known, to, seed);
	}
	return 0;
}

/**
 * tlsf_contents_verify() - is a block still as it was written?
 * @c: what is known of it
 * @ptr: block
 * @bytes: how many from its start
 * @zeros: expect zeros
 * @seed: else the pattern of this
 * @at: out: the first byte that is not; how many were looked at when all are or with -EINTR
 *
 * Where the pattern of another seed differs is computed: memory is never compared with it.
 *
 * Context: task; may sleep.
 * Return: 0; -EBADMSG; -EINVAL, without a look, when not all of them were written, or
 *	when zeros were and the pattern is expected or the other way round; -EINTR when
 *	the task was killed.
 */
int tlsf_contents_verify(const struct tlsf_contents *c, const u8 *ptr, size_t bytes, bool zeros,
			 u64 seed, size_t *at)
{
	size_t end = min(bytes, seeds_agree(c->seed, seed)), to;

	*at = 0;
	if (bytes > c->known || zeros != c->zeros)
		return -EINVAL;
	while (*at < end) {
		if (*at && killed())
			return -EINTR;
		to = piece_end(*at, end);
		*at = zeros ? zeros_mismatch(ptr, *at, to) :
			      pattern_mismatch(ptr, *at, to, c->seed);
		if (*at < to)
			return -EBADMSG;
	}
	return end < bytes ? -EBADMSG : 0;
}
