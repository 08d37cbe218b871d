// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the uapi tests share; see uapi.h.
 *
 * Room: vm. libc, <linux/tlsf.h>, and the KTAP harness of tools/host.
 */
#include "uapi.h"

#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#define DEVICE		"/dev/tlsf"
#define FILES_MAX	64

const char *uapi_context = "";

static int files[FILES_MAX];
static unsigned int nr_files;

/* ---- parameters: those that may be changed, and what they were ---- */

static struct {
	const char *name;
	char value[32];
} parameters[] = {
	{ .name = "latency" }, { .name = "max_cycles" }, { .name = "quota_blocks" },
	{ .name = "quota_bytes" },
};

static int parameter_read(const char *name, char *value, size_t room)
{
	char path[128];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return -errno;
	got = read(fd, value, room - 1);
	close(fd);
	value[got > 0 ? got : 0] = '\0';
	return 0;
}

int parameter_set(const char *name, const char *value)
{
	char path[128];
	int fd, err = 0;

	snprintf(path, sizeof(path), PARAMETERS "%s", name);
	fd = open(path, O_WRONLY);
	if (fd < 0)
		return -errno;
	if (write(fd, value, strlen(value)) < 0)
		err = -errno;
	close(fd);
	return err;
}

u64 parameter_get(const char *name)
{
	char value[32] = "";

	EXPECT_OK(parameter_read(name, value, sizeof(value)));
	return strtoull(value, NULL, 0);
}

/* So many rounds of a race, but fewer where each takes long: tests.sh says how long. */
int rounds_here(int rounds)
{
	const char *slow = getenv("tlsf_slow");
	int by = slow ? atoi(slow) : 1;

	return by > 1 ? rounds / by : rounds;
}

bool emulated(void)
{
	FILE *f = fopen("/proc/cpuinfo", "r");
	bool found = false;
	char line[256];

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "QEMU TCG");
	if (f)
		fclose(f);
	return found;
}

static void parameters_save(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		parameter_read(parameters[i].name, parameters[i].value,
			       sizeof(parameters[i].value));
}

static void parameters_restore(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(parameters); i++)
		parameter_set(parameters[i].name, parameters[i].value);
}

/* ---- a test ---- */

