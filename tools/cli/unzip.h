/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A file, zstd-compressed or plain, as a stdio stream of its plain contents.
 *
 * Room: cli. Told apart by zstd's magic number, not by name.
 */
#ifndef TLSF_UNZIP_H
#define TLSF_UNZIP_H

#include "cli.h"

#include <zstd.h>

/**
 * struct unzip - a stream being decompressed; outlives the FILE
 * @fd: the file
 * @stream: decompressor; NULL for plain text
 * @in: compressed bytes that were read and not yet taken
 * @pending: inside a frame: the end of the file is not expected
 * @error: what was wrong, in words, when reading ended early; else NULL
 */
struct unzip {
	int fd;
	ZSTD_DStream *stream;
	ZSTD_inBuffer in;
	bool pending;
	const char *error;
	char buffer[1 << 16];
};

FILE *unzip_open(struct unzip *z, const char *path);

#endif /* TLSF_UNZIP_H */
