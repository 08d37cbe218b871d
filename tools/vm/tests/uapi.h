/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the uapi tests share: open files, calls, expectations about the pool.
 *
 * Room: vm. Knows <linux/tlsf.h> and the KTAP harness of tools/host, nothing of
 * the kernel's insides. A test is a table of cases; each begins with dev_fresh(), which
 * closes what the case before left open and expects the pool to be empty. Nobody else
 * uses the pool meanwhile. Expectations end a case by a long jump: use them in the
 * process and the thread that run the case, and nowhere else.
 */
#ifndef UAPI_H
#define UAPI_H

#include <assert.h>
#include <errno.h>
#include <linux/tlsf.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "ktap.h"

typedef __u64 u64;
typedef __u32 u32;

/* also in 32 bits, where the kernel is asked through its compat entry */
static_assert(sizeof(struct tlsf_info) == 96, "ABI");
static_assert(sizeof(struct tlsf_op) == 64, "ABI");
static_assert(sizeof(struct tlsf_batch) == 24, "ABI");
static_assert(sizeof(struct tlsf_stats) == 160, "ABI");
static_assert(sizeof(struct tlsf_histogram) == 192, "ABI");
static_assert(sizeof(struct tlsf_reset) == 8, "ABI");
static_assert(sizeof(struct tlsf_check) == 32, "ABI");
static_assert(sizeof(struct tlsf_walk) == 40, "ABI");
static_assert(sizeof(struct tlsf_block_desc) == 24, "ABI");
static_assert(sizeof(struct tlsf_threshold) == 160, "ABI");

/* ---- a test ---- */

int uapi_main(const char *file, const struct ktap_case *cases, size_t nr);

#define UAPI_MAIN(...)								\
	int main(void)								\
	{									\
		static const struct ktap_case cases[] = { __VA_ARGS__ };	\
										\
		return uapi_main(__FILE__, cases, ARRAY_SIZE(cases));		\
	}

/* what a loop is at; told by the expectations below when they fail */
extern const char *uapi_context;

/* ---- the device ---- */

int dev_fresh(void);
int dev_open(void);
void dev_close(int fd);
int dev_call(int fd, unsigned long cmd, void *arg);

struct tlsf_info info_of(int fd);
struct tlsf_stats stats_of(int fd);
void reset(int fd, u32 flags);

#define PARAMETERS	"/sys/module/tlsf_mod/parameters/"
int parameter_set(const char *name, const char *value);
u64 parameter_get(const char *name);
int rounds_here(int rounds);
/* by one that runs code as it was before it was patched: see docs/testing.md */
bool emulated(void);

/* ---- operations ---- */

#define OP(code, ...)								\
	((struct tlsf_op){ .argsz = sizeof(struct tlsf_op),			\
			   .opcode = TLSF_OP_##code, __VA_ARGS__ })

int op_run(int fd, struct tlsf_op *op);
int op_do(int fd, struct tlsf_op op);
int batch_call(int fd, struct tlsf_batch *batch, const void *ops, u32 nr);
int batch_do(int fd, struct tlsf_op *ops, u32 nr);

struct tlsf_op alloc_ok(int fd, struct tlsf_op op);
u64 offset_of_block(int fd, u32 handle);
u32 fill_pool(int fd, u64 size, u32 *handles, u32 room);

/* a block that must be had; gives back the whole operation */
#define ALLOC(fd, ...)		(KTAP_HERE, alloc_ok(fd, OP(ALLOC, __VA_ARGS__)))

/* ---- the map ---- */

struct map {
	u32 nr;
	struct tlsf_block_desc block[TLSF_WALK_MAX];
};

void map_read(int fd, struct map *map);
const struct tlsf_block_desc *map_find(const struct map *map, u32 handle);
void map_expect_tiles(const struct map *map, const struct tlsf_info *info);

/* ---- every call once, with a valid argument ---- */

union uapi_arg {
	u32 argsz;
	struct tlsf_info info;
	struct tlsf_op op;
	struct tlsf_batch batch;
	struct tlsf_stats stats;
	struct tlsf_histogram histogram;
	struct tlsf_reset reset;
	struct tlsf_check check;
	struct tlsf_walk walk;
	struct tlsf_threshold threshold;
	unsigned char bytes[8192];
};

/* @first: size in the first release, which may be less than @size and never grows */
struct uapi_call {
	const char *name;
	unsigned long cmd;
	size_t size;
	size_t first;
};

#define UAPI_CALLS	13
extern const struct uapi_call uapi_calls[UAPI_CALLS];

void uapi_prepare(int fd, const struct uapi_call *call, union uapi_arg *arg);

#define FOR_EACH_CALL(c)							\
	for (c = uapi_calls; c < uapi_calls + UAPI_CALLS && (uapi_context = c->name); c++)

/* ---- user memory of the wrong kind ---- */

void *pages_new(unsigned int nr, int prot);
void *page_gap(size_t bytes);

/* ---- expectations ---- */

void expect_result(const char *file, int line, const char *text, int got, int want);
void expect_unchanged(const char *file, int line, int fd, const struct tlsf_stats *before,
		      bool counters);
void expect_sound(const char *file, int line, int fd);

/* @call gives 0 or -errno; @err is positive */
#define EXPECT_OK(call)		expect_result(__FILE__, __LINE__, #call, call, 0)
#define EXPECT_ERR(call, err)	expect_result(__FILE__, __LINE__, #call, call, -(err))

/* every figure of STATS is as it was */
#define EXPECT_UNCHANGED(fd, before)						\
	expect_unchanged(__FILE__, __LINE__, fd, before, true)
/* the same but for the counters of failures and steps */
#define EXPECT_BLOCKS_UNCHANGED(fd, before)					\
	expect_unchanged(__FILE__, __LINE__, fd, before, false)

/* refused, and nothing changed */
#define EXPECT_REFUSED(fd, call, err) do {					\
	struct tlsf_stats before_ = stats_of(fd);				\
										\
	expect_result(__FILE__, __LINE__, #call, call, -(err));			\
	expect_unchanged(__FILE__, __LINE__, fd, &before_, true);		\
} while (0)

/* CHECK finds no broken invariant, and STATS adds up */
#define EXPECT_SOUND(fd)	expect_sound(__FILE__, __LINE__, fd)

#endif /* UAPI_H */
