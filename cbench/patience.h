/* SPDX-License-Identifier: GPL-2.0-only */
/* A drop that may never return. */
#ifndef ZAPBENCH_PATIENCE_H
#define ZAPBENCH_PATIENCE_H

#include "layout.h"

/* Of the thread's own time: a hundred times what a call on a few pages takes. */
enum { PATIENCE_MS = 20 };

int drop_patiently(struct region *r, const struct op *op);

#endif
