/* SPDX-License-Identifier: GPL-2.0 WITH Linux-syscall-note */
/*
 * tlsf: ioctl interface of /dev/tlsf, the stress and statistics window onto the
 * module's default memory pool.
 *
 * Room: include. Includes only linux/types.h and linux/ioctl.h; never changes what a
 * released field means. Blocks are named by handles, never by kernel addresses.
 * Handles belong to the open file; closing it frees them.
 */
#ifndef _UAPI_LINUX_TLSF_H
#define _UAPI_LINUX_TLSF_H

#include <linux/ioctl.h>
#include <linux/types.h>

/**
 * DOC: General ABI rules
 *
 * Every struct starts with ``argsz``, the size its user was compiled with. A
 * smaller struct than the first released one is refused with EINVAL. A larger one
 * is accepted when every byte that this kernel does not know is zero, and refused
 * with E2BIG otherwise. Unknown flags and non-zero reserved fields are refused with
 * EINVAL. Sizes are bytes, cycle counts are net of the clock's own overhead, and
 * ``struct tlsf_info`` says what one cycle is. A refused call changes nothing.
 *
 * Meaning of the errors, the same for every call and every batched operation:
 *
 * EINVAL
 *     A flag, opcode, reserved field, size of zero, or an alignment that is zero
 *     where one is required or not a power of two; VERIFY of bytes that this open file
 *     did not write, or not as it says.
 * E2BIG
 *     The request can never be served: larger than the whole pool, or a struct
 *     with bytes set that this kernel does not know, or more operations than
 *     TLSF_BATCH_MAX.
 * EIO
 *     The pool found its heap damaged and serves no further request; the kernel
 *     log has the report.
 * ENOMEM
 *     The pool cannot serve the request now. STATS tells exhaustion (too little
 *     free memory) from fragmentation (enough, but no block is large enough).
 * EDQUOT
 *     The open file's quota of blocks or bytes would be exceeded.
 * ENOENT
 *     No such handle in this open file: never given, already freed, or another's.
 * EBADMSG
 *     VERIFY found a byte that FILL did not write, or CHECK found a broken
 *     invariant: memory was overwritten.
 * EAGAIN
 *     WALK could not get a consistent view because the pool kept changing.
 * EFAULT
 *     A user pointer could not be read or written.
 * EINTR
 *     A fatal signal arrived. Nothing has been done, but for an operation that was at
 *     work on many bytes, whose file somebody else has open too: FILL has written
 *     ``usable`` bytes, and no more are known; VERIFY has found ``usable`` bytes good.
 *     RESIZE has changed nothing when ``usable`` is 0; else the block has grown
 *     downwards and has that size, and of its contents only those that have arrived
 *     are known. ALLOC has given its block back.
 * ENOTTY
 *     Not an ioctl of this device.
 */

#define TLSF_ABI_VERSION	1
#define TLSF_NAME_LEN		16
#define TLSF_BATCH_MAX		4096
#define TLSF_WALK_MAX		65536
#define TLSF_HISTOGRAM_BUCKETS	768
#define TLSF_IOC_MAGIC		0xBB

/**
 * enum tlsf_cycle_unit - what one cycle of every figure is
 * @TLSF_CYCLE_TSC: one tick of the processor's cycle or time stamp counter
 * @TLSF_CYCLE_NS: one nanosecond, where the machine has no cycle counter
 * @TLSF_CYCLE_CNTVCT: one tick of arm64's virtual counter, which is slower than the
 *	processor
 */
enum tlsf_cycle_unit {
	TLSF_CYCLE_TSC = 0,
	TLSF_CYCLE_NS = 1,
	TLSF_CYCLE_CNTVCT = 2,
};

#define TLSF_INFO_LATENCY	(1u << 0)	/* latency recording is on */

/**
 * struct tlsf_info - constants of the module and of the pool (TLSF_IOC_INFO)
 * @argsz: in: sizeof(struct tlsf_info)
 * @flags: out: TLSF_INFO_* bits; in: must be 0
 * @abi_version: out: TLSF_ABI_VERSION
 * @cycle_unit: out: enum tlsf_cycle_unit
 * @cycle_hz: out: cycles per second; 0 when the kernel could not find it out
 * @clock_overhead: out: cycles of reading the clock, already subtracted everywhere
 * @pool_bytes: out: memory the pool was given
 * @max_request: out: largest request the empty pool can serve
 * @granule: out: every usable size is a multiple of this
 * @min_usable: out: usable bytes of the smallest block
 * @block_overhead: out: bytes the allocator adds to each block
 * @max_batch: out: operations that one TLSF_IOC_BATCH takes
 * @quota_bytes: out: bytes that one open file may hold, all ones for any number; the
 *	last block may exceed it by what its size was rounded up
 * @quota_blocks: out: blocks that one open file may hold, all ones for any number
 * @steps_max: out: compile-time bound of the steps of one operation
 * @name: out: name of the pool, NUL terminated
 */
