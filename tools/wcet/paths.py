# SPDX-License-Identifier: GPL-2.0-only
"""Which paths are bounded, and where they leave what is bounded.

Room: wcet. All that is particular to tlsf_mod.ko is here.
"""

PLAIN = ("tlsf_kmalloc", "tlsf_kmemalign", "tlsf_krealloc", "tlsf_kfree",
         "tlsf_pool_alloc", "tlsf_pool_memalign", "tlsf_pool_realloc", "tlsf_pool_free")
PAIR = ("tlsf_kmalloc", "tlsf_kfree")
# What an operation does besides when a free was deferred; beside the operations, not in them.
DRAIN = "pool_drain_some"
CORE = ("tlsf_core_alloc", "tlsf_core_memalign", "tlsf_core_free", "tlsf_core_resize",
        "tlsf_core_grow_back")

# The static key that is on while operations are timed.
TIMING = "tlsf_timing"
# What "tlsf stat" calls an operation -> the functions that time it. Between the first
# reading of the clock and the next is what it shows as "hold", where the lock was free.
TIMED = {"alloc": ("alloc_listened", "memalign_listened", "alloc_timed"),
         "free": ("free_listened", "free_timed"),
         "resize": ("resize_listened", "resize_timed")}
# Paths that are also looked at with recording on, and what that may add to each.
RECORDED = PLAIN[:4]
RECORDING_MAX = 60
CALIBRATION = "tlsf_clock_calibrate"

LOCK = ("_raw_spin_lock_irqsave", "_raw_spin_lock", "_raw_spin_trylock")
UNLOCK = ("_raw_spin_unlock_irqrestore", "_raw_spin_unlock")

# Cold exits: a path that gets to one of these is no longer the operation whose bound is
# asked for. A name that is not here, and not in the module, is an error.
REFUSED = "a refused pointer or a damaged heap"
PREEMPTED = "the scheduler was waiting for preemption to be enabled"
COLD = {
    "fail_with": "the request is beyond any block, or the heap is damaged",
    "refuse_pointer": REFUSED,
    "refuse_next": REFUSED,
    "block_relink": REFUSED,
    "region_search": "a pool has one region: only a pointer outside it is looked up",
    "alloc_failed": "no block: counted, traced, and reported by an irq_work",
    "alloc_refused": "as alloc_failed",
    "alloc_report": "as alloc_failed",
    "alloc_slow": "the lock is taken: see below; or a free was deferred",
    "free_slow": "as alloc_slow",
    "alloc_apart": "__GFP_ZERO: in proportion to the size, outside the lock",
    "free_defer": "in NMI with the lock taken: a lock-free list",
    "pool_drain_some": "a free was deferred in NMI: see its own row",
    "tlsf_lock_wait": "the lock is taken: see below",
    "free_refused": REFUSED,
    "pool_retire": REFUSED,
    "report": "leaves a report to an irq_work",
    "irq_work_queue": "a report goes to the log, later",
    "zero_usable": "__GFP_ZERO: in proportion to the size, outside the lock",
    "resize_backward": "the contents move: in proportion to the size, outside the lock",
    "resize_elsewhere": "the contents move: in proportion to the size, outside the lock",
    "tlsf_latency_add_rare": "a new extreme is recorded, with its time",
    "alloc_traced": "somebody traces, or the lock was taken",
    "free_traced": "as alloc_traced",
    "resize_traced": "as alloc_traced",
    "steps_rise": "more steps than ever before are noted",
    "__stack_chk_fail": "the stack is overwritten",
    "spin": "the lock is taken: see below",
    "native_queued_spin_lock_slowpath": "the lock is taken: see below",
    "__SCT__preempt_schedule": PREEMPTED,
    "__SCT__preempt_schedule_notrace": PREEMPTED,
    "preempt_schedule_thunk": PREEMPTED,
}

# The reason given for region_search holds while nobody adds a second region.
ONE_CALLER = {"region_search": "tlsf_core_add_region"}
