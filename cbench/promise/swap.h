/* SPDX-License-Identifier: GPL-2.0-only */
/* A swap file, where the machine is the program's own. */
#ifndef ZAPBENCH_SWAP_H
#define ZAPBENCH_SWAP_H

#include "layout.h"
#include "reason.h"

int swap_on(const struct options *o, struct reason *note);
void swap_off(const struct options *o);
int swap_out(const struct region *r, char *page, struct reason *note);

#endif