struct tlsf_info {
	__u32 argsz;
	__u32 flags;
	__u32 abi_version;
	__u32 cycle_unit;
	__u64 cycle_hz;
	__u64 clock_overhead;
	__u64 pool_bytes;
	__u64 max_request;
	__u32 granule;
	__u32 min_usable;
	__u32 block_overhead;
	__u32 max_batch;
	__u64 quota_bytes;
	__u32 quota_blocks;
	__u32 steps_max;
	__u8 name[TLSF_NAME_LEN];
};

/**
 * enum tlsf_opcode - what a struct tlsf_op asks for
 * @TLSF_OP_ALLOC: size, align -> handle, usable, cycles
 * @TLSF_OP_FREE: handle -> cycles
 * @TLSF_OP_RESIZE: handle, size -> usable, cycles; keeps contents and alignment
 * @TLSF_OP_FILL: handle, seed: write the pattern of seed over the usable bytes
 * @TLSF_OP_VERIFY: handle, seed, size: compare the first size bytes (0: all usable
 *	bytes) with the pattern of seed; EBADMSG and the offset in @usable when a
 *	byte differs
 *
 * What a new block holds, and what RESIZE adds to one, is somebody else's: VERIFY refuses
 * bytes that this open file has not written, with EINVAL. FILL writes all usable bytes,
 * ALLOC with TLSF_OP_ZERO too; RESIZE keeps those that there were. With TLSF_OP_ZERO
 * VERIFY compares with zeros, of a block that was zeroed and not filled; the seed is 0.
 * Where the pattern of another seed than FILL's differs is computed from the seeds.
 */
enum tlsf_opcode {
	TLSF_OP_ALLOC = 1,
	TLSF_OP_FREE = 2,
	TLSF_OP_RESIZE = 3,
	TLSF_OP_FILL = 4,
	TLSF_OP_VERIFY = 5,
};

#define TLSF_OP_ZERO		(1u << 0)	/* ALLOC, VERIFY: contents are zero */
#define TLSF_OP_INPLACE		(1u << 1)	/* RESIZE: fail rather than move */
#define TLSF_OP_REF		(1u << 2)	/* BATCH: handle is the index of an earlier ALLOC */

/**
 * struct tlsf_op - one operation, alone or in a batch
 * @argsz: in: sizeof(struct tlsf_op)
 * @opcode: in: enum tlsf_opcode; a single-operation ioctl takes 0 or its own
 * @flags: in: TLSF_OP_* bits
 * @handle: out for ALLOC, in for the others; never 0 when valid
 * @size: in: bytes wanted (ALLOC, RESIZE), bytes to compare (VERIFY)
 * @align: in: ALLOC: power of two, or 0 for the granule
 * @seed: in: FILL, VERIFY
 * @usable: out: bytes the block has; VERIFY: offset of the first wrong byte, or how many
 *	were compared
 * @cycles: out: cycles of the allocator core and of taking its lock for this operation,
 *	waiting for the lock excluded
 * @result: out: 0, or a negative errno of the list above; in a single-operation ioctl
 *	the return value says the same, and says more when the struct itself is refused
 * @reserved: must be 0
 */
struct tlsf_op {
	__u32 argsz;
	__u32 opcode;
	__u32 flags;
	__u32 handle;
	__aligned_u64 size;
	__aligned_u64 align;
	__aligned_u64 seed;
	__aligned_u64 usable;
	__aligned_u64 cycles;
	__s32 result;
	__u32 reserved;
};

/**
 * struct tlsf_batch - many operations in one call (TLSF_IOC_BATCH)
 * @argsz: in: sizeof(struct tlsf_batch)
 * @flags: must be 0
 * @nr_ops: in: operations at @ops; out: operations carried out
 * @nr_failed: out: how many of them have a negative result
 * @ops: in: address of an array of struct tlsf_op
 *
 * Each operation gets its own result; one that fails does not stop the others.
 * The call stops early, with the count done in @nr_ops, only at a fatal signal. An
 * array that cannot be read and written is EFAULT before anything is done.
 */