/* What the process of the cases left behind when it ended, however it ended. */
static int leftovers(void)
{
	struct tlsf_stats stats = { .argsz = sizeof(stats) };
	struct tlsf_check check = { .argsz = sizeof(check) };
	int fd = open(DEVICE, O_RDWR), err;

	if (fd < 0)
		return EXIT_SUCCESS;	/* the cases have said so */
	err = dev_call(fd, TLSF_IOC_STATS, &stats) ?: dev_call(fd, TLSF_IOC_CHECK, &check);
	close(fd);
	if (err || stats.used_blocks)
		printf("# left behind: %llu blocks; invariant %u of the heap is broken (0: none)\n",
		       stats.used_blocks, check.invariant);
	return err || stats.used_blocks ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* Runs the cases in a process of their own, and puts things right after it. */
int uapi_main(const char *file, const struct ktap_case *cases, size_t nr)
{
	int status = 0;
	pid_t child;

	parameters_save();
	child = fork();
	if (!child)
		exit(ktap_run(file, cases, nr));
	if (child < 0 || waitpid(child, &status, 0) != child)
		status = -1;
	if (status && !WIFEXITED(status))
		printf("Bail out! %s: the test ended with wait status %#x\n", file, status);
	parameters_restore();
	return leftovers() || status ? EXIT_FAILURE : EXIT_SUCCESS;
}

/* ---- the device ---- */

/* Another open file. */
int dev_open(void)
{
	int fd = open(DEVICE, O_RDWR | O_CLOEXEC);

	if (fd < 0)
		ktap_fail(__FILE__, __LINE__, DEVICE ": cannot open: %s", strerror(errno));
	EXPECT(nr_files < FILES_MAX);
	files[nr_files++] = fd;
	return fd;
}

void dev_close(int fd)
{
	close(fd);
	for (unsigned int i = 0; i < nr_files; i++)
		if (files[i] == fd)
			files[i] = files[--nr_files];
}

/* The only open file of this test, and the pool is empty. */
int dev_fresh(void)
{
	int fd;

	uapi_context = "";
	while (nr_files)
		close(files[--nr_files]);
	parameters_restore();
	fd = dev_open();
	EXPECT_EQ(stats_of(fd).used_blocks, 0);
	return fd;
}

int dev_call(int fd, unsigned long cmd, void *arg)
{
	return ioctl(fd, cmd, arg) < 0 ? -errno : 0;
}

struct tlsf_info info_of(int fd)
{
	struct tlsf_info info = { .argsz = sizeof(info) };

	EXPECT_OK(dev_call(fd, TLSF_IOC_INFO, &info));
	return info;
}

struct tlsf_stats stats_of(int fd)
{
	struct tlsf_stats stats = { .argsz = sizeof(stats) };

	EXPECT_OK(dev_call(fd, TLSF_IOC_STATS, &stats));
	return stats;
}

void reset(int fd, u32 flags)
{
	struct tlsf_reset arg = { .argsz = sizeof(arg), .flags = flags };

	EXPECT_OK(dev_call(fd, TLSF_IOC_RESET, &arg));
}

/* ---- operations ---- */

/* One operation by the ioctl of its own, which must say the same as its result. */
int op_run(int fd, struct tlsf_op *op)
{
	static const unsigned long cmd[] = {
		[TLSF_OP_ALLOC] = TLSF_IOC_ALLOC, [TLSF_OP_FREE] = TLSF_IOC_FREE,
		[TLSF_OP_RESIZE] = TLSF_IOC_RESIZE, [TLSF_OP_FILL] = TLSF_IOC_FILL,
		[TLSF_OP_VERIFY] = TLSF_IOC_VERIFY,
	};
	int err;

	op->result = 1;
	err = dev_call(fd, cmd[op->opcode], op);
	return op->result == err ? err : -EPROTO;
}

int op_do(int fd, struct tlsf_op op)
{
	return op_run(fd, &op);
}

int batch_call(int fd, struct tlsf_batch *batch, const void *ops, u32 nr)
{
	*batch = (struct tlsf_batch){
		.argsz = sizeof(*batch), .nr_ops = nr, .ops = (uintptr_t)ops,
	};
	return dev_call(fd, TLSF_IOC_BATCH, batch);
}

/* A batch that runs to its end: its first failed result, or 0. */
int batch_do(int fd, struct tlsf_op *ops, u32 nr)
{
	struct tlsf_batch batch;
	int err = batch_call(fd, &batch, ops, nr);

	if (err)
		return err;
	if (batch.nr_ops != nr)
		return -EPROTO;
	for (u32 i = 0; i < nr; i++)
		if (ops[i].result)
			return ops[i].result;
	return 0;
}

struct tlsf_op alloc_ok(int fd, struct tlsf_op op)
{
	EXPECT_OK(op_run(fd, &op));
	EXPECT(op.handle != 0);
	EXPECT_GE(op.usable, op.size);
	return op;
}

u64 offset_of_block(int fd, u32 handle)
{
	static struct map map;

	map_read(fd, &map);
	return map_find(&map, handle)->offset;
}

/* Blocks of @size until there is no room for one more; returns how many. */
u32 fill_pool(int fd, u64 size, u32 *handles, u32 room)
{
	u32 nr = 0;

	for (; nr < room; nr++) {
		struct tlsf_op op = OP(ALLOC, .size = size);
		int err = op_run(fd, &op);

		if (err == -ENOMEM)
			return nr;
		EXPECT_OK(err);
		handles[nr] = op.handle;
	}
	ktap_fail(__FILE__, __LINE__, "the pool has room for more than %u blocks of %llu bytes",
		  room, size);
}

/* ---- the map ---- */

void map_read(int fd, struct map *map)
{
	struct tlsf_walk walk = {
		.argsz = sizeof(walk), .flags = TLSF_WALK_ATOMIC, .nr_blocks = TLSF_WALK_MAX,
		.blocks = (uintptr_t)map->block,
	};

	EXPECT_OK(dev_call(fd, TLSF_IOC_WALK, &walk));
	EXPECT_EQ(walk.more, 0);
	map->nr = walk.nr_blocks;
}

const struct tlsf_block_desc *map_find(const struct map *map, u32 handle)
{
	for (u32 i = 0; i < map->nr; i++)
		if (map->block[i].state & TLSF_BLOCK_MINE && map->block[i].handle == handle)
			return &map->block[i];
	ktap_fail(__FILE__, __LINE__, "the map has no block with handle %u", handle);
}

/* Ascending, contiguous apart from headers, no two free blocks side by side. */
void map_expect_tiles(const struct map *map, const struct tlsf_info *info)
{
	EXPECT(map->nr > 0);
	for (u32 i = 0; i < map->nr; i++) {
		const struct tlsf_block_desc *b = &map->block[i];

		EXPECT_GE(b->size, info->min_usable);
		EXPECT_EQ(b->size % info->granule, 0);
		EXPECT_EQ(b->state & ~(TLSF_BLOCK_USED | TLSF_BLOCK_MINE), 0);
		EXPECT_LE(b->offset + b->size, info->pool_bytes);
		if (!i)
			continue;
		EXPECT_EQ(b->offset, b[-1].offset + b[-1].size + info->block_overhead);
		EXPECT((b->state | b[-1].state) & TLSF_BLOCK_USED);
	}
}

/* ---- every call once ---- */

#define CALL(name, type)	GREW(name, type, sizeof(struct type))
#define GREW(name, type, first)	{ #name, TLSF_IOC_##name, sizeof(struct type), first }

const struct uapi_call uapi_calls[UAPI_CALLS] = {
	CALL(INFO, tlsf_info), CALL(ALLOC, tlsf_op), CALL(FREE, tlsf_op), CALL(RESIZE, tlsf_op),
	CALL(FILL, tlsf_op), CALL(VERIFY, tlsf_op), CALL(BATCH, tlsf_batch),
	GREW(STATS, tlsf_stats, 128), GREW(HISTOGRAM, tlsf_histogram, 184),
	CALL(RESET, tlsf_reset), CALL(CHECK, tlsf_check), CALL(WALK, tlsf_walk),
	CALL(THRESHOLD, tlsf_threshold),
};

/* An argument with which @call succeeds once, and changes something if it can. */
void uapi_prepare(int fd, const struct uapi_call *call, union uapi_arg *arg)
{
	static struct tlsf_op batched;
	static struct tlsf_block_desc blocks[4];

	memset(arg, 0, sizeof(*arg));
	arg->argsz = (u32)call->size;
	batched = OP(ALLOC, .size = 64);
	if (call->cmd == TLSF_IOC_ALLOC) {
		arg->op.size = 64;
	} else if (call->size == sizeof(struct tlsf_op)) {
		arg->op.handle = ALLOC(fd, .size = 100).handle;
		EXPECT_OK(op_do(fd, OP(FILL, .handle = arg->op.handle)));
		arg->op.size = call->cmd == TLSF_IOC_RESIZE ? 1000 : 0;
	} else if (call->cmd == TLSF_IOC_BATCH) {
		arg->batch.nr_ops = 1;
		arg->batch.ops = (uintptr_t)&batched;
	} else if (call->cmd == TLSF_IOC_RESET) {
		arg->reset.flags = TLSF_RESET_COUNTERS;
	} else if (call->cmd == TLSF_IOC_WALK) {
		arg->walk.nr_blocks = ARRAY_SIZE(blocks);
		arg->walk.blocks = (uintptr_t)blocks;
	}
}

/* ---- user memory of the wrong kind ---- */

void *pages_new(unsigned int nr, int prot)
{
	void *at = mmap(NULL, nr * 4096, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	EXPECT(at != MAP_FAILED);
	return at;
}

/* The last @bytes of a page that is followed by nothing. */
void *page_gap(size_t bytes)
{
	char *at = pages_new(2, PROT_READ | PROT_WRITE);

	EXPECT(!munmap(at + 4096, 4096));
	return at + 4096 - bytes;
}

/* ---- expectations ---- */

static const char *result_name(int result)
{
	if (!result)
		return "success";
	return strerrorname_np(-result) ?: "no errno";
}

void expect_result(const char *file, int line, const char *text, int got, int want)
{
	if (got != want)
		ktap_fail(file, line, "%s%s%s: %s (%d), expected %s", uapi_context,
			  *uapi_context ? ": " : "", text, result_name(got), got,
			  result_name(want));
}

#define FIELD(name, counts)	{ #name, offsetof(struct tlsf_stats, name), counts }

/* 64-bit figures; what counts failures may change when a request is refused */
static const struct {
	const char *name;
	size_t offset;
	bool counts_failures;
} fields[] = {
	FIELD(used_bytes, false), FIELD(free_bytes, false), FIELD(overhead_bytes, false),
	FIELD(largest_free, false), FIELD(high_water, false), FIELD(used_blocks, false),
	FIELD(free_blocks, false), FIELD(allocs, false), FIELD(frees, false),
	FIELD(resizes, false), FIELD(fail_exhausted, true), FIELD(fail_fragmented, true),
	FIELD(bad_frees, false), FIELD(file_bytes, false), FIELD(fail_busy, false),
	FIELD(deferred_frees, false), FIELD(damaged, false), FIELD(fail_damaged, false),
};

void expect_unchanged(const char *file, int line, int fd, const struct tlsf_stats *before,
		      bool counters)
{
	struct tlsf_stats now = stats_of(fd);

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		u64 is = *(u64 *)((char *)&now + fields[i].offset);
		u64 was = *(const u64 *)((const char *)before + fields[i].offset);

		if (is != was && (counters || !fields[i].counts_failures))
			ktap_fail(file, line, "%s: %s is %llu, was %llu: something changed",
				  uapi_context, fields[i].name, is, was);
	}
	if (now.file_blocks != before->file_blocks)
		ktap_fail(file, line, "%s: file_blocks is %u, was %u: something changed",
			  uapi_context, now.file_blocks, before->file_blocks);
}

void expect_sound(const char *file, int line, int fd)
{
	struct tlsf_check check = { .argsz = sizeof(check) };
	struct tlsf_stats s = stats_of(fd);
	int err = dev_call(fd, TLSF_IOC_CHECK, &check);

	if (err || check.invariant)
		ktap_fail(file, line, "CHECK: %s, invariant %u is broken at %llu",
			  result_name(err), check.invariant, check.offset);
	if (s.used_bytes + s.free_bytes + s.overhead_bytes != info_of(fd).pool_bytes)
		ktap_fail(file, line, "used %llu + free %llu + overhead %llu is not the pool",
			  s.used_bytes, s.free_bytes, s.overhead_bytes);
}
