// SPDX-License-Identifier: GPL-2.0-only
/*
 * Nothing tells what somebody else left in the pool's memory: a client module leaves a
 * word all over it, and every sequence of calls that might find it is tried.
 *
 * Room: vm. The hunters know the word that they look for. Each hunt is
 * made twice, with that word in memory and with another, and must get the same answers.
 * Who did not write bytes gets no answer about them but EINVAL.
 */
#include "uapi.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <unistd.h>

#define SECRET	0x6b65656d6f757421ULL
#define OTHER	0xfeedfacecafef00dULL
#define ANSWERS	20000

/* all that a hunt was told */
struct answers {
	u32 nr, good, bad, unknown;
	struct {
		int err;
		u64 usable;
	} answer[ANSWERS];
};

static struct answers with, without, *noted;

/* ---- the secret ---- */

static void plant(u64 secret)
{
	int file = open("/modules/tlsf_secret.ko", O_RDONLY | O_CLOEXEC);
	char args[64];

	if (file < 0)
		ktap_skip("without tlsf_secret.ko");
	snprintf(args, sizeof(args), "secret=%llu", secret);
	EXPECT_EQ(syscall(SYS_finit_module, file, args, 0), 0);
	close(file);
	EXPECT_EQ(syscall(SYS_delete_module, "tlsf_secret", O_NONBLOCK), 0);
}

static u64 unshift(u64 z, int shift)
{
	u64 x = z;

	for (int i = 0; i < 64; i += shift)
		x = z ^ (x >> shift);
	return x;
}

/* the inverse of an odd number */
static u64 inverse(u64 a)
{
	u64 x = a;

	for (int i = 0; i < 6; i++)
		x *= 2 - a * x;
	return x;
}

/* the seed whose pattern has @word at index @i: splitmix64 backwards */
static u64 seed_of(u64 word, u64 i)
{
	word = unshift(word, 31) * inverse(0x94d049bb133111ebULL);
	word = unshift(word, 27) * inverse(0xbf58476d1ce4e5b9ULL);
	return unshift(word, 30) - (i + 1) * 0x9e3779b97f4a7c15ULL;
}

/* ---- hunting ---- */

static void note(int err, u64 usable)
{
	EXPECT(noted->nr < ANSWERS);
	noted->answer[noted->nr].err = err;
	noted->answer[noted->nr++].usable = usable;
	noted->good += !err;
	noted->bad += err == -EBADMSG;
	noted->unknown += err == -EINVAL;
}

static void ask(int fd, u32 handle, u64 size, u64 seed, u32 flags)
{
	struct tlsf_op op = OP(VERIFY, .handle = handle, .size = size, .seed = seed,
			       .flags = flags);
	int err = op_run(fd, &op);

	note(err, op.usable);
}

/* bytes @from on, which are word @i and further: are they SECRET, or anything else? */
static void ask_all(int fd, u32 handle, u64 i)
{
	for (u64 size = 1; size <= 8; size++)
		ask(fd, handle, 8 * i + size, seed_of(SECRET, i), 0);
	for (u64 byte = 0; byte < 256; byte += 5)
		ask(fd, handle, 8 * i + 1, seed_of(byte, i), 0);
	ask(fd, handle, 0, seed_of(SECRET, i), 0);
	ask(fd, handle, 0, 0, TLSF_OP_ZERO);
	ask(fd, handle, 8 * i + 8, 0, TLSF_OP_ZERO);
}

/* New blocks, also where neither links nor footers were: behind a gap. */
static void hunt_alloc(int fd)
{
	for (u64 align = 8; align <= 4096; align *= 2) {
		ask_all(fd, ALLOC(fd, .size = 12).handle, 0);
		ask_all(fd, ALLOC(fd, .size = 24, .align = align).handle, 0);
		ask_all(fd, ALLOC(fd, .size = 100, .align = align).handle, 0);
	}
}

