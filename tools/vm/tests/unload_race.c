// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unloading while everybody is at the module: it is refused as busy or it succeeds, and
 * then what was held has come back.
 *
 * Room: vm. Threads open, use and close the device, read the views,
 * switch recording and the threshold, switch tracing, load and unload a client.
 */
#include "uapi.h"

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#define UNLOADS		40
#define SECONDS		3	/* if it takes longer, fewer will do */
#define PATIENCE	20	/* refusals until the others pause */
#define TRACING		"/sys/kernel/tracing/"

static atomic_bool stop, pause_now;
static pthread_mutex_t loading = PTHREAD_MUTEX_INITIALIZER;	/* whoever loads or unloads */
static bool loaded;						/* under loading */

/* ---- modules and files ---- */

static int module_load(const char *path, const char *parameters)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = syscall(SYS_finit_module, fd, parameters, 0) ? -errno : 0;
	close(fd);
	return err;
}

static int module_unload(const char *name)
{
	return syscall(SYS_delete_module, name, O_NONBLOCK) ? -errno : 0;
}

static int file_write(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC), err = 0;

	if (fd < 0)
		return -errno;
	if (write(fd, text, strlen(text)) < 0)
		err = -errno;
	close(fd);
	return err;
}

static int file_read(const char *path)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC), err = 0;
	char some[1024];
	ssize_t got;

	if (fd < 0)
		return -errno;
	do
		got = read(fd, some, sizeof(some));
	while (got > 0);
	if (got < 0)
		err = -errno;
	close(fd);
	return err;
}

/* memory from vmalloc that is in use, as a pool is; with what each CPU has counted */
static u64 vmalloc_kb(void)
{
	FILE *f = fopen("/proc/meminfo", "r");
	u64 kb = 0;
	char line[128];

	file_write("/proc/sys/vm/stat_refresh", "1");	/* EINVAL: another figure is below zero */
	while (f && fgets(line, sizeof(line), f))
		if (sscanf(line, "VmallocUsed: %llu", &kb) == 1)
			break;
	EXPECT(f && kb);
	fclose(f);
	return kb;
}

/* ---- what they do; 0, or what must not happen ---- */

/* the module is not there, or on its way out */
static int unless_gone(int err)
{
	return err == -ENOENT || err == -ENODEV || err == -ENXIO || err == -EIO ? 0 : err;
}

/* who has it open is served */
static int use_device(struct rng *rng)
{
	int fd = open("/dev/tlsf", O_RDWR | O_CLOEXEC), err;
	struct pollfd wait = { .fd = fd, .events = POLLPRI };
	struct tlsf_op ops[] = {
		OP(ALLOC, .size = 1000), OP(ALLOC, .size = 100), OP(FREE, .flags = TLSF_OP_REF),
	};

	if (fd < 0)
		return unless_gone(-errno);
	err = batch_do(fd, ops, ARRAY_SIZE(ops));
	poll(&wait, 1, (int)rng_below(rng, 2));
	close(fd);
	return err;
}

static int read_views(struct rng *rng)
{
	static const char *const view[] = { "stats", "latency", "map" };
	char path[64];

	snprintf(path, sizeof(path), "/sys/kernel/debug/tlsf/default/%s",
		 view[rng_below(rng, ARRAY_SIZE(view))]);
	return unless_gone(file_read(path));
}

static int switch_threshold(struct rng *rng)
{
	usleep(2000);
	return unless_gone(parameter_set("max_cycles", rng_below(rng, 2) ? "1" : "0"));
}

static int switch_recording(struct rng *rng)
{
	usleep(2000);
	return unless_gone(parameter_set("latency", rng_below(rng, 2) ? "1" : "0"));
}

/* For who has the file open when the events go, no event is of that name: EINVAL. */
static int switch_tracing(struct rng *rng)
{
	int err;

	usleep(2000);
	err = file_write(TRACING "events/tlsf/enable", rng_below(rng, 2) ? "1" : "0");
	return err == -EINVAL ? 0 : unless_gone(err);
}

/* in the place of what cannot be done here */
static int rest(struct rng *rng)
{
	usleep(2000 + (unsigned int)rng_below(rng, 2000));
	return 0;
}

/* It goes while the module may be going; it comes when that is there. */
static int come_and_go(struct rng *rng)
{
	int err = 0;

	pthread_mutex_lock(&loading);
	if (loaded)
		err = module_load("/modules/tlsf_contexts.ko", "task=3 softirq=3 hardirq=3");
	pthread_mutex_unlock(&loading);
	usleep((unsigned int)rng_below(rng, 2000));
	return err ?: unless_gone(module_unload("tlsf_contexts"));
}

