// SPDX-License-Identifier: GPL-2.0-only
/*
 * The lock of a pool, where it is not had at once.
 *
 * Room: pool. Out of line and apart, so that the plain path, in tlsf_lock.h, keeps its
 * registers.
 */
#include "tlsf_lock.h"

DEFINE_PER_CPU(unsigned int, tlsf_lock_depth);

/**
 * tlsf_lock_wait() - wait for a lock that was not had at once
 * @l: lock
 *
 * Context: any, with interrupts off.
 * Return: false when who has the lock, or waits for another that we have, may be waiting
 * for us: in NMI, inside a section of our own, and always on a uniprocessor kernel.
 */
bool tlsf_lock_wait(struct tlsf_lock *l)
{
#ifndef TLSF_LOCK_UP
	if (in_nmi() || raw_cpu_read(tlsf_lock_depth))
		return false;
	raw_cpu_inc(tlsf_lock_depth);
	tlsf_raw_spin(&l->raw);
	__release(l);	/* for sparse: as tlsf_lock_try() */
	return true;
#else
	return false;
#endif
}
