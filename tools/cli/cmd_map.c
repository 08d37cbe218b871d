// SPDX-License-Identifier: GPL-2.0-only
/*
 * tlsf map: a picture of the pool's memory, and how fragmented it is.
 *
 * Room: cli. Reads the block map; changes nothing.
 *
 * The pool is cut into equal cells; each shows which share of its usable bytes is
 * allocated. Colour only on a terminal, and not when NO_COLOR is set.
 */
#include "walk.h"

#include <stdlib.h>
#include <sys/ioctl.h>
#include <unistd.h>

enum { OPT_WIDTH = KEY(16), OPT_ROWS, OPT_ASCII };

#define LABEL_WIDTH	14	/* "0x0123456789  " before each row */

struct options {
	struct cli *cli;
	unsigned int width, rows;
	bool ascii;
};

struct cell {
	u64 used, free;
};

struct summary {
	u64 used_blocks, free_blocks, used_bytes, free_bytes, largest;
};

static error_t parse(int key, char *arg, struct argp_state *state)
{
	struct options *o = state->input;

	switch (key) {
	case ARGP_KEY_INIT:
		state->child_inputs[0] = o->cli;
		return 0;
	case OPT_WIDTH:
		o->width = (unsigned int)arg_number(state, "width", arg, 1, 1000);
		return 0;
	case OPT_ROWS:
		o->rows = (unsigned int)arg_number(state, "rows", arg, 1, 1000);
		return 0;
	case OPT_ASCII:
		o->ascii = true;
		return 0;
	}
	return ARGP_ERR_UNKNOWN;
}

static const struct argp_option options[] = {
	{ "width", OPT_WIDTH, "N", 0, "Cells in a row (default: as wide as the terminal)", 0 },
	{ "rows", OPT_ROWS, "N", 0, "Rows (default 16)", 0 },
	{ "ascii", OPT_ASCII, NULL, 0, "Draw with ASCII even in a UTF-8 terminal", 0 },
	{ 0 }
};

static const struct argp argp = {
	.options = options,
	.parser = parse,
	.doc = "Show which memory of the pool is used and which is free."
	       "\v"
	       "With --json, lists every block. Fragmentation is 1 - largest free block / free "
	       "bytes.",
	.children = cli_json_child,
};

static struct summary summarise(const struct heap *heap)
{
	struct summary s = { 0 };

	for (size_t i = 0; i < heap->nr; i++) {
		const struct tlsf_block_desc *b = &heap->blocks[i];

		if (b->state & TLSF_BLOCK_USED) {
			s.used_blocks++;
			s.used_bytes += b->size;
			continue;
		}
		s.free_blocks++;
		s.free_bytes += b->size;
		s.largest = b->size > s.largest ? b->size : s.largest;
	}
	return s;
}

static double fragmentation(const struct summary *s)
{
	return s->free_bytes ? 1 - (double)s->largest / (double)s->free_bytes : 0;
}

/* Adds the bytes of one block to the cells it lies in. */
static void spread(struct cell *cells, size_t nr, u64 cell_bytes,
		   const struct tlsf_block_desc *b)
{
	u64 at = b->offset, end = b->offset + b->size;

	while (at < end && at / cell_bytes < nr) {
		u64 edge = (at / cell_bytes + 1) * cell_bytes;
		u64 part = (edge < end ? edge : end) - at;
		struct cell *cell = &cells[at / cell_bytes];

		if (b->state & TLSF_BLOCK_USED)
			cell->used += part;
		else
			cell->free += part;
		at += part;
	}
}

/* 0 free .. 4 full; 5: only headers, or the control structure */
static unsigned int cell_level(const struct cell *cell)
{
	u64 all = cell->used + cell->free;

	if (!all)
		return 5;
	if (!cell->used || !cell->free)
		return cell->used ? 4 : 0;
	return 1 + (unsigned int)(3 * (cell->used - 1) / all);
}

#define NR_LEVELS	6

static const char *const shades[2][NR_LEVELS] = {
	{ ".", ":", "+", "*", "#", "-" },
	{ "·", "░", "▒", "▓", "█", "-" },
};

static const int level_sgr[NR_LEVELS] = { 32, 36, 33, 35, 31, 90 };
static const char *const level_name[NR_LEVELS] = {
	"free", "1/3", "2/3", "almost", "used", "overhead",
};

/* How to draw, and the colour that is on: SGR sequences stand only where it changes. */
struct pen {
	bool utf8, colour;
	int sgr;
};

static void pen_colour(struct pen *pen, int sgr)
{
	if (pen->colour && sgr != pen->sgr)
		printf("\033[%dm", sgr);
	pen->sgr = sgr;
}