/* The answer of an operation in the batch that made the block. */
static void hunt_batch(int fd)
{
	for (u64 align = 8; align <= 4096; align *= 2) {
		struct tlsf_op ops[] = {
			OP(ALLOC, .size = 24, .align = align),
			OP(VERIFY, .flags = TLSF_OP_REF, .size = 8, .seed = seed_of(SECRET, 0)),
			OP(RESIZE, .flags = TLSF_OP_REF, .size = 200),
			OP(VERIFY, .flags = TLSF_OP_REF, .seed = seed_of(SECRET, 0)),
		};
		struct tlsf_batch batch;

		EXPECT_OK(batch_call(fd, &batch, ops, ARRAY_SIZE(ops)));
		note(ops[1].result, ops[1].usable);
		note(ops[3].result, ops[3].usable);
	}
}

/* A block filled so that the word behind it is of its pattern if it is SECRET. */
static struct tlsf_op filled(int fd, u64 size)
{
	struct tlsf_op op = ALLOC(fd, .size = size, .align = 64);

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle,
			       .seed = seed_of(SECRET, op.usable / 8))));
	return op;
}

static void ask_grown(int fd, const struct tlsf_op *was, u64 size)
{
	u64 first = was->usable / 8;

	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = was->handle, .size = size)));
	for (u64 i = first; i < first + 4; i++)
		ask(fd, was->handle, 8 * i + 8, seed_of(SECRET, first), 0);
	ask_all(fd, was->handle, first);
}

/* What growth adds: upwards, downwards, elsewhere, and after shrinking. */
static void hunt_resize(int fd)
{
	struct tlsf_op up = filled(fd, 1000), below, block, wall;

	ask_grown(fd, &up, 4000);
	below = ALLOC(fd, .size = 3000);
	block = filled(fd, 1000);
	wall = ALLOC(fd, .size = 100);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = below.handle)));
	ask_grown(fd, &block, 2000);
	block = filled(fd, 1000);
	ALLOC(fd, .size = 100);
	ask_grown(fd, &block, 9000);
	block = filled(fd, 1000);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = wall.handle)));
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = block.handle, .size = 100)));
	block.usable = 104;
	ask_grown(fd, &block, 1000);
}

/* Zeros are known as far as they go, and a pattern is none of another seed. */
static void hunt_known(int fd)
{
	struct tlsf_op zero = ALLOC(fd, .size = 1000, .flags = TLSF_OP_ZERO), block;

	ask_all(fd, zero.handle, 0);
	ask_grown(fd, &zero, 3000);
	block = filled(fd, 1000);
	ask_all(fd, block.handle, 0);
}

static void expect_same(void)
{
	EXPECT_EQ(with.nr, without.nr);
	for (u32 i = 0; i < with.nr; i++) {
		ktap_note("answer %u of %u", i, with.nr);
		EXPECT_EQ(with.answer[i].err, without.answer[i].err);
		EXPECT_EQ(with.answer[i].usable, without.answer[i].usable);
	}
}

static void hunt(void (*hunter)(int fd))
{
	noted = &without;
	for (int i = 0; i < 2; i++, noted = &with) {
		int fd = dev_fresh();

		memset(noted, 0, sizeof(*noted));
		plant(i ? SECRET : OTHER);
		hunter(fd);
		EXPECT_SOUND(fd);
	}
	printf("# %u answers: %u good, %u not, %u refused\n", with.nr, with.good, with.bad,
	       with.unknown);
	expect_same();
}

static void in_new_blocks(void)
{
	hunt(hunt_alloc);
	EXPECT_EQ(with.unknown, with.nr);
}

static void in_batches(void)
{
	hunt(hunt_batch);
	EXPECT_EQ(with.unknown, with.nr);
}

static void in_what_resize_adds(void)
{
	hunt(hunt_resize);
	EXPECT_EQ(with.unknown, with.nr);
}

static void beside_what_is_known(void)
{
	hunt(hunt_known);
}

UAPI_MAIN(KTAP_CASE(in_new_blocks), KTAP_CASE(in_batches), KTAP_CASE(in_what_resize_adds),
	  KTAP_CASE(beside_what_is_known))
