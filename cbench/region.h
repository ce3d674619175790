/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory under test: made, and given back. */
#ifndef ZAPBENCH_REGION_H
#define ZAPBENCH_REGION_H

#include "layout.h"

int region_create(struct region *r, const struct zap_case *c, const struct options *o,
		  struct reason *why);
void region_destroy(struct region *r);

#endif
