// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is driven, and its operations, each of which is timed.
 *
 * Room: wcet. The default pool and a pool of its own are reached through
 * linux/tlsf.h. The core's functions are in tlsf_mod.ko too, but not exported: their
 * addresses are asked of kprobes, and they work on memory of our own. Where the compiler
 * left none of them, there is no bare core.
 */
#include <linux/err.h>
#include <linux/gfp.h>
#include <linux/kernel.h>
#include <linux/kprobes.h>
#include <linux/minmax.h>
#include <linux/string.h>
#include <linux/tlsf.h>
#include <linux/vmalloc.h>

#include "measure.h"

#define FLAGS	(GFP_ATOMIC | __GFP_NOWARN)

/* ---- maxima ---- */

/* the same operation when @pending deferred frees waited for it */
static enum verb draining(enum verb verb, unsigned int pending)
{
	if (verb == NO_MEMORY && pending == 1 + DRAIN_FAILING)
		return NO_MEMORY_DRAINS;
	if (verb == ALLOC && pending == 1)
		return ALLOC_DRAINS;
	if (verb == FREE && pending == 1)
		return FREE_DRAINS;
	return VERBS;
}

static void seen(struct target *t, enum verb verb, unsigned int cycles)
{
	if (t->pending)
		verb = draining(verb, t->pending);
	t->pending = 0;
	if (verb == VERBS)
		return;
	t->max[t->phase][verb] = max(t->max[t->phase][verb], cycles);
	t->round[verb] = max(t->round[verb], cycles);
}

/**
 * target_round() - begin a new round
 * @t: target
 */
void target_round(struct target *t)
{
	memset(t->round, 0, sizeof(t->round));
}

/* ---- operations ---- */

static unsigned long call(struct target *t, enum verb verb, unsigned int *cycles,
			  unsigned long a, unsigned long b, unsigned long c)
{
	const unsigned long own[] = { (unsigned long)t->self, a, b, c }, plain[] = { a, b, c, 0 };

	return timed_call(t->fn[verb], t->self ? own : plain, cycles);
}

static void *taken(struct target *t, void *ptr)
{
	if (ptr)
		t->used += t->usable(t, ptr);
	t->peak = max(t->peak, t->used);
	return ptr;
}

void *target_alloc(struct target *t, size_t size)
{
	unsigned int cycles;
	void *ptr = (void *)call(t, ALLOC, &cycles, size, FLAGS, 0);

	seen(t, ptr ? ALLOC : NO_MEMORY, cycles);
	return taken(t, ptr);
}

void *target_memalign(struct target *t, size_t align, size_t size)
{
	unsigned int cycles;
	void *ptr = (void *)call(t, MEMALIGN, &cycles, align, size, FLAGS);

	if (ptr)
		seen(t, MEMALIGN, cycles);
	return taken(t, ptr);
}

/* a block that moved was copied: not what is bounded */
void *target_resize(struct target *t, void *old, size_t size)
{
	unsigned int cycles;
	size_t before;
	void *ptr;

	if (!old)
		return NULL;
	before = t->usable(t, old);
	ptr = (void *)call(t, RESIZE, &cycles, (unsigned long)old, size, FLAGS);
	if (t->core)
		ptr = (unsigned int)(unsigned long)ptr ? NULL : old;
	if (ptr == old)
		seen(t, RESIZE, cycles);
	if (!ptr)
		return old;
	t->used -= before;
	return taken(t, ptr);
}

/* a bare core only; what is too much is given back, as the pool does it */
void *target_grow_backward(struct target *t, void *ptr, size_t align, size_t size)
{
	size_t before = ptr ? t->usable(t, ptr) : 0;
	unsigned int cycles;

	if (!ptr || !t->name[GROW_BACKWARD])
		return ptr;
	if ((unsigned int)call(t, GROW_BACKWARD, &cycles, (unsigned long)&ptr, align, size))
		return ptr;
	seen(t, GROW_BACKWARD, cycles);
	t->used -= before;
	return target_resize(t, taken(t, ptr), size);
}

void target_free(struct target *t, void *ptr)
{
	unsigned int cycles;

	if (!ptr)
		return;
	t->used -= t->usable(t, ptr);
	call(t, FREE, &cycles, (unsigned long)ptr, 0, 0);
	seen(t, FREE, cycles);
}

/**
 * target_level() - bring the use up to the peak
 * @t: target
 *
 * Return: the block that does it, or NULL where that much cannot be had.
 */
void *target_level(struct target *t)
{
	return t->peak > t->used ? target_alloc(t, t->peak - t->used) : NULL;
}

