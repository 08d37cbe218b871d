// SPDX-License-Identifier: GPL-2.0-only
/*
 * Unknown flags, reserved fields, and fields that an operation does not take: EINVAL.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <stddef.h>

/* a valid call with one 32-bit word changed */
struct wrong {
	unsigned long cmd;
	size_t at;
	u32 value;
	const char *what;
};

#define WRONG(name, type, field, v)						\
	{ TLSF_IOC_##name, offsetof(struct type, field), v, #name " " #field "=" #v }

static const struct wrong flags[] = {
	WRONG(INFO, tlsf_info, flags, 1), WRONG(INFO, tlsf_info, flags, 1u << 31),
	WRONG(ALLOC, tlsf_op, flags, 8), WRONG(ALLOC, tlsf_op, flags, 1u << 31),
	WRONG(ALLOC, tlsf_op, flags, TLSF_OP_INPLACE), WRONG(ALLOC, tlsf_op, flags, TLSF_OP_REF),
	WRONG(FREE, tlsf_op, flags, TLSF_OP_ZERO), WRONG(FREE, tlsf_op, flags, TLSF_OP_INPLACE),
	WRONG(FREE, tlsf_op, flags, TLSF_OP_REF), WRONG(FREE, tlsf_op, flags, 8),
	WRONG(RESIZE, tlsf_op, flags, TLSF_OP_ZERO), WRONG(RESIZE, tlsf_op, flags, TLSF_OP_REF),
	WRONG(RESIZE, tlsf_op, flags, 8), WRONG(FILL, tlsf_op, flags, TLSF_OP_ZERO),
	WRONG(FILL, tlsf_op, flags, TLSF_OP_REF), WRONG(FILL, tlsf_op, flags, 8),
	WRONG(VERIFY, tlsf_op, flags, TLSF_OP_INPLACE), WRONG(VERIFY, tlsf_op, flags, 8),
	WRONG(VERIFY, tlsf_op, flags, TLSF_OP_REF), WRONG(BATCH, tlsf_batch, flags, 1),
	WRONG(BATCH, tlsf_batch, flags, 1u << 31), WRONG(STATS, tlsf_stats, flags, 1),
	WRONG(STATS, tlsf_stats, flags, 1u << 31), WRONG(HISTOGRAM, tlsf_histogram, flags, 1),
	WRONG(RESET, tlsf_reset, flags, 0), WRONG(RESET, tlsf_reset, flags, 4),
	WRONG(RESET, tlsf_reset, flags, 7), WRONG(CHECK, tlsf_check, flags, 1),
	WRONG(WALK, tlsf_walk, flags, 2), WRONG(WALK, tlsf_walk, flags, 1u << 31),
};

static const struct wrong reserved[] = {
	WRONG(ALLOC, tlsf_op, reserved, 1), WRONG(FREE, tlsf_op, reserved, 1u << 31),
	WRONG(RESIZE, tlsf_op, reserved, 1), WRONG(FILL, tlsf_op, reserved, 1),
	WRONG(VERIFY, tlsf_op, reserved, 1), WRONG(HISTOGRAM, tlsf_histogram, reserved, 1),
	WRONG(CHECK, tlsf_check, reserved, 1),
};

static const struct wrong unused[] = {
	WRONG(ALLOC, tlsf_op, seed, 1), WRONG(FREE, tlsf_op, size, 8),
	WRONG(FREE, tlsf_op, align, 8), WRONG(FREE, tlsf_op, seed, 1),
	WRONG(RESIZE, tlsf_op, align, 8), WRONG(RESIZE, tlsf_op, seed, 1),
	WRONG(FILL, tlsf_op, size, 8), WRONG(FILL, tlsf_op, align, 8),
	WRONG(VERIFY, tlsf_op, align, 8),
};

static const struct wrong opcode[] = {
	WRONG(ALLOC, tlsf_op, opcode, TLSF_OP_FREE), WRONG(FREE, tlsf_op, opcode, TLSF_OP_ALLOC),
	WRONG(RESIZE, tlsf_op, opcode, TLSF_OP_FILL), WRONG(FILL, tlsf_op, opcode, TLSF_OP_VERIFY),
	WRONG(VERIFY, tlsf_op, opcode, TLSF_OP_FREE), WRONG(ALLOC, tlsf_op, opcode, 6),
	WRONG(ALLOC, tlsf_op, opcode, 0xffffffff),
};

static const struct wrong histogram[] = {
	WRONG(HISTOGRAM, tlsf_histogram, op, TLSF_LAT_NR),
	WRONG(HISTOGRAM, tlsf_histogram, op, 0xffffffff),
	WRONG(HISTOGRAM, tlsf_histogram, kind, TLSF_LAT_KINDS),
	WRONG(HISTOGRAM, tlsf_histogram, kind, 0xffffffff),
};

static const struct uapi_call *call_of(unsigned long cmd)
{
	const struct uapi_call *call = uapi_calls;

	while (call->cmd != cmd)
		call++;
	return call;
}

static void refuse_all(const struct wrong *wrong, size_t nr)
{
	static union uapi_arg arg;
	int fd = dev_fresh();

	for (; nr--; wrong++) {
		uapi_prepare(fd, call_of(wrong->cmd), &arg);
		uapi_context = wrong->what;
		memcpy(arg.bytes + wrong->at, &wrong->value, sizeof(wrong->value));
		EXPECT_REFUSED(fd, dev_call(fd, wrong->cmd, &arg), EINVAL);
	}
}

static void unknown_flags_are_refused(void)
{
	refuse_all(flags, ARRAY_SIZE(flags));
}

static void reserved_fields_are_zero(void)
{
	refuse_all(reserved, ARRAY_SIZE(reserved));
}

static void unused_fields_are_zero(void)
{
	refuse_all(unused, ARRAY_SIZE(unused));
}

static void opcode_is_the_calls_own(void)
{
	refuse_all(opcode, ARRAY_SIZE(opcode));
}

static void histogram_exists(void)
{
	refuse_all(histogram, ARRAY_SIZE(histogram));
}

/* The same arguments without the change succeed: nothing above was refused for that. */
static void unchanged_is_accepted(void)
{
	const struct uapi_call *call;
	static union uapi_arg arg;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		EXPECT_OK(dev_call(fd, call->cmd, &arg));
	}
}

UAPI_MAIN(KTAP_CASE(unknown_flags_are_refused), KTAP_CASE(reserved_fields_are_zero),
	  KTAP_CASE(unused_fields_are_zero), KTAP_CASE(opcode_is_the_calls_own),
	  KTAP_CASE(histogram_exists), KTAP_CASE(unchanged_is_accepted))
