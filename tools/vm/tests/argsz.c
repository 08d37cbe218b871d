// SPDX-License-Identifier: GPL-2.0-only
/*
 * argsz: a struct too small, larger with zeros, larger with garbage, larger than a page.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <sys/ioctl.h>

static union uapi_arg arg, copy;

/* Refused with @err, and the argument untouched. */
static void refuse(int fd, const struct uapi_call *call, u32 argsz, int err)
{
	arg.argsz = argsz;
	copy = arg;
	EXPECT_REFUSED(fd, dev_call(fd, call->cmd, &arg), err);
	EXPECT(!memcmp(&arg, &copy, sizeof(arg)));
}

static void too_small_is_refused(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		refuse(fd, call, (u32)call->first - 1, EINVAL);
		refuse(fd, call, 4, EINVAL);
		refuse(fd, call, 0, EINVAL);
	}
}

static void exact_is_accepted(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		EXPECT_OK(dev_call(fd, call->cmd, &arg));
		EXPECT_EQ(arg.argsz, call->size);
	}
}

/* What was compiled with the first release's header: its struct, its number. */
static void first_release_is_accepted(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		unsigned long cmd = call->cmd & ~((unsigned long)_IOC_SIZEMASK << _IOC_SIZESHIFT);

		uapi_prepare(fd, call, &arg);
		arg.argsz = (u32)call->first;
		memset(arg.bytes + call->first, 0xa5, sizeof(arg) - call->first);
		EXPECT_OK(dev_call(fd, cmd | call->first << _IOC_SIZESHIFT, &arg));
		EXPECT_EQ(arg.argsz, call->first);
		for (size_t i = call->first; i < sizeof(arg); i++)
			EXPECT_EQ(arg.bytes[i], 0xa5);
	}
}

static void larger_with_zeros_is_accepted(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		arg.argsz = (u32)call->size + 8;
		EXPECT_OK(dev_call(fd, call->cmd, &arg));
		EXPECT_EQ(arg.argsz, call->size + 8);

		uapi_prepare(fd, call, &arg);
		arg.argsz = 4096;
		arg.bytes[4096] = 1;
		EXPECT_OK(dev_call(fd, call->cmd, &arg));
	}
}

static void larger_with_garbage_is_refused(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		arg.bytes[call->size] = 1;
		refuse(fd, call, (u32)call->size + 1, E2BIG);
		arg.bytes[call->size] = 0;
		arg.bytes[4095] = 0x80;
		refuse(fd, call, 4096, E2BIG);
	}
}

static void larger_than_a_page_is_refused(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		refuse(fd, call, 4097, E2BIG);
		refuse(fd, call, 0x80000000, E2BIG);
		refuse(fd, call, 0xffffffff, E2BIG);
	}
}

UAPI_MAIN(KTAP_CASE(too_small_is_refused), KTAP_CASE(exact_is_accepted),
	  KTAP_CASE(first_release_is_accepted),
	  KTAP_CASE(larger_with_zeros_is_accepted), KTAP_CASE(larger_with_garbage_is_refused),
	  KTAP_CASE(larger_than_a_page_is_refused))