/* ---- targets ---- */

static size_t default_usable(struct target *t, void *ptr)
{
	return tlsf_ksize(ptr);
}

/**
 * target_default() - the default pool
 */
struct target *target_default(void)
{
	static struct target t = {
		.name = { "tlsf_kmalloc", "tlsf_kmemalign", "tlsf_krealloc", "tlsf_kfree",
			  NULL, "tlsf_kmalloc (no memory)", "tlsf_kmalloc (deferred free)",
			  "tlsf_kfree (deferred free)",
			  "tlsf_kmalloc (no memory, 16 deferred)" },
		.fn = { (unsigned long)tlsf_kmalloc, (unsigned long)tlsf_kmemalign,
			(unsigned long)tlsf_krealloc, (unsigned long)tlsf_kfree },
		.usable = default_usable,
	};

	return &t;
}

static size_t own_usable(struct target *t, void *ptr)
{
	return tlsf_pool_ksize(t->self, ptr);
}

static struct target own = {
	.name = { "tlsf_pool_alloc", "tlsf_pool_memalign", "tlsf_pool_realloc", "tlsf_pool_free",
		  NULL, "tlsf_pool_alloc (no memory)" },
	.fn = { (unsigned long)tlsf_pool_alloc, (unsigned long)tlsf_pool_memalign,
		(unsigned long)tlsf_pool_realloc, (unsigned long)tlsf_pool_free },
	.usable = own_usable,
};

/**
 * target_own() - a pool of its own
 * @bytes: of the pool
 *
 * Return: the target, or an ERR_PTR().
 */
struct target *target_own(size_t bytes)
{
	own.self = tlsf_pool_create("wcet", bytes);
	return IS_ERR(own.self) ? ERR_CAST(own.self) : &own;
}

/* endbr64, and the nops that kernels put there when nothing jumps to it */
static bool begins_with_endbr(const u8 *at)
{
	static const u8 endbr[][4] = {
		{ 0xf3, 0x0f, 0x1e, 0xfa }, { 0xf3, 0x0f, 0x1f, 0x00 }, { 0x0f, 0x1f, 0x40, 0xd6 },
	};
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(endbr); i++)
		if (!memcmp(at, endbr[i], sizeof(endbr[i])))
			return true;
	return false;
}

/* a function's address, its endbr included, which kprobes skip; or 0 */
static unsigned long address_of(const char *name)
{
	struct kprobe probe = { .symbol_name = name };
	const u8 *at;

	if (register_kprobe(&probe))
		return 0;
	at = (const u8 *)probe.addr;
	unregister_kprobe(&probe);
	return (unsigned long)(begins_with_endbr(at - 4) ? at - 4 : at);
}

/* as in tlsf_core.h */
typedef void *(*core_init_fn)(void *mem, size_t bytes);
typedef int (*core_usable_fn)(void *core, const void *ptr, size_t *usable);

static core_usable_fn core_usable;

static size_t bare_usable(struct target *t, void *ptr)
{
	size_t usable = 0;

	core_usable(t->self, ptr, &usable);
	return usable;
}

static struct target bare = {
	.name = { "tlsf_core_alloc", "tlsf_core_memalign", "tlsf_core_resize", "tlsf_core_free",
		  "tlsf_core_grow_backward", "tlsf_core_alloc (no memory)" },
	.usable = bare_usable,
	.core = true,
};

static void *bare_memory;

/* as in a pool: control structure, and what is left is the region */
static void *bare_format(size_t bytes)
{
	core_init_fn init = (core_init_fn)address_of("tlsf_core_init");

	core_usable = (core_usable_fn)address_of("tlsf_core_usable");
	bare.self = init && core_usable ? init(bare_memory, bytes) : NULL;
	return bare.self;
}

/**
 * target_bare() - a core without a pool around it
 * @bytes: of control structure and region
 *
 * Return: the target, NULL when tlsf_mod.ko has not all of the core's functions, or an
 * ERR_PTR().
 */
struct target *target_bare(size_t bytes)
{
	enum verb verb;

	for (verb = ALLOC; verb <= GROW_BACKWARD; verb++) {
		bare.fn[verb] = address_of(bare.name[verb]);
		if (!bare.fn[verb])
			return NULL;
	}
	bare_memory = vmalloc(bytes);
	if (!bare_memory)
		return ERR_PTR(-ENOMEM);
	return bare_format(bytes) ? &bare : NULL;
}

/**
 * targets_close() - give back what the targets took
 */
void targets_close(void)
{
	tlsf_pool_destroy(own.self);
	vfree(bare_memory);
}