struct tlsf_batch {
	__u32 argsz;
	__u32 flags;
	__u32 nr_ops;
	__u32 nr_failed;
	__aligned_u64 ops;
};

/**
 * struct tlsf_stats - counters of the pool (TLSF_IOC_STATS)
 * @argsz: in: sizeof(struct tlsf_stats)
 * @flags: must be 0
 * @used_bytes: usable bytes of allocated blocks
 * @free_bytes: usable bytes of free blocks
 * @overhead_bytes: the rest: headers, end marks, control structure;
 *	used + free + overhead = pool_bytes of struct tlsf_info, always
 * @largest_free: largest request that would succeed now
 * @high_water: most bytes that allocated blocks took, headers included, since load or
 *	RESET
 * @used_blocks: allocated blocks
 * @free_blocks: free blocks
 * @allocs: allocations served since load or RESET
 * @frees: blocks freed
 * @resizes: changes of a block's bounds; one that grows downwards counts twice, and
 *	one that moves away as an allocation and a free instead
 * @fail_exhausted: requests larger than all free memory; what is larger than the
 *	pool is refused before and not counted
 * @fail_fragmented: requests refused although that much memory was free
 * @bad_frees: pointers rejected by free or resize
 * @file_bytes: usable bytes held by this open file
 * @file_blocks: blocks held by this open file
 * @steps_max_seen: most steps any operation took
 * @fail_busy: requests refused because they could not wait for the pool's lock: in NMI,
 *	or in a probe that fired inside the allocator
 * @deferred_frees: frees that could not wait for it; their blocks count as used until a
 *	later operation frees them
 * @damaged: 1 when the heap was found damaged, else 0: the pool serves nothing until
 *	the module is loaded afresh. RESET leaves it.
 * @fail_damaged: requests refused because of that
 *
 * @fail_busy and all behind it are not in the first release: a user of that one leaves
 * them out.
 */
struct tlsf_stats {
	__u32 argsz;
	__u32 flags;
	__u64 used_bytes;
	__u64 free_bytes;
	__u64 overhead_bytes;
	__u64 largest_free;
	__u64 high_water;
	__u64 used_blocks;
	__u64 free_blocks;
	__u64 allocs;
	__u64 frees;
	__u64 resizes;
	__u64 fail_exhausted;
	__u64 fail_fragmented;
	__u64 bad_frees;
	__u64 file_bytes;
	__u32 file_blocks;
	__u32 steps_max_seen;
	__u64 fail_busy;
	__u64 deferred_frees;
	__u64 damaged;
	__u64 fail_damaged;
};

/**
 * enum tlsf_lat_op - which operation a latency figure belongs to
 * @TLSF_LAT_ALLOC: allocate and aligned allocate
 * @TLSF_LAT_FREE: free
 * @TLSF_LAT_RESIZE: resize in place
 * @TLSF_LAT_NR: how many there are
 */
enum tlsf_lat_op {
	TLSF_LAT_ALLOC = 0,
	TLSF_LAT_FREE = 1,
	TLSF_LAT_RESIZE = 2,
	TLSF_LAT_NR = 3,
};

/**
 * enum tlsf_lat_kind - which stretch of an operation was timed
 * @TLSF_LAT_HOLD: the core and the lock, from when it was free to be taken
 * @TLSF_LAT_TOTAL: the same, and waiting for the lock where it was not free
 * @TLSF_LAT_KINDS: how many there are
 */
enum tlsf_lat_kind {
	TLSF_LAT_HOLD = 0,
	TLSF_LAT_TOTAL = 1,
	TLSF_LAT_KINDS = 2,
};

/**
 * enum tlsf_lat_context - in which context the operations were that a figure is of
 * @TLSF_LAT_ANY: whichever
 * @TLSF_LAT_TASK: task, that is, none of those below
 * @TLSF_LAT_SOFTIRQ: softirq; on PREEMPT_RT, the thread that runs them
 * @TLSF_LAT_HARDIRQ: hard interrupt
 * @TLSF_LAT_NMI: NMI
 * @TLSF_LAT_CONTEXTS: how many there are
 */
