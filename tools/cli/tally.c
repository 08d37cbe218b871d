// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a load did: operations, failures, cycles, peaks; as text and as JSON.
 *
 * Room: cli. Pure bookkeeping; prints to stdout when asked.
 */
#include "lat.h"
#include "tally.h"

#include <string.h>

void tally_served(struct tally *t, u32 lat_op, u64 cycles)
{
	struct cost *c = &t->cost[lat_op];

	if (!c->count || cycles < c->min)
		c->min = cycles;
	if (cycles > c->max)
		c->max = cycles;
	c->sum += cycles;
	c->count++;
}

static u64 larger(u64 a, u64 b)
{
	return a > b ? a : b;
}

/* Live memory changed by so much; @overhead is the allocator's own, per block. */
void tally_hold(struct tally *t, long long blocks, long long wanted, long long usable,
		u32 overhead)
{
	t->live.blocks += (u64)blocks;
	t->live.wanted += (u64)wanted;
	t->live.usable += (u64)usable;
	t->live.footprint = t->live.usable + t->live.blocks * overhead;
	t->peak.blocks = larger(t->peak.blocks, t->live.blocks);
	t->peak.wanted = larger(t->peak.wanted, t->live.wanted);
	t->peak.usable = larger(t->peak.usable, t->live.usable);
	t->peak.footprint = larger(t->peak.footprint, t->live.footprint);
}

void tally_failed(struct tally *t, int err)
{
	t->failed[err < TALLY_ERRNOS ? err : 0]++;
}

static void cost_add(struct cost *sum, const struct cost *part)
{
	if (!part->count)
		return;
	if (!sum->count || part->min < sum->min)
		sum->min = part->min;
	sum->max = larger(sum->max, part->max);
	sum->sum += part->sum;
	sum->count += part->count;
}

/* Peaks of threads are not simultaneous and are not added. */
void tally_add(struct tally *sum, const struct tally *part)
{
	for (int op = 0; op < TLSF_LAT_NR; op++)
		cost_add(&sum->cost[op], &part->cost[op]);
	for (int err = 0; err < TALLY_ERRNOS; err++)
		sum->failed[err] += part->failed[err];
	sum->verified += part->verified;
	if (part->faults && !sum->faults)
		strcpy(sum->fault, part->fault);
	sum->faults += part->faults;
}

/* Allocations, frees and resizes that succeeded. */
u64 tally_operations(const struct tally *t)
{
	u64 sum = 0;

	for (int op = 0; op < TLSF_LAT_NR; op++)
		sum += t->cost[op].count;
	return sum;
}

static void print_failures(const struct tally *t)
{
	bool any = false;

	printf("  %-10s", "failures");
	for (int err = 0; err < TALLY_ERRNOS; err++) {
		if (!t->failed[err])
			continue;
		printf("%s %llu %s", any ? "," : "", t->failed[err], errno_name(err));
		any = true;
	}
	puts(any ? "" : " none");
}

void tally_print(const struct tally *t, const struct dev *dev, bool verify)
{
	for (int op = 0; op < TLSF_LAT_NR; op++) {
		const struct cost *c = &t->cost[op];

		printf("  %-10s %12llu", lat_op_name[op], c->count);
		if (c->max)
			printf("   core cycles min %llu avg %.1f max %llu (%.0f ns)", c->min,
			       (double)c->sum / (double)c->count, c->max,
			       dev_ns(dev, (double)c->max));
		putchar('\n');
	}
	print_failures(t);
	if (verify)
		printf("  %-10s %12llu times a block, %s\n", "verified", t->verified,
		       t->faults ? "see the fault below" : "all contents right");
	else
		printf("  %-10s %12s\n", "verified", "off");
	if (t->faults)
		printf("  %-10s %12llu, the first: %s\n", "faults", t->faults, t->fault);
}

static json_t *cost_json(const struct cost *c)
{
	return json_pack("{s:I, s:I, s:f, s:I}", "count", (json_int_t)c->count,
			 "min_cycles", (json_int_t)c->min,
			 "mean_cycles", c->count ? (double)c->sum / (double)c->count : 0.0,
			 "max_cycles", (json_int_t)c->max);
}

/* Adds the account to @object. */
int tally_json(const struct tally *t, json_t *object)
{
	json_t *failed = json_object();
	int bad = 0;

	for (int op = 0; op < TLSF_LAT_NR; op++)
		bad |= json_object_set_new(object, lat_op_name[op], cost_json(&t->cost[op]));
	for (int err = 0; err < TALLY_ERRNOS; err++)
		if (t->failed[err])
			bad |= json_object_set_new(failed, errno_name(err),
						   json_integer((json_int_t)t->failed[err]));
	bad |= json_object_set_new(object, "failures", failed);
	bad |= json_object_set_new(object, "verified", json_integer((json_int_t)t->verified));
	bad |= json_object_set_new(object, "faults", json_integer((json_int_t)t->faults));
	if (t->faults)
		bad |= json_object_set_new(object, "first_fault", json_string(t->fault));
	return bad;
}
