// SPDX-License-Identifier: GPL-2.0-only
/*
 * The longest that each exported operation was seen to take, in instructions.
 *
 * Room: wcet (kernel). A plain client of linux/tlsf.h, x86 only, loaded in a guest whose
 * TSC counts instructions. It drives the default pool and one of its own into the states
 * that cost most, then runs random operations, and prints the maximum of each function,
 * from its first instruction to its return, as "wcet-max NAME NUMBER". Does all of it in
 * its init function, then stays loaded.
 */
#define pr_fmt(fmt) fmt

#include <linux/irqflags.h>
#include <linux/kernel.h>
#include <linux/module.h>
#include <linux/prandom.h>
#include <linux/sizes.h>
#include <linux/tlsf.h>

#include <asm/asm.h>

static unsigned int ops = 30000;
module_param(ops, uint, 0444);
MODULE_PARM_DESC(ops, "Random operations on each pool");

static unsigned int seed = 1;
module_param(seed, uint, 0444);
MODULE_PARM_DESC(seed, "Of the random operations");

/*
 * Between the two readings are, besides @fn from its first instruction to its return:
 * the first reading, two moves, the call, and a move.
 */
#define APART	5

#define TIMED(fn, cycles, a, b, c, d) ({						\
	unsigned long __a = (unsigned long)(a), __b = (unsigned long)(b);		\
	unsigned long __c = (unsigned long)(c), __d = (unsigned long)(d);		\
	unsigned long __ret, __flags;							\
	unsigned int __cycles;								\
											\
	local_irq_save(__flags);							\
	asm volatile("rdtsc\n\t"							\
		     "mov %%eax, %%r12d\n\t"						\
		     "mov %[third], %%rdx\n\t"						\
		     "call " #fn "\n\t"							\
		     "mov %%rax, %[ret]\n\t"						\
		     "rdtsc\n\t"							\
		     "sub %%r12d, %%eax"						\
		     : "=&a"(__cycles), [ret] "=&b"(__ret), "+D"(__a), "+S"(__b),	\
		       "+c"(__d), ASM_CALL_CONSTRAINT					\
		     : [third] "r"(__c)							\
		     : "rdx", "r8", "r9", "r10", "r11", "r12", "memory", "cc");		\
	local_irq_restore(__flags);							\
	*(cycles) = __cycles - APART;							\
	(void *)__ret;									\
})

enum verb { ALLOC, MEMALIGN, RESIZE, FREE, VERBS };

/* a pool and the functions that work on it; @pool is NULL for the default one */
struct target {
	const char *name[VERBS];
	struct tlsf_pool *pool;
	void *(*alloc)(struct target *t, size_t size);
	void *(*memalign)(struct target *t, size_t align, size_t size);
	void *(*resize)(struct target *t, void *ptr, size_t size);
	void (*free)(struct target *t, void *ptr);
	unsigned int max[VERBS];
	size_t ballast;
};

static void seen(struct target *t, enum verb verb, unsigned int cycles)
{
	if (cycles > t->max[verb])
		t->max[verb] = cycles;
}

static void *default_alloc(struct target *t, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_kmalloc, &cycles, size, GFP_ATOMIC | __GFP_NOWARN, 0, 0);

	if (ptr)
		seen(t, ALLOC, cycles);
	return ptr;
}

static void *default_memalign(struct target *t, size_t align, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_kmemalign, &cycles, align, size, GFP_ATOMIC | __GFP_NOWARN, 0);

	if (ptr)
		seen(t, MEMALIGN, cycles);
	return ptr;
}

/* a block that moved was copied: not what is bounded */
static void *default_resize(struct target *t, void *old, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_krealloc, &cycles, old, size, GFP_ATOMIC | __GFP_NOWARN, 0);

	if (ptr == old)
		seen(t, RESIZE, cycles);
	return ptr;
}

static void default_free(struct target *t, void *ptr)
{
	unsigned int cycles;

	TIMED(tlsf_kfree, &cycles, ptr, 0, 0, 0);
	seen(t, FREE, cycles);
}

static void *own_alloc(struct target *t, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_pool_alloc, &cycles, t->pool, size, GFP_ATOMIC | __GFP_NOWARN, 0);

	if (ptr)
		seen(t, ALLOC, cycles);
	return ptr;
}

static void *own_memalign(struct target *t, size_t align, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_pool_memalign, &cycles, t->pool, align, size,
			  GFP_ATOMIC | __GFP_NOWARN);

	if (ptr)
		seen(t, MEMALIGN, cycles);
	return ptr;
}

static void *own_resize(struct target *t, void *old, size_t size)
{
	unsigned int cycles;
	void *ptr = TIMED(tlsf_pool_realloc, &cycles, t->pool, old, size,
			  GFP_ATOMIC | __GFP_NOWARN);

	if (ptr == old)
		seen(t, RESIZE, cycles);
	return ptr;
}

static void own_free(struct target *t, void *ptr)
{
	unsigned int cycles;

	TIMED(tlsf_pool_free, &cycles, t->pool, ptr, 0, 0);
	seen(t, FREE, cycles);
}

