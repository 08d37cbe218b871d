// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf info: the constants of the module and of its default pool.
 *
 * Room: cli. Reads INFO only; changes nothing.
 */
#include "dev.h"

static const struct argp argp = {
	.doc = "Show the constants of the module and of the pool.",
	.children = cli_json_child,
};

static int name_len(const struct tlsf_info *info)
{
	int len = 0;

	while (len < TLSF_NAME_LEN && info->name[len])
		len++;
	return len;
}

/* A quota of all ones is none. */
static json_t *quota_json(u64 quota, u64 none)
{
	return quota == none ? json_null() : json_integer((json_int_t)quota);
}

static int info_json(const struct dev *dev)
{
	const struct tlsf_info *i = &dev->info;

	return print_json(json_pack("{s:s#, s:i, s:o, s:I, s:I, s:i, s:i, s:i, s:i, s:o, s:o, s:i}",
		"name", (const char *)i->name, name_len(i), "abi_version", i->abi_version,
		"clock", dev_clock_json(dev), "pool_bytes", (json_int_t)i->pool_bytes,
		"max_request", (json_int_t)i->max_request, "granule", i->granule,
		"min_usable", i->min_usable, "block_overhead", i->block_overhead,
		"max_batch", i->max_batch, "quota_bytes", quota_json(i->quota_bytes, ~0ULL),
		"quota_blocks", quota_json(i->quota_blocks, ~0u), "steps_max", i->steps_max));
}

static void print_bytes(const char *label, u64 bytes)
{
	char human[16];

	if (bytes == ~0ULL)
		printf("%-18s none\n", label);
	else
		printf("%-18s %llu bytes (%s)\n", label, bytes, human_bytes(bytes, human));
}

static void info_text(const struct dev *dev)
{
	const struct tlsf_info *i = &dev->info;

	printf("%-18s %.*s\n", "pool", name_len(i), (const char *)i->name);
	printf("%-18s %u\n", "ABI", i->abi_version);
	print_bytes("memory", i->pool_bytes);
	print_bytes("largest request", i->max_request);
	printf("%-18s granule %u, smallest %u, overhead %u bytes each\n", "blocks",
	       i->granule, i->min_usable, i->block_overhead);
	printf("%-18s at most %u for any operation\n", "steps", i->steps_max);
	printf("%-18s %u operations a call\n", "batch", i->max_batch);
	print_bytes("quota, bytes", i->quota_bytes);
	if (i->quota_blocks == ~0u)
		printf("%-18s none\n", "quota, blocks");
	else
		printf("%-18s %u\n", "quota, blocks", i->quota_blocks);
	printf("%-18s ", "clock");
	dev_print_clock(dev);
}

int cmd_info(struct cli *cli, int argc, char **argv)
{
	struct dev dev;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, cli);
	code = dev_open(&dev, cli->device);
	if (code)
		return code;
	if (cli->json)
		code = info_json(&dev);
	else
		info_text(&dev);
	dev_close(&dev);
	return code;
}
