// SPDX-License-Identifier: GPL-2.0-only
/*
 * Allocation traces: read one whole, and believe nothing in it unchecked.
 *
 * Room: cli. The format stands in tools/traces/FORMAT.md.
 *
 * A trace is loaded before the first operation runs: one that is cut short or broken
 * must not look like a success, and reading must not disturb what is measured. Any
 * error names the file, the line and what was expected there.
 */
#include "trace.h"
#include "unzip.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

static const char header[] = "tlsf-trace 1\n";

/*
 * Bytes of a line at most, with its newline. The longest record, with an alignment, needs
 * 51; the rest is for comments. Without a limit a few bytes of zstd become a line that
 * fills the memory.
 */
#define TRACE_LINE_MAX	4096

struct reader {
	struct trace *trace;
	struct unzip zip;
	FILE *in;
	const char *path;
	u64 line;
	const char *at;		/* in the line, where the next word starts */
	size_t room;		/* of trace->ops */
	bool *live;		/* by id */
	u32 live_room;
	bool ended;
};

static int refuse(const struct reader *r, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static int refuse(const struct reader *r, const char *format, ...)
{
	char what[256];
	va_list args;

	va_start(args, format);
	vsnprintf(what, sizeof(what), format, args);
	va_end(args);
	complain("%s:%llu: %s", r->path, r->line, what);
	return EXIT_USAGE;
}

/* Makes the entry of @id in the table of live blocks. */
static int live_reserve(struct reader *r, u32 id)
{
	u32 room = r->live_room ? r->live_room : 1024;
	bool *live;

	if (id >= r->trace->nr_ids)
		r->trace->nr_ids = id + 1;
	if (id < r->live_room)
		return EXIT_OK;
	while (room <= id)
		room *= 2;
	live = realloc(r->live, room);
	if (!live)
		return refuse(r, "out of memory for id %u", id);
	memset(live + r->live_room, 0, room - r->live_room);
	r->live = live;
	r->live_room = room;
	return EXIT_OK;
}

static int append(struct reader *r, struct trace_op op)
{
	struct trace *t = r->trace;

	if (t->nr == r->room) {
		size_t room = r->room ? 2 * r->room : 4096;
		void *ops = reallocarray(t->ops, room, sizeof(*t->ops));

		if (!ops)
			return refuse(r, "out of memory for operation %zu", t->nr + 1);
		t->ops = ops;
		r->room = room;
	}
	t->ops[t->nr++] = op;
	return EXIT_OK;
}

/* " NUMBER" */
static bool next_number(struct reader *r, u64 *value)
{
	if (*r->at != ' ')
		return false;
	r->at++;
	return scan_u64(&r->at, value);
}

/* " ID", known to be live or known not to be */
static int next_id(struct reader *r, bool live, u32 *id)
{
	u64 value = 0;

	if (!next_number(r, &value) || value >= TRACE_IDS_MAX)
		return refuse(r, "expected a space and an id from 0 to %u", TRACE_IDS_MAX - 1);
	*id = (u32)value;
	if (live_reserve(r, *id))
		return EXIT_USAGE;
	if (r->live[*id] == live)
		return EXIT_OK;
	return refuse(r, live ? "expected the id of a live block, but %u is not allocated here"
			      : "expected an id that is free, but %u is still allocated here", *id);
}

static int next_size(struct reader *r, u64 *size)
{
	if (next_number(r, size) && *size && *size <= LLONG_MAX)
		return EXIT_OK;
	return refuse(r, "expected a space and a size from 1 to %lld bytes", LLONG_MAX);
}

static int next_align(struct reader *r, struct trace_op *op)
{
	u64 align = 0;

	if (*r->at == '\n')
		return EXIT_OK;
	if (!next_number(r, &align) || !align || align & (align - 1))
		return refuse(r, "expected the end of the line, or an alignment that is a power of two");
	op->align_log2 = (u32)__builtin_ctzll(align);
	return EXIT_OK;
}

static int end_of_line(const struct reader *r)
{
	if (!strcmp(r->at, "\n"))
		return EXIT_OK;
	return refuse(r, "expected the end of the line, not '%.*s'",
		      (int)strcspn(r->at, "\n"), r->at);
}

static int read_alloc(struct reader *r)
{
	struct trace_op op = { .kind = TLSF_OP_ALLOC };

	if (next_id(r, false, &op.id) || next_size(r, &op.size) || next_align(r, &op) ||
	    end_of_line(r))
		return EXIT_USAGE;
	r->live[op.id] = true;
	return append(r, op);
}

static int read_free(struct reader *r)
{
	struct trace_op op = { .kind = TLSF_OP_FREE };

	if (next_id(r, true, &op.id) || end_of_line(r))
		return EXIT_USAGE;
	r->live[op.id] = false;
	return append(r, op);
}

static int read_resize(struct reader *r)
{
	struct trace_op op = { .kind = TLSF_OP_RESIZE };

	if (next_id(r, true, &op.id) || next_size(r, &op.size) || end_of_line(r))
		return EXIT_USAGE;
	return append(r, op);
}

static int read_end(struct reader *r)
{
	u64 nr = 0;

	if (!next_number(r, &nr))
		return refuse(r, "expected 'end' and the number of operations");
	if (end_of_line(r))
		return EXIT_USAGE;
	if (nr != r->trace->nr)
		return refuse(r, "expected 'end %zu', as many as there are operations, not 'end %llu'",
			      r->trace->nr, nr);
	r->ended = true;
	return EXIT_OK;
}

static bool take(struct reader *r, const char *word)
{
	size_t len = strlen(word);

	if (strncmp(r->at, word, len))
		return false;
	r->at += len;
	return true;
}

static int read_record(struct reader *r)
{
	if (r->ended)
		return refuse(r, "expected nothing after the end record");
	if (*r->at == '#')
		return EXIT_OK;
	if (take(r, "end"))
		return read_end(r);
	if (take(r, "a"))
		return read_alloc(r);
	if (take(r, "f"))
		return read_free(r);
	if (take(r, "r"))
		return read_resize(r);
	return refuse(r, "expected a record 'a', 'f', 'r' or 'end', or a comment, not '%.*s'",
		      (int)strcspn(r->at, " \n"), r->at);
}

static int read_line(struct reader *r, const char *line, size_t len)
{
	r->line++;
	r->at = line;
	if (memchr(line, '\0', len))
		return refuse(r, "expected text, found a zero byte");
	if (line[len - 1] != '\n')
		return refuse(r, "expected a newline: the file is cut short in this line");
	if (r->line > 1)
		return read_record(r);
	return strcmp(line, header) ? refuse(r, "expected 'tlsf-trace 1': not a trace")
				    : EXIT_OK;
}

/* Why there is no further line. */
static int read_finish(struct reader *r)
{
	if (!r->zip.error && r->ended)
		return EXIT_OK;
	r->line++;
	if (r->zip.error)
		return refuse(r, "%s", r->zip.error);
	if (r->line == 1)
		return refuse(r, "expected 'tlsf-trace 1', but the file is empty");
	return refuse(r, "expected more records and 'end %zu': the file is cut short", r->trace->nr);
}

/* Bytes of the next line, or of as much of it as there is room for; 0: there is none. */
static size_t next_line(FILE *in, char line[TRACE_LINE_MAX + 1])
{
	size_t len = 0;
	int c = 0;

	while (c != '\n' && len < TRACE_LINE_MAX) {
		c = getc_unlocked(in);
		if (c == EOF)
			break;
		line[len++] = (char)c;
	}
	line[len] = '\0';
	return len;
}

static int too_long(struct reader *r, const char *line)
{
	r->line++;
	return refuse(r, "expected a line of at most %d bytes, this one is longer and begins with "
		      "'%.16s'; split a comment that is too long into several", TRACE_LINE_MAX,
		      line);
}

static int read_all(struct reader *r)
{
	char line[TRACE_LINE_MAX + 1];
	int code = EXIT_OK;
	size_t len;

	while (!code) {
		len = next_line(r->in, line);
		/* After an error, what came before it is a line that looks cut. */
		if (!len || r->zip.error)
			break;
		if (len == TRACE_LINE_MAX && line[len - 1] != '\n')
			return too_long(r, line);
		code = read_line(r, line, len);
		if (!(r->line % 65536))
			progress("reading %s: line %llu", r->path, r->line);
	}
	return code ? code : read_finish(r);
}

int trace_load(struct trace *trace, const char *path)
{
	struct reader r = { .trace = trace, .path = path };
	int code;

	*trace = (struct trace){ 0 };
	r.in = unzip_open(&r.zip, path);
	if (!r.in) {
		complain("%s: cannot read: %s", path, strerror(errno));
		return EXIT_USAGE;
	}
	code = read_all(&r);
	fclose(r.in);
	free(r.live);
	if (code)
		trace_release(trace);
	progress_clear();
	return code;
}

void trace_release(struct trace *trace)
{
	free(trace->ops);
	trace->ops = NULL;
}