/* ---- the states that cost most ---- */

#define BALLAST_STEP	SZ_8K

/*
 * A block that is larger each time, so that what follows it is more than was ever in
 * use: a new high water costs an instruction.
 */
static void *ballast(struct target *t)
{
	t->ballast += BALLAST_STEP;
	return t->alloc(t, t->ballast);
}

/* one block is left of the pool, far from the class asked for, and alone in its list */
static void small_from_giant(struct target *t, size_t size)
{
	void *below = ballast(t), *ptr = t->alloc(t, size);

	t->free(t, ptr);
	t->free(t, below);
}

/* the same, and a gap below and a rest above; @shift moves where the giant begins */
static void aligned_from_giant(struct target *t, size_t align, size_t shift)
{
	void *below = ballast(t), *more = t->alloc(t, shift), *ptr = t->memalign(t, align, 40);

	t->free(t, ptr);
	t->free(t, more);
	t->free(t, below);
}

/* both neighbours are free, of classes far apart, and alone in their lists */
static void free_between(struct target *t, size_t low, size_t middle, size_t high)
{
	void *a = t->alloc(t, low), *b = t->alloc(t, middle);
	void *c = t->alloc(t, high), *d = t->alloc(t, 24);

	t->free(t, a);
	t->free(t, c);
	t->free(t, b);
	t->free(t, d);
}

/* into the free block above, which is alone in its list, and some of it is left */
static void grow_into_giant(struct target *t, size_t from, size_t to)
{
	void *below = ballast(t), *ptr = t->alloc(t, from);

	ptr = t->resize(t, ptr, to);
	ptr = t->resize(t, ptr, from);
	t->free(t, ptr);
	t->free(t, below);
}

static void states(struct target *t)
{
	size_t i, j, k;

	for (i = 16; i <= SZ_4K; i *= 2)
		small_from_giant(t, i);
	for (i = 16; i <= SZ_4K; i *= 2)
		for (j = 24; j <= 88; j += 8)
			aligned_from_giant(t, i, j);
	for (i = 32; i <= SZ_32K; i *= 4)
		for (j = 32; j <= SZ_32K; j *= 4)
			for (k = 32; k <= SZ_32K; k *= 4)
				free_between(t, i, j, k);
	for (i = 24; i <= SZ_2K; i *= 2)
		for (j = 2 * i; j <= SZ_4K; j *= 2)
			grow_into_giant(t, i, j);
}

/* ---- random operations ---- */

#define SLOTS	256

static void *slot[SLOTS];

static size_t random_size(struct rnd_state *rng)
{
	return 1 + (prandom_u32_state(rng) & ((16u << (prandom_u32_state(rng) % 10)) - 1));
}

static void random_op(struct target *t, struct rnd_state *rng)
{
	void **at = &slot[prandom_u32_state(rng) % SLOTS], *ptr;
	unsigned int kind = prandom_u32_state(rng) % 8;

	if (!*at && kind < 2) {
		*at = t->memalign(t, 16 << kind * 2, random_size(rng));
	} else if (!*at) {
		*at = t->alloc(t, random_size(rng));
	} else if (kind < 3) {
		ptr = t->resize(t, *at, random_size(rng));
		*at = ptr ?: *at;
	} else {
		t->free(t, *at);
		*at = NULL;
	}
}

static void random_ops(struct target *t)
{
	struct rnd_state rng;
	unsigned int i;

	prandom_seed_state(&rng, seed);
	for (i = 0; i < ops; i++)
		random_op(t, &rng);
	for (i = 0; i < SLOTS; i++) {
		if (slot[i])
			t->free(t, slot[i]);
		slot[i] = NULL;
	}
}

static void measure(struct target *t)
{
	unsigned int i;

	states(t);
	random_ops(t);
	for (i = 0; i < VERBS; i++)
		pr_info("wcet-max %s %u\n", t->name[i], t->max[i]);
}

static struct target on_default = {
	.name = { "tlsf_kmalloc", "tlsf_kmemalign", "tlsf_krealloc", "tlsf_kfree" },
	.alloc = default_alloc, .memalign = default_memalign,
	.resize = default_resize, .free = default_free,
};

static struct target on_own = {
	.name = { "tlsf_pool_alloc", "tlsf_pool_memalign", "tlsf_pool_realloc",
		  "tlsf_pool_free" },
	.alloc = own_alloc, .memalign = own_memalign, .resize = own_resize, .free = own_free,
};

static int __init wcet_measure_init(void)
{
	on_own.pool = tlsf_pool_create("wcet", SZ_16M);
	if (IS_ERR(on_own.pool))
		return PTR_ERR(on_own.pool);
	measure(&on_default);
	measure(&on_own);
	return 0;
}

static void __exit wcet_measure_exit(void)
{
	tlsf_pool_destroy(on_own.pool);
}

module_init(wcet_measure_init);
module_exit(wcet_measure_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("Longest seen operation of tlsf_mod, in instructions");
