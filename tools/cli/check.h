/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The heap check, as a command of its own and at the end of a load.
 *
 * Room: cli. Calls CHECK, which holds the pool's lock for long.
 */
#ifndef TLSF_CHECK_H
#define TLSF_CHECK_H

#include "dev.h"

int check_run(struct dev *dev, struct tlsf_check *check);
void check_print(const struct tlsf_check *check);
json_t *check_json(const struct tlsf_check *check);

#endif /* TLSF_CHECK_H */
