// SPDX-License-Identifier: GPL-2.0-only
/*
 * A file, zstd-compressed or plain, as a stdio stream of its plain contents.
 *
 * Room: cli. libzstd does the decompression, glibc's fopencookie()
 * makes the stream.
 */
#include "unzip.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <zstd_errors.h>

/*
 * How far back a frame may reach, as a power of two, and so what the decompressor keeps:
 * 8 MiB, as RFC 8878 recommends, and what zstd -19 uses at most.
 */
#define WINDOW_LOG_MAX	23

/* Refills the input when it is used up; false at the end of the file or an error. */
static bool refill(struct unzip *z)
{
	ssize_t got;

	if (z->in.pos < z->in.size)
		return true;
	got = read(z->fd, z->buffer, sizeof(z->buffer));
	if (got < 0)
		z->error = strerror(errno);
	z->in = (ZSTD_inBuffer){ .src = z->buffer, .size = got > 0 ? (size_t)got : 0 };
	return got > 0;
}

static ssize_t read_plain(void *cookie, char *out, size_t size)
{
	struct unzip *z = cookie;
	size_t part;

	if (!refill(z))
		return z->error ? -1 : 0;
	part = z->in.size - z->in.pos;
	part = part < size ? part : size;
	memcpy(out, z->buffer + z->in.pos, part);
	z->in.pos += part;
	return (ssize_t)part;
}

/* Nothing more to read: fine between frames, an error within one. */
static ssize_t end_of_input(struct unzip *z)
{
	if (!z->error && z->pending)
		z->error = "the zstd stream is cut short: expected the rest of a frame";
	return z->error ? -1 : 0;
}

static const char *zstd_error(size_t result)
{
	if (ZSTD_getErrorCode(result) == ZSTD_error_frameParameter_windowTooLarge)
		return "expected a zstd window of at most 8 MiB: compress without --ultra and --long";
	return ZSTD_getErrorName(result);
}

static ssize_t read_zstd(void *cookie, char *text, size_t size)
{
	struct unzip *z = cookie;
	ZSTD_outBuffer out = { .dst = text, .size = size };
	size_t left;

	while (!out.pos) {
		/* Even with no input left, the decompressor may hold output back. */
		if (!refill(z) && (z->error || !z->pending))
			return end_of_input(z);
		bool drained = z->in.pos == z->in.size;

		left = ZSTD_decompressStream(z->stream, &out, &z->in);
		if (ZSTD_isError(left)) {
			z->error = zstd_error(left);
			return -1;
		}
		z->pending = left != 0;
		if (drained && !out.pos)
			return end_of_input(z);
	}
	return (ssize_t)out.pos;
}

static int unzip_close(void *cookie)
{
	struct unzip *z = cookie;

	ZSTD_freeDStream(z->stream);
	z->stream = NULL;
	return close(z->fd);
}

static bool is_zstd(const struct unzip *z)
{
	static const unsigned char magic[] = { 0x28, 0xb5, 0x2f, 0xfd };

	return z->in.size >= sizeof(magic) && !memcmp(z->buffer, magic, sizeof(magic));
}

static FILE *open_failed(struct unzip *z)
{
	int err = errno;

	unzip_close(z);
	errno = err;
	return NULL;
}

/* NULL with errno set when the file cannot be read. */
FILE *unzip_open(struct unzip *z, const char *path)
{
	cookie_io_functions_t io = { .read = read_plain, .close = unzip_close };
	FILE *in;

	*z = (struct unzip){ .fd = open(path, O_RDONLY | O_CLOEXEC) };
	if (z->fd < 0)
		return NULL;
	if (!refill(z) && z->error)
		return open_failed(z);
	if (is_zstd(z)) {
		io.read = read_zstd;
		z->stream = ZSTD_createDStream();
		if (!z->stream)
			return open_failed(z);
		ZSTD_DCtx_setParameter(z->stream, ZSTD_d_windowLogMax, WINDOW_LOG_MAX);
	}
	in = fopencookie(z, "r", io);
	return in ? in : open_failed(z);
}
