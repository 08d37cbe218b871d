/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The lock of a pool: a raw spinlock that may be tried from where it must not be waited
 * for.
 *
 * Room: pool. Writes the lock word, and a count for each CPU of the locks that it holds.
 * Interrupts are off while the lock is held, but an NMI comes all the same, and a probe
 * may run inside the section. If such code waited for the lock that its own CPU holds, of this
 * or another pool, it would wait forever. It gets the lock at once or not at all:
 * tlsf_lock_wait() returns false.
 *
 * With interrupts off nobody preempts us, so preemption need not be disabled besides, and
 * raw_spin_lock(), which does that out of line, is opened up here. Where the kernel checks
 * its locks, its own functions are called, and where the lock may be waited for it is.
 *
 * On a uniprocessor kernel a spinlock is nothing and trying it proves nothing: there a
 * flag says that the lock is held. TLSF_TEST_UP has it so on any kernel, as long as it
 * runs on one processor.
 */
#ifndef _TLSF_LOCK_H
#define _TLSF_LOCK_H

#include <linux/irqflags.h>
#include <linux/percpu.h>
#include <linux/preempt.h>
#include <linux/spinlock.h>

#if !defined(CONFIG_SMP) || defined(TLSF_TEST_UP)
#define TLSF_LOCK_UP
#endif

struct tlsf_lock {
	raw_spinlock_t raw;
#ifdef TLSF_LOCK_UP
	bool held;
#endif
};

/* Locks that this processor holds or is taking. Changed with interrupts off. */
DECLARE_PER_CPU(unsigned int, tlsf_lock_depth);

#if defined(TLSF_TEST_UP)
#define tlsf_raw_try(raw)	((void)(raw), true)
#define tlsf_raw_spin(raw)	((void)(raw))
#define tlsf_raw_unlock(raw)	((void)(raw))
#elif defined(CONFIG_DEBUG_SPINLOCK) || defined(CONFIG_DEBUG_LOCK_ALLOC)
/* Where it may be waited for it is, for lockdep does not check what is only tried. */
static inline bool tlsf_raw_try(raw_spinlock_t *raw)
{
	if (in_nmi() || raw_cpu_read(tlsf_lock_depth) > 1)
		return raw_spin_trylock(raw);
	raw_spin_lock(raw);
	__release(raw);
	return true;
}

#define tlsf_raw_spin(raw)	raw_spin_lock(raw)
#define tlsf_raw_unlock(raw)	raw_spin_unlock(raw)
#else
/* as queued_spin_lock() begins; trying would look at the lock once more before */
static __always_inline bool tlsf_raw_try(raw_spinlock_t *raw)
{
#if defined(CONFIG_X86) && defined(CONFIG_QUEUED_SPINLOCKS)
	int unlocked = 0;

	return atomic_try_cmpxchg_acquire(&raw->raw_lock.val, &unlocked, _Q_LOCKED_VAL);
#else
	return do_raw_spin_trylock(raw);
#endif
}

#define tlsf_raw_spin(raw)	do_raw_spin_lock(raw)
#define tlsf_raw_unlock(raw)	do_raw_spin_unlock(raw)
#endif

/* A nested attempt comes before or after all of this, never in between. */
static __always_inline bool tlsf_lock_test_held(struct tlsf_lock *l)
{
#ifdef TLSF_LOCK_UP
	if (READ_ONCE(l->held))
		return true;
	WRITE_ONCE(l->held, true);
	barrier();
#endif
	return false;
}

static __always_inline void tlsf_lock_clear_held(struct tlsf_lock *l)
{
#ifdef TLSF_LOCK_UP
	barrier();
	WRITE_ONCE(l->held, false);
#endif
}

/**
 * tlsf_lock_try() - take the lock if nobody has it
 * @l: lock
 *
 * Context: any, with interrupts off.
 */
static __always_inline bool tlsf_lock_try(struct tlsf_lock *l)
{
	if (tlsf_lock_test_held(l))
		return false;
	/* first: who interrupts us with the lock taken has to find it counted */
	raw_cpu_inc(tlsf_lock_depth);
	if (likely(tlsf_raw_try(&l->raw)))
		return true;
	raw_cpu_dec(tlsf_lock_depth);
	return false;
}

static __always_inline void tlsf_unlock(struct tlsf_lock *l)
{
	tlsf_raw_unlock(&l->raw);
	__acquire(l);	/* sparse does not see that trying took it */
	raw_cpu_dec(tlsf_lock_depth);
	tlsf_lock_clear_held(l);
}

bool tlsf_lock_wait(struct tlsf_lock *l);

/**
 * tlsf_lock_irqsave() - take the lock, with interrupts off
 * @l: lock
 * @flags: out: as they were
 *
 * Context: any.
 * Return: false, and nothing changed, when another has the lock and must not be waited
 * for.
 */
static __always_inline bool tlsf_lock_irqsave(struct tlsf_lock *l, unsigned long *flags)
{
	local_irq_save(*flags);
	if (likely(tlsf_lock_try(l) || tlsf_lock_wait(l)))
		return true;
	local_irq_restore(*flags);
	return false;
}

static __always_inline void tlsf_unlock_irqrestore(struct tlsf_lock *l, unsigned long flags)
{
	tlsf_unlock(l);
	local_irq_restore(flags);
}

#endif /* _TLSF_LOCK_H */
