# SPDX-License-Identifier: GPL-2.0-only
"""Which paths are bounded, and where they leave what is bounded.

Room: wcet. All that is particular to tlsf_mod.ko is here.
"""

PLAIN = ("tlsf_kmalloc", "tlsf_kmemalign", "tlsf_krealloc", "tlsf_kfree",
         "tlsf_pool_alloc", "tlsf_pool_memalign", "tlsf_pool_realloc", "tlsf_pool_free")
PAIR = ("tlsf_kmalloc", "tlsf_kfree")
# Paths that are looked at with recording on, too, and what that may add to each.
RECORDED = PLAIN[:4]
RECORDING_MAX = 75
# What an operation does first when a free was deferred, and the whole of the operations
# that do: these exits are followed for them.
DRAIN = "tlsf_drain_some"
DRAINING = PAIR
DRAINING_EXITS = {DRAIN, "tlsf_alloc_slow", "tlsf_free_slow"}
CORE = ("tlsf_core_alloc", "tlsf_core_memalign", "tlsf_core_free", "tlsf_core_resize",
        "tlsf_core_grow_backward")

# What kmalloc and kfree take together at best, with the zeroing that Debian boots with: from
# make bench, see docs/wcet.md.
SLUB_AT_BEST = {"6.1-amd64": 277, "6.1-rt-amd64": 571, "7.3-amd64": 225, "7.3-rt-amd64": 368}

# Cold exits on the way to NULL that are followed for these rows: what a full pool costs.
NO_MEMORY = ("tlsf_kmalloc", "tlsf_pool_alloc")
NO_MEMORY_EXITS = {"alloc_failed", "tlsf_core_alloc_failed", "tlsf_report_failure"}
# And when deferred frees wait: a bounded number is taken back, and the request tried again.
RETRIED_EXITS = NO_MEMORY_EXITS | DRAINING_EXITS | {"tlsf_drain_failing"}

# The static key that is on while operations are timed.
TIMING = "tlsf_timing"
# What "tlsf stat" calls an operation -> the functions that record it, besides those that
# stand before: on the fast path and on the slow one. Between their last two readings of the
# clock is what is shown as "hold".
TIMED = {"alloc": ("tlsf_kmalloc", "tlsf_kmemalign", "tlsf_alloc_slow"),
         "free": ("tlsf_kfree", "tlsf_free_slow"),
         "resize": ("tlsf_krealloc", "resize_slow")}
# reads the clock twice with nothing in between, to know what that takes
CALIBRATION = "tlsf_clock_calibrate"

# The kernel's functions that are followed; where the module has the lock inline, the path
# has the atomic instruction that takes it.
LOCK = ("_raw_spin_lock_irqsave", "_raw_spin_lock", "_raw_spin_trylock")
UNLOCK = ("_raw_spin_unlock_irqrestore", "_raw_spin_unlock")

# Cold exits: a path that gets to one of these is no longer the operation whose bound is
# asked for. What the source marks __cold is one without being here. Anything else that is
# neither here nor in the module is an error. A name ending in * stands for all that begin
# so.
MARKED = "__cold where it is defined"
TAKEN = "the lock is taken: see above"
NO_BLOCK = "no block: counted, traced, and reported by an irq_work"
DAMAGED = "a rejected pointer or a damaged heap"
MOVES = "the contents move: in proportion to the size, outside the lock"
SLOW = "the lock is taken, a freed block waits, somebody traces, or it is to be zeroed"
COLD = {
    "tlsf_alloc_slow": SLOW,
    "alloc_failed": NO_BLOCK,
    "free_rejected": DAMAGED,
    "tlsf_core_alloc_failed": NO_BLOCK,
    "tlsf_free_slow": SLOW,
    "resize_slow": SLOW,
    "tlsf_report_failure": NO_BLOCK,
    "tlsf_report_pointer": DAMAGED,
    "tlsf_pool_retire": DAMAGED,
    "tlsf_zero": "__GFP_ZERO: in proportion to the size, outside the lock",
    "resize_backward": MOVES,
    "resize_elsewhere": MOVES,
    "tlsf_drain_some": "a free was deferred in NMI: see its own row",
    "tlsf_free_defer": "in NMI with the lock taken: a lock-free list",
    "tlsf_lock_wait": TAKEN,
    "witness_take": "a new maximum is recorded, with its time",
    "threshold_exceeded": "once for each threshold that is set: stops tracing, wakes poll()",
    "tlsf_latency_add_rare": "a new extreme is recorded, with its time",
    "tlsf_latency_record": "on the slow path: the clock was read before",
    "__stack_chk_fail": "the stack is overwritten",
    "__ubsan_handle_*": "undefined behaviour is reported",
    "spin": TAKEN,
    "native_queued_spin_lock_slowpath": TAKEN,
    "__SCT__queued_spin_lock_slowpath": TAKEN,
}

# Features that the processor has for certain, by the kernel's numbers.
FEATURES = {4: "TSC: without it there is nothing to record with, and no measurement"}

# Calls that count as one instruction, after which the path goes on: what is called is
# not part of the operation, and leaves every register as it was.
PREEMPTED = "a reschedule is pending: a nop, or, where the kernel preempts itself, others' time"
ASIDE = {
    "__SCT__preempt_schedule": PREEMPTED,
    "__SCT__preempt_schedule_notrace": PREEMPTED,
    "preempt_schedule_thunk": PREEMPTED,
    "__SCT__queued_spin_unlock": "not a guest of Xen or KVM's: the store that releases the lock",
}
