// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf check: prove every invariant of the heap, or name the one that is broken.
 *
 * Room: cli. Calls CHECK, which holds the pool's lock for long.
 */
#include "check.h"

#include <errno.h>

static const struct argp argp = {
	.doc = "Prove every invariant of the heap."
	       "\v"
	       "Exit status 0: all hold. 1: one is broken; its number is printed. Holds the "
	       "pool's lock while it looks at every block: not while deadlines count.",
	.children = cli_json_child,
};

/* In the words, and by the numbers, of the list in tlsf_core.h. */
static const char *const invariant_name[] = {
	[1] = "blocks tile the region exactly",
	[2] = "block sizes are possible",
	[3] = "no two free blocks are physical neighbours",
	[4] = "the flag for a free block below is right",
	[5] = "the footer of a free block holds its address",
	[6] = "free lists are linked right and hold blocks of their class",
	[7] = "the lists hold exactly the free blocks",
	[8] = "bitmaps say which lists are not empty",
	[9] = "counters agree with the blocks",
	[10] = "regions are sorted and disjoint",
};

static const char *name_of(u32 invariant)
{
	const char *name = NULL;

	if (invariant < ARRAY_SIZE(invariant_name))
		name = invariant_name[invariant];
	return name ? name : "unknown to this version of the command";
}

/* EXIT_OK, or why not; a broken invariant is in @check. */
int check_run(struct dev *dev, struct tlsf_check *check)
{
	int err = dev_check(dev, check);

	if (err && err != -EBADMSG)
		return dev_explain(dev, "CHECK", err);
	if (!err && !check->invariant)
		return EXIT_OK;
	complain("%s: the heap is damaged: invariant %u (%s) is broken at offset 0x%llx: memory "
		 "was overwritten; the kernel log may say by whom", dev->path, check->invariant,
		 name_of(check->invariant), check->offset);
	return EXIT_BAD;
}

void check_print(const struct tlsf_check *check)
{
	if (check->invariant)
		printf("check: BROKEN invariant %u (%s) at offset 0x%llx, %llu blocks visited\n",
		       check->invariant, name_of(check->invariant), check->offset,
		       check->blocks);
	else
		printf("check: all invariants hold over %llu blocks\n", check->blocks);
}

json_t *check_json(const struct tlsf_check *check)
{
	return json_pack("{s:b, s:i, s:s?, s:I, s:I}", "ok", !check->invariant,
			 "invariant", check->invariant,
			 "name", check->invariant ? name_of(check->invariant) : NULL, "offset", (json_int_t)check->offset,
			 "blocks", (json_int_t)check->blocks);
}

int cmd_check(struct cli *cli, int argc, char **argv)
{
	struct tlsf_check check;
	struct dev dev;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, cli);
	code = dev_open(&dev, cli->device);
	if (code)
		return code;
	code = check_run(&dev, &check);
	dev_close(&dev);
	if (code && !check.invariant)
		return code;
	if (cli->json)
		return print_json(check_json(&check)) ?: code;
	check_print(&check);
	return code;
}