enum tlsf_lat_context {
	TLSF_LAT_ANY = 0,
	TLSF_LAT_TASK = 1,
	TLSF_LAT_SOFTIRQ = 2,
	TLSF_LAT_HARDIRQ = 3,
	TLSF_LAT_NMI = 4,
	TLSF_LAT_CONTEXTS = 5,
};

/**
 * struct tlsf_witness - the worst operation seen, whole
 * @cycles: what it cost; 0 when nothing was recorded
 * @time_ns: when it ended, CLOCK_MONOTONIC
 * @size: bytes asked for (ALLOC, RESIZE) or given back (FREE)
 * @align: alignment asked for, 0 for none
 * @hold: the part of @cycles with the lock held
 * @steps: steps the core took
 * @cpu: where
 * @context: 0 task, 1 softirq, 2 hardirq, 3 NMI: enum tlsf_lat_context less 1
 * @reserved: 0
 * @symbol: where it was called from, as symbol+offset/size, NUL terminated; empty when
 *	that module has gone
 */
struct tlsf_witness {
	__u64 cycles;
	__u64 time_ns;
	__u64 size;
	__u64 align;
	__u64 hold;
	__u32 steps;
	__u32 cpu;
	__u32 context;
	__u32 reserved;
	__u8 symbol[64];
};

/**
 * struct tlsf_histogram - latency distribution of one operation (TLSF_IOC_HISTOGRAM)
 * @argsz: in: sizeof(struct tlsf_histogram)
 * @flags: must be 0
 * @op: in: enum tlsf_lat_op
 * @kind: in: enum tlsf_lat_kind
 * @nr_buckets: in: room at @buckets; out: buckets written
 * @reserved: must be 0
 * @buckets: in: address of an array of __u64, or 0 for the summary alone
 * @count: out: operations recorded
 * @sum: out: their cycles
 * @min: out: fewest cycles of one
 * @max: out: most cycles of one
 * @worst: out: the operation that took @max
 * @context: in: enum tlsf_lat_context; 0 for all operations
 * @reserved2: must be 0
 *
 * @context and @reserved2 are not in the first release: a user of that one leaves them
 * out, and gets all operations.
 *
 * Bucket i holds the operations that took v cycles where i = v for v < 64 and else
 * i = 32 * (f - 5) + (v >> (f - 5)) with f = floor(log2(v)): the size-class mapping
 * of TLSF with 32 second-level classes, applied to cycles. The last bucket takes
 * all that is larger.
 */
struct tlsf_histogram {
	__u32 argsz;
	__u32 flags;
	__u32 op;
	__u32 kind;
	__u32 nr_buckets;
	__u32 reserved;
	__aligned_u64 buckets;
	__u64 count;
	__u64 sum;
	__u64 min;
	__u64 max;
	struct tlsf_witness worst;
	__u32 context;
	__u32 reserved2;
};

#define TLSF_RESET_LATENCY	(1u << 0)	/* histograms, witnesses */
#define TLSF_RESET_COUNTERS	(1u << 1)	/* event counters, high water */

/**
 * struct tlsf_reset - start figures afresh; touches no block (TLSF_IOC_RESET)
 * @argsz: in: sizeof(struct tlsf_reset)
 * @flags: in: TLSF_RESET_* bits, at least one
 */
struct tlsf_reset {
	__u32 argsz;
	__u32 flags;
};

/**
 * struct tlsf_check - prove every invariant of the heap (TLSF_IOC_CHECK)
 * @argsz: in: sizeof(struct tlsf_check)
 * @flags: must be 0
 * @invariant: out: 0, or the number of the first broken invariant (EBADMSG)
 * @reserved: 0
 * @offset: out: where, in bytes from the start of the pool
 * @blocks: out: blocks visited
 *
 * Holds the pool's lock for time proportional to the number of blocks: a
 * diagnosis, not for use while deadlines count.
 */
struct tlsf_check {
	__u32 argsz;
	__u32 flags;
	__u32 invariant;
	__u32 reserved;
	__u64 offset;
	__u64 blocks;
};

#define TLSF_BLOCK_USED		(1u << 0)
#define TLSF_BLOCK_MINE		(1u << 1)	/* belongs to this open file */

/**
 * struct tlsf_block_desc - one block of the map
 * @offset: of its usable bytes from the start of the pool
 * @size: usable bytes
 * @state: TLSF_BLOCK_* bits
 * @handle: of the block when it is this open file's, else 0
 */
