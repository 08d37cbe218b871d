// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is no ioctl of this device is ENOTTY; what is no ioctl at all is refused too.
 *
 * Room: vm.
 */
#include "uapi.h"

#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

static union uapi_arg arg;

static void unknown_number(void)
{
	int fd = dev_fresh();

	for (unsigned int nr = UAPI_CALLS; nr < 256; nr++) {
		arg.argsz = 64;
		EXPECT_REFUSED(fd, dev_call(fd, _IOWR(TLSF_IOC_MAGIC, nr, struct tlsf_op), &arg),
			       ENOTTY);
	}
}

static void wrong_magic(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd ^ 0x100, &arg), ENOTTY);
		EXPECT_REFUSED(fd, dev_call(fd, call->cmd ^ 0x8000, &arg), ENOTTY);
	}
	EXPECT_ERR(dev_call(fd, TCGETS, &arg), ENOTTY);
	EXPECT_ERR(dev_call(fd, 0, &arg), ENOTTY);
}

static void wrong_direction(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		unsigned long cmd = call->cmd & ~((unsigned long)_IOC_DIRMASK << _IOC_DIRSHIFT);

		uapi_prepare(fd, call, &arg);
		EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), ENOTTY);
		cmd |= (unsigned long)_IOC_READ << _IOC_DIRSHIFT;
		EXPECT_REFUSED(fd, dev_call(fd, cmd, &arg), ENOTTY);
	}
}

/* The size in the number is of the header that was compiled with; argsz decides. */
static void size_in_the_number_does_not_matter(void)
{
	const struct uapi_call *call;
	int fd = dev_fresh();

	FOR_EACH_CALL(call) {
		uapi_prepare(fd, call, &arg);
		EXPECT_OK(dev_call(fd, call->cmd + (8ul << _IOC_SIZESHIFT), &arg));
	}
}

static void not_a_stream(void)
{
	int fd = dev_fresh();

	EXPECT(read(fd, &arg, 16) == -1 && errno == EINVAL);
	EXPECT(write(fd, &arg, 16) == -1 && errno == EINVAL);
	EXPECT(lseek(fd, 0, SEEK_CUR) == -1 && errno == ESPIPE);
	EXPECT(mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0) == MAP_FAILED && errno == ENODEV);
}

UAPI_MAIN(KTAP_CASE(unknown_number), KTAP_CASE(wrong_magic), KTAP_CASE(wrong_direction),
	  KTAP_CASE(size_in_the_number_does_not_matter), KTAP_CASE(not_a_stream))
