/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Views for people in debugfs; no ABI promise.
 *
 * Room: views. Called by tlsf_mod.c alone; includes nothing.
 */
#ifndef _TLSF_DEBUGFS_H
#define _TLSF_DEBUGFS_H

#ifdef CONFIG_DEBUG_FS
void tlsf_debugfs_init(void);
void tlsf_debugfs_exit(void);
#else
static inline void tlsf_debugfs_init(void) {}
static inline void tlsf_debugfs_exit(void) {}
#endif

#endif /* _TLSF_DEBUGFS_H */
