/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The test harness of tools/host: cases, expectations, KTAP on stdout.
 *
 * Room: host. A program lists its cases in one table and hands it
 * to ktap_run(). The first expectation that does not hold ends its case, from any
 * depth of helpers, and says file, line and values. Helpers that check on behalf of a
 * case are called through macros that leave KTAP_HERE behind, so the report also names
 * the line of the case.
 */
#ifndef _KTAP_H
#define _KTAP_H

#include <stddef.h>
#include <stdint.h>
#include <stdnoreturn.h>

#include "../cli/rng.h"

struct ktap_case {
	const char *name;
	void (*run)(void);
};

#define KTAP_CASE(fn)	{ #fn, fn }
#define KTAP_HERE	ktap_here(__FILE__, __LINE__)
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

int ktap_run(const char *name, const struct ktap_case *cases, size_t nr_cases);
void ktap_here(const char *file, int line);
noreturn void ktap_fail(const char *file, int line, const char *format, ...)
	__attribute__((__format__(__printf__, 3, 4)));
noreturn void ktap_skip(const char *reason);
/* what the case is about to try, said when it fails */
void ktap_note(const char *format, ...) __attribute__((__format__(__printf__, 1, 2)));

/* the seed of a program: its --seed argument or TLSF_SEED; printed by ktap_run() */
extern uint64_t ktap_seed;

#define EXPECT(condition) do {							\
	if (!(condition))							\
		ktap_fail(__FILE__, __LINE__, "not true: %s", #condition);	\
} while (0)

#define EXPECT_REL_(got, rel, want) do {					\
	unsigned long long got_ = (unsigned long long)(got);			\
	unsigned long long want_ = (unsigned long long)(want);			\
	if (!(got_ rel want_))							\
		ktap_fail(__FILE__, __LINE__, "%s is %llu (0x%llx), expected "	\
			  #rel " %s, which is %llu (0x%llx)", #got, got_, got_,	\
			  #want, want_, want_);					\
} while (0)

#define EXPECT_EQ(got, want)	EXPECT_REL_(got, ==, want)
#define EXPECT_LE(got, want)	EXPECT_REL_(got, <=, want)
#define EXPECT_GE(got, want)	EXPECT_REL_(got, >=, want)
#define EXPECT_PTR(got, want)	EXPECT_EQ((uintptr_t)(got), (uintptr_t)(want))

#define EXPECT_STATUS(got, want) do {						\
	enum tlsf_status is_ = (got), should_ = (want);				\
	if (is_ != should_)							\
		ktap_fail(__FILE__, __LINE__, "%s: status %d (%s), expected %d (%s)", \
			  #got, is_, tlsf_core_strstatus(is_), should_,		\
			  tlsf_core_strstatus(should_));			\
} while (0)

#endif /* _KTAP_H */
