// SPDX-License-Identifier: GPL-2.0-only
/*
 * The quotas of blocks and of bytes hold for each open file: EDQUOT.
 *
 * Room: vm.
 */
#include "uapi.h"

#define ALLOC_OP(fd, bytes)	op_do(fd, OP(ALLOC, .size = bytes))

static int with_quota(const char *blocks, const char *bytes)
{
	int fd = dev_fresh();

	EXPECT_OK(parameter_set("quota_blocks", blocks));
	EXPECT_OK(parameter_set("quota_bytes", bytes));
	return fd;
}

static void blocks(void)
{
	int fd = with_quota("10", "0");
	u32 handle = 0;

	EXPECT_EQ(info_of(fd).quota_blocks, 10);
	for (int i = 0; i < 10; i++)
		handle = ALLOC(fd, .size = 1000).handle;
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 1), EDQUOT);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = handle, .size = 100000)));
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	EXPECT_OK(ALLOC_OP(fd, 1));
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 1), EDQUOT);
}

static void bytes(void)
{
	int fd = with_quota("100", "100000");
	u32 handle;

	EXPECT_EQ(info_of(fd).quota_bytes, 100000);
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 100001), EDQUOT);
	handle = ALLOC(fd, .size = 90000).handle;
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 10001), EDQUOT);
	ALLOC(fd, .size = 9000);
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 2000), EDQUOT);
	EXPECT_OK(op_do(fd, OP(FREE, .handle = handle)));
	EXPECT_OK(ALLOC_OP(fd, 50000));
}

static void bytes_of_a_resize(void)
{
	int fd = with_quota("100", "100000");
	struct tlsf_op op = ALLOC(fd, .size = 50000), resize;

	EXPECT_OK(op_do(fd, OP(FILL, .handle = op.handle, .seed = 1)));
	resize = OP(RESIZE, .handle = op.handle, .size = 100001);
	EXPECT_REFUSED(fd, op_run(fd, &resize), EDQUOT);
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = op.handle, .seed = 1)));
	resize = OP(RESIZE, .handle = op.handle, .size = 99000);
	EXPECT_OK(op_run(fd, &resize));
	EXPECT_OK(op_do(fd, OP(VERIFY, .handle = op.handle, .size = op.usable, .seed = 1)));
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = op.handle, .size = 100)));
	EXPECT_LE(stats_of(fd).file_bytes, 100 + info_of(fd).min_usable);
	EXPECT_OK(ALLOC_OP(fd, 99000));
}

/* Usable bytes are what counts: only the last block may exceed it, by its rounding. */
static void bytes_of_many_small_blocks(void)
{
	int fd = with_quota("1000000", "10000"), err;

	do
		err = ALLOC_OP(fd, 1);
	while (!err);
	EXPECT_ERR(err, EDQUOT);
	EXPECT_LE(stats_of(fd).file_bytes, 10000 + info_of(fd).min_usable);
	EXPECT_GE(stats_of(fd).file_bytes, 10000);
}

static void each_file_has_its_own(void)
{
	int fd = with_quota("3", "0"), other = dev_open();

	for (int i = 0; i < 3; i++) {
		ALLOC(fd, .size = 8);
		ALLOC(other, .size = 8);
	}
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 8), EDQUOT);
	EXPECT_REFUSED(other, ALLOC_OP(other, 8), EDQUOT);
	EXPECT_OK(ALLOC_OP(dev_open(), 8));
}

/* What is held already stays and can be freed. */
static void lowered_below_what_is_held(void)
{
	int fd = with_quota("100", "0");
	struct tlsf_op op[5];

	for (int i = 0; i < 5; i++)
		op[i] = ALLOC(fd, .size = 1000);
	EXPECT_OK(parameter_set("quota_blocks", "1"));
	EXPECT_OK(parameter_set("quota_bytes", "10"));
	EXPECT_REFUSED(fd, ALLOC_OP(fd, 1), EDQUOT);
	EXPECT_REFUSED(fd, op_do(fd, OP(RESIZE, .handle = op[0].handle, .size = 2000)), EDQUOT);
	EXPECT_OK(op_do(fd, OP(RESIZE, .handle = op[0].handle, .size = 500)));
	for (int i = 0; i < 5; i++)
		EXPECT_OK(op_do(fd, OP(FREE, .handle = op[i].handle)));
}

static void in_a_batch(void)
{
	int fd = with_quota("10", "0");
	struct tlsf_op ops[20];
	struct tlsf_batch batch;

	for (int i = 0; i < 20; i++)
		ops[i] = OP(ALLOC, .size = 8);
	EXPECT_OK(batch_call(fd, &batch, ops, 20));
	EXPECT_EQ(batch.nr_failed, 10);
	for (int i = 0; i < 20; i++)
		EXPECT_ERR(ops[i].result, i < 10 ? 0 : EDQUOT);
}

static void no_quota_of_bytes(void)
{
	int fd = with_quota("100", "0");

	EXPECT_EQ(info_of(fd).quota_bytes, ~0ULL);
	EXPECT_OK(ALLOC_OP(fd, info_of(fd).max_request));
}

static void no_quota_of_blocks(void)
{
	int fd = with_quota("0", "0");

	EXPECT_EQ(info_of(fd).quota_blocks, ~0u);
	for (int i = 0; i < 1000; i++)
		ALLOC(fd, .size = 8);
}

static void nonsense_is_refused(void)
{
	int fd = with_quota("10", "20");

	EXPECT_ERR(parameter_set("quota_blocks", "many"), EINVAL);
	EXPECT_ERR(parameter_set("quota_blocks", "-1"), EINVAL);
	EXPECT_ERR(parameter_set("quota_bytes", "-1"), EINVAL);
	EXPECT_EQ(info_of(fd).quota_blocks, 10);
	EXPECT_EQ(info_of(fd).quota_bytes, 20);
}

UAPI_MAIN(KTAP_CASE(blocks), KTAP_CASE(bytes), KTAP_CASE(bytes_of_a_resize),
	  KTAP_CASE(bytes_of_many_small_blocks), KTAP_CASE(each_file_has_its_own),
	  KTAP_CASE(lowered_below_what_is_held), KTAP_CASE(in_a_batch),
	  KTAP_CASE(no_quota_of_bytes), KTAP_CASE(no_quota_of_blocks),
	  KTAP_CASE(nonsense_is_refused))
