/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the parts of the head to head share.
 *
 * Room: bench. A workload is a list of operations on numbered blocks; a peer is
 * an allocator that serves it; a tally collects what its calls cost. Of this project's
 * headers only linux/tlsf.h is used, and only by peers.c.
 */
#ifndef _BENCH_H
#define _BENCH_H

#include <linux/compiler.h>
#include <linux/timex.h>
#include <linux/types.h>

/* ---- workload.c: what is done ---- */

/* blocks are of 2^CLASS_MIN to 2^CLASS_MAX bytes where an allocator has fixed sizes */
#define CLASS_MIN	3
#define CLASS_MAX	22
#define CLASSES		(CLASS_MAX + 1)

/* allocate @size bytes as block @id; @size 0 frees it */
struct op {
	u32 id;
	u32 size;
};

struct workload {
	const struct op *ops;
	u32 nr_ops;
	u32 nr_ids;
	void *file;

	/* found by looking it over */
	u32 peak_op;			/* after it the most bytes are live */
	u32 most_blocks;		/* live at a time */
	size_t peak_bytes;
	u32 class_blocks[CLASSES];	/* most that are live at a time, by class */
};

unsigned int size_class(size_t size);
int workload_load(struct workload *w, const char *path);
void workload_unload(struct workload *w);

/* ---- tally.c: what it cost ---- */

struct tally {
	u32 *count;		/* calls that took so many cycles; the last: or more */
	u64 calls;
	u64 sum;
	u32 min;
	u32 max;
	u32 left_out;		/* an interrupt came in between */
	u32 refused;		/* got no block, so that it is not freed either */
};

int tally_init(struct tally *t);
void tally_exit(struct tally *t);
void tally_clear(struct tally *t);
void tally_add(struct tally *t, u32 cycles);
u32 tally_percentile(const struct tally *t, u32 per_10k);

/* ---- peers.c: who does it ---- */

static __always_inline u32 clock_read(void)
{
	u32 now;

	barrier();
	now = get_cycles();
	barrier();
	return now;
}

/* run @statement and nothing else between two readings of the clock */
#define TIMED(cycles, statement) do {				\
	u32 begin_ = clock_read();				\
								\
	statement;						\
	*(cycles) = clock_read() - begin_;			\
} while (0)

/* where an allocator may be called; see docs/wcet.md */
#define IN_TASK		1	/* also with a spinlock_t held */
#define IN_RAW		2	/* interrupts off, raw spinlock held */
#define IN_HARDIRQ	4
#define IN_NMI		8

/**
 * struct peer - an allocator
 * @name: as it is printed
 * @may_refuse: by contract, though there is memory
 * @where: contexts in which it may be called on this kernel
 * @limits: why not in the others
 * @open: get ready for a workload; 0 or -errno
 * @close: undo @open, all blocks being freed
 * @alloc: a block, or NULL, and the cycles of the call
 * @free: give it back; the size is what was asked for
 * @left: what the allocator itself says is still allocated; NULL if it cannot tell
 * @overhead: bytes besides those of the blocks, as long as it is open
 * @base: where its memory starts; 0 if it takes pages as it needs them
 * @reserve: of a size class, the objects it holds back, as an array
 */
struct peer {
	const char *name;
	bool may_refuse;
	unsigned int where;
	const char *limits;
	int (*open)(const struct workload *w);
	void (*close)(void);
	void *(*alloc)(size_t size, u32 *cycles);
	void (*free)(void *ptr, size_t size, u32 *cycles);
	size_t (*left)(void);
	size_t (*overhead)(void);
	unsigned long (*base)(void);
	void **(*reserve)(unsigned int class, unsigned int *nr);
};

extern const struct peer peers[];
extern const unsigned int nr_peers;

/* ---- contexts.c: where it does it ---- */

bool contexts_try(const struct peer *peer, const struct workload *w);

#endif /* _BENCH_H */
