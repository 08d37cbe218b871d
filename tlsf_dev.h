/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * /dev/tlsf.
 *
 * Room: dev. A client of the default pool; what user space sees of it is in
 * include/uapi/linux/tlsf.h.
 */
#ifndef _TLSF_DEV_H
#define _TLSF_DEV_H

#include <linux/types.h>

/* limits of one open file; module parameters, read at each allocation */
extern unsigned int tlsf_dev_quota_blocks;
extern unsigned long tlsf_dev_quota_bytes;	/* 0: no limit but the pool */

int tlsf_dev_init(void);
void tlsf_dev_exit(void);

#endif /* _TLSF_DEV_H */
