// SPDX-License-Identifier: GPL-2.0-only
/*
 * A handle that names no block of this file: ENOENT, whatever is asked of it.
 *
 * Room: vm.
 */
#include "uapi.h"

static void refuse_handle(int fd, u32 handle)
{
	static char context[32];

	snprintf(context, sizeof(context), "handle %#x", handle);
	uapi_context = context;
	EXPECT_REFUSED(fd, op_do(fd, OP(FREE, .handle = handle)), ENOENT);
	EXPECT_REFUSED(fd, op_do(fd, OP(RESIZE, .handle = handle, .size = 100)), ENOENT);
	EXPECT_REFUSED(fd, op_do(fd, OP(FILL, .handle = handle)), ENOENT);
	EXPECT_REFUSED(fd, op_do(fd, OP(VERIFY, .handle = handle)), ENOENT);
}

static void never_given(void)
{
	static const u32 bad[] = { 0, 1, 2, 1000, 0x7fffffff, 0x80000000, 0xffffffff };
	int fd = dev_fresh();

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		refuse_handle(fd, bad[i]);
	refuse_handle(fd, ALLOC(fd, .size = 8).handle + 1);
	refuse_handle(fd, 0);
}

static void freed_twice(void)
{
	int fd = dev_fresh();
	u32 handle = ALLOC(fd, .size = 100).handle;

	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	refuse_handle(fd, handle);
}

/* A stale handle is not soon another block's. */
static void stale_handle_is_not_reused(void)
{
	int fd = dev_fresh();
	u32 handle = ALLOC(fd, .size = 100).handle;

	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	for (int i = 0; i < 1000; i++) {
		u32 other = ALLOC(fd, .size = 100).handle;

		EXPECT(other != handle);
		if (i % 2)
			EXPECT_OK(op_do(fd, OP(FREE, .handle = other)));
	}
	refuse_handle(fd, handle);
}

static void of_another_file(void)
{
	int fd = dev_fresh(), other = dev_open();
	u32 handle = 0;

	for (int i = 0; i < 5; i++)
		handle = ALLOC(other, .size = 100).handle;
	EXPECT_OK(op_do(other, OP(FILL, .handle = handle, .seed = 9)));
	refuse_handle(fd, handle);
	EXPECT_OK(op_do(other, OP(VERIFY, .handle = handle, .seed = 9)));
	EXPECT_OK(op_do(other, OP(FREE, .handle = handle)));
}

UAPI_MAIN(KTAP_CASE(never_given), KTAP_CASE(freed_twice),
	  KTAP_CASE(stale_handle_is_not_reused), KTAP_CASE(of_another_file))