static void print_cell(struct pen *pen, unsigned int level)
{
	pen_colour(pen, level_sgr[level]);
	fputs(shades[pen->utf8][level], stdout);
}

static void print_legend(struct pen *pen, u64 cell_bytes)
{
	char human[16];

	printf("each cell %s:", human_bytes(cell_bytes, human));
	for (unsigned int level = 0; level < NR_LEVELS; level++) {
		putchar(' ');
		print_cell(pen, level);
		pen_colour(pen, 0);
		printf(" %s", level_name[level]);
	}
	putchar('\n');
}

static void print_picture(const struct cell *cells, const struct options *o, u64 cell_bytes)
{
	const char *no_colour = getenv("NO_COLOR");
	struct pen pen = {
		.utf8 = !o->ascii && locale_is_utf8(),
		.colour = is_terminal(STDOUT_FILENO) && !(no_colour && *no_colour),
	};

	for (unsigned int row = 0; row < o->rows; row++) {
		printf("0x%010llx  ", row * o->width * cell_bytes);
		for (unsigned int i = 0; i < o->width; i++)
			print_cell(&pen, cell_level(&cells[row * o->width + i]));
		pen_colour(&pen, 0);
		putchar('\n');
	}
	print_legend(&pen, cell_bytes);
}

static int draw(const struct dev *dev, const struct heap *heap, const struct options *o)
{
	size_t nr = (size_t)o->width * o->rows;
	u64 cell_bytes = (dev->info.pool_bytes + nr - 1) / nr;
	struct cell *cells = calloc(nr, sizeof(*cells));

	if (!cells || !cell_bytes) {
		free(cells);
		complain("cannot draw %zu cells for %llu bytes", nr, dev->info.pool_bytes);
		return EXIT_BAD;
	}
	for (size_t i = 0; i < heap->nr; i++)
		spread(cells, nr, cell_bytes, &heap->blocks[i]);
	print_picture(cells, o, cell_bytes);
	free(cells);
	return EXIT_OK;
}

static void print_summary(const struct heap *heap)
{
	struct summary s = summarise(heap);
	char used[16], unused[16], largest[16];

	printf("blocks: %llu used (%s), %llu free (%s); largest free %s; fragmentation %.1f %%%s\n",
	       s.used_blocks, human_bytes(s.used_bytes, used), s.free_blocks,
	       human_bytes(s.free_bytes, unused), human_bytes(s.largest, largest),
	       100 * fragmentation(&s),
	       heap->atomic ? " (pool busy: walked with one hold of the lock)" : "");
}

static int map_json(const struct dev *dev, const struct heap *heap)
{
	struct summary s = summarise(heap);
	json_t *blocks = json_array();

	for (size_t i = 0; i < heap->nr; i++) {
		const struct tlsf_block_desc *b = &heap->blocks[i];

		json_array_append_new(blocks, json_pack("{s:I, s:I, s:b}",
			"offset", (json_int_t)b->offset, "size", (json_int_t)b->size,
			"used", !!(b->state & TLSF_BLOCK_USED)));
	}
	return print_json(json_pack("{s:I, s:I, s:I, s:I, s:I, s:I, s:f, s:b, s:o}",
		"pool_bytes", (json_int_t)dev->info.pool_bytes,
		"used_blocks", (json_int_t)s.used_blocks, "free_blocks", (json_int_t)s.free_blocks,
		"used_bytes", (json_int_t)s.used_bytes, "free_bytes", (json_int_t)s.free_bytes,
		"largest_free", (json_int_t)s.largest, "fragmentation", fragmentation(&s),
		"atomic", heap->atomic, "blocks", blocks));
}

static unsigned int terminal_cells(void)
{
	struct winsize size;

	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < LABEL_WIDTH + 16)
		return 64;
	return size.ws_col - LABEL_WIDTH;
}

int cmd_map(struct cli *cli, int argc, char **argv)
{
	struct options o = { .cli = cli, .width = terminal_cells(), .rows = 16 };
	struct heap heap;
	struct dev dev;
	int code;

	argp_parse(&argp, argc, argv, 0, NULL, &o);
	code = dev_open(&dev, cli->device);
	if (code)
		return code;
	code = heap_read(&dev, &heap);
	if (!code && cli->json)
		code = map_json(&dev, &heap);
	else if (!code)
		code = draw(&dev, &heap, &o);
	if (!code && !cli->json)
		print_summary(&heap);
	heap_release(&heap);
	dev_close(&dev);
	return code;
}