static struct worker {
	const char *name;
	int (*turn)(struct rng *rng);
	bool patches;		/* the kernel's code */
	pthread_t thread;
	unsigned int turns;
	int err;
} workers[] = {
	{ .name = "use the device", .turn = use_device },
	{ .name = "use the device too", .turn = use_device },
	{ .name = "read the views", .turn = read_views },
	{ .name = "switch the threshold", .turn = switch_threshold },
	{ .name = "switch recording", .turn = switch_recording, .patches = true },
	{ .name = "switch tracing", .turn = switch_tracing, .patches = true },
	{ .name = "a client", .turn = come_and_go },
};

#define FOR_EACH_WORKER(w)							\
	for (w = workers; w < workers + ARRAY_SIZE(workers) && (uapi_context = w->name); w++)

static void *work(void *arg)
{
	struct worker *w = arg;
	struct rng rng = rng_seed(ktap_seed + (u64)(w - workers));

	while (!stop && !w->err) {
		while (pause_now)
			usleep(500);
		w->err = w->turn(&rng);
		w->turns++;
		usleep((unsigned int)rng_below(&rng, 2000));
	}
	return NULL;
}

/* ---- the run ---- */

static int unload_once(void)
{
	int err;

	pthread_mutex_lock(&loading);
	err = module_unload("tlsf_mod");
	loaded = err;
	pthread_mutex_unlock(&loading);
	return err;
}

/* until it succeeds; how often it was refused */
static unsigned int unload(struct rng *rng)
{
	unsigned int refused = 0;
	int err;

	while ((err = unload_once())) {
		EXPECT_ERR(err, EAGAIN);
		pause_now = ++refused > PATIENCE;
		EXPECT_LE(refused, 100 * PATIENCE);
		usleep((unsigned int)rng_below(rng, 1000));
	}
	pause_now = false;
	EXPECT(access("/sys/module/tlsf_mod", F_OK));
	EXPECT(access("/sys/kernel/debug/tlsf", F_OK));
	EXPECT(access(TRACING "events/tlsf", F_OK));
	return refused;
}

static void load(void)
{
	pthread_mutex_lock(&loading);
	loaded = !module_load("/modules/tlsf_mod.ko", "pool_size=1M");
	pthread_mutex_unlock(&loading);
	EXPECT(loaded);
}

static void unload_and_load(unsigned int *unloads, unsigned int *refused)
{
	struct rng rng = rng_seed(ktap_seed);
	time_t end = time(NULL) + SECONDS;

	while (*unloads < UNLOADS && (time(NULL) < end || *unloads < 3)) {
		usleep((unsigned int)rng_below(&rng, 5000));
		*refused += unload(&rng);
		++*unloads;
		load();
	}
}

static void busy_or_gone(void)
{
	unsigned int unloads = 0, refused = 0;
	struct worker *w;
	u64 before;

	EXPECT_OK(file_write(TRACING "options/record-cmd", "0"));	/* see docs/testing.md */
	EXPECT_OK(module_unload("tlsf_mod"));
	before = vmalloc_kb();
	load();
	FOR_EACH_WORKER(w) {
		if (w->patches && emulated())
			w->turn = rest;
		EXPECT(!pthread_create(&w->thread, NULL, work, w));
	}
	unload_and_load(&unloads, &refused);
	stop = true;
	FOR_EACH_WORKER(w)
		pthread_join(w->thread, NULL);
	FOR_EACH_WORKER(w) {
		EXPECT_OK(w->err);
		EXPECT_GE(w->turns, 1);
	}
	printf("# unloaded %u times, refused %u times\n", unloads, refused);
	EXPECT_GE(refused, 1);
	EXPECT_OK(module_unload("tlsf_mod"));
	EXPECT_LE(vmalloc_kb(), before + 512);
}

static void works_on(void)
{
	int fd;

	EXPECT_OK(module_load("/modules/tlsf_mod.ko", ""));
	EXPECT_OK(file_write(TRACING "options/record-cmd", "1"));
	EXPECT_OK(file_write(TRACING "tracing_on", "1"));
	fd = dev_fresh();
	ALLOC(fd, .size = 100);
	EXPECT_SOUND(fd);
}

UAPI_MAIN(KTAP_CASE(busy_or_gone), KTAP_CASE(works_on))