struct tlsf_block_desc {
	__u64 offset;
	__u64 size;
	__u32 state;
	__u32 handle;
};

#define TLSF_WALK_ATOMIC	(1u << 0)	/* one hold of the lock, however long */

/**
 * struct tlsf_walk - the map of blocks in address order (TLSF_IOC_WALK)
 * @argsz: in: sizeof(struct tlsf_walk)
 * @flags: in: TLSF_WALK_* bits
 * @nr_blocks: in: room at @blocks, at most TLSF_WALK_MAX; out: entries written
 * @more: in: 0; out: 1 when the map may go on at @cursor: all the room was used
 * @cursor: in: 0, or @cursor of the call before; out: where to go on
 * @generation: in: 0, or @generation of the call before; out: state of the pool
 * @blocks: in: address of an array of struct tlsf_block_desc
 *
 * Without TLSF_WALK_ATOMIC the lock is held for at most 64 blocks at a time, and
 * a pool that changes in between gives EAGAIN: start again from 0.
 */
struct tlsf_walk {
	__u32 argsz;
	__u32 flags;
	__u32 nr_blocks;
	__u32 more;
	__aligned_u64 cursor;
	__aligned_u64 generation;
	__aligned_u64 blocks;
};

#define TLSF_THRESHOLD_SET	(1u << 0)	/* set it; otherwise only look */

/**
 * struct tlsf_threshold - cycles that no operation should take (TLSF_IOC_THRESHOLD)
 * @argsz: in: sizeof(struct tlsf_threshold)
 * @flags: in: TLSF_THRESHOLD_* bits
 * @max_cycles: in, with TLSF_THRESHOLD_SET: cycles of the kind TLSF_LAT_TOTAL that are
 *	still allowed, 0 for no threshold; out: what it is
 * @exceeded: out: 1 when an operation has taken more since it was set, else 0, and then
 *	all below is 0
 * @op: out: the first that did: enum tlsf_lat_op
 * @pool: out: name of its pool, NUL terminated
 * @witness: out: all about it
 *
 * There is one threshold for all pools and all open files; it is the module parameter
 * max_cycles as well. It works while latencies are recorded. The first operation above
 * it, in whatever context, stops the kernel's tracing, as writing 0 to tracing_on does,
 * and makes poll() report EPOLLPRI for every open file, until it is set again. Setting
 * it forgets who exceeded the last one.
 */
struct tlsf_threshold {
	__u32 argsz;
	__u32 flags;
	__aligned_u64 max_cycles;
	__u32 exceeded;
	__u32 op;
	__u8 pool[TLSF_NAME_LEN];
	struct tlsf_witness witness;
};

#define TLSF_IOC_INFO		_IOWR(TLSF_IOC_MAGIC, 0x00, struct tlsf_info)
#define TLSF_IOC_ALLOC		_IOWR(TLSF_IOC_MAGIC, 0x01, struct tlsf_op)
#define TLSF_IOC_FREE		_IOWR(TLSF_IOC_MAGIC, 0x02, struct tlsf_op)
#define TLSF_IOC_RESIZE		_IOWR(TLSF_IOC_MAGIC, 0x03, struct tlsf_op)
#define TLSF_IOC_FILL		_IOWR(TLSF_IOC_MAGIC, 0x04, struct tlsf_op)
#define TLSF_IOC_VERIFY		_IOWR(TLSF_IOC_MAGIC, 0x05, struct tlsf_op)
#define TLSF_IOC_BATCH		_IOWR(TLSF_IOC_MAGIC, 0x06, struct tlsf_batch)
#define TLSF_IOC_STATS		_IOWR(TLSF_IOC_MAGIC, 0x07, struct tlsf_stats)
#define TLSF_IOC_HISTOGRAM	_IOWR(TLSF_IOC_MAGIC, 0x08, struct tlsf_histogram)
#define TLSF_IOC_RESET		_IOWR(TLSF_IOC_MAGIC, 0x09, struct tlsf_reset)
#define TLSF_IOC_CHECK		_IOWR(TLSF_IOC_MAGIC, 0x0a, struct tlsf_check)
#define TLSF_IOC_WALK		_IOWR(TLSF_IOC_MAGIC, 0x0b, struct tlsf_walk)
#define TLSF_IOC_THRESHOLD	_IOWR(TLSF_IOC_MAGIC, 0x0c, struct tlsf_threshold)

#endif /* _UAPI_LINUX_TLSF_H */
