/* SPDX-License-Identifier: GPL-2.0-only */
/* Is T really T, and R really R? */
#ifndef ZAPBENCH_ENDSTATE_H
#define ZAPBENCH_ENDSTATE_H

#include "layout.h"

enum { CONTRACT_TRIES = 3 };

int region_checked(struct region *r, const struct zap_case *c, const struct options *o,
		   size_t max_pages, int *event, struct reason *why);

#endif
