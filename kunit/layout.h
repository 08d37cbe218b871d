/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Heaps in writing: "U64 F128 U32" is an allocated block of 64 usable bytes, a free
 * one of 128, an allocated one of 32, in address order.
 *
 *	U, F	allocated, free
 *	64+32	what blocks of 64 and 32 bytes give when they merge: their headers
 *		become usable too, all but one
 *	128-64	what is left of 128 when 64 are split off: less a header
 *	*	any size
 *
 * Room: kunit; for the core KUnit suite and tools/host. Freestanding, includes
 * tlsf_core.h alone.
 */
#ifndef _TLSF_LAYOUT_H
#define _TLSF_LAYOUT_H

#include "../tlsf_core.h"

struct layout_token {
	bool free;
	bool any_size;
	size_t size;
};

/* the number at @text, moving it on */
static inline size_t layout_number(const char **text)
{
	size_t n = 0;

	while (**text >= '0' && **text <= '9')
		n = 10 * n + (size_t)(*(*text)++ - '0');
	return n;
}

/* the token at @text, moving it on; false at the end */
static inline bool layout_token(const char **text, struct layout_token *token)
{
	*token = (struct layout_token){ .size = 0 };
	while (**text == ' ')
		(*text)++;
	if (!**text)
		return false;
	token->free = *(*text)++ == 'F';
	token->any_size = **text == '*';
	if (token->any_size) {
		(*text)++;
		return true;
	}
	token->size = layout_number(text);
	while (**text == '+' || **text == '-') {
		bool plus = *(*text)++ == '+';
		size_t n = layout_number(text) + TLSF_BLOCK_HEADER;

		token->size = plus ? token->size + n : token->size - n;
	}
	return true;
}

/* does the heap of @c look like @text? */
static inline bool layout_matches(const struct tlsf_core *c, const char *text)
{
	struct tlsf_block_info block;
	struct layout_token token;
	size_t offset = 0;

	while (layout_token(&text, &token))
		if (!tlsf_core_walk(c, &offset, &block) || block.free != token.free ||
		    (!token.any_size && block.size != token.size))
			return false;
	return !tlsf_core_walk(c, &offset, &block);
}

#endif /* _TLSF_LAYOUT_H */
