/* SPDX-License-Identifier: GPL-2.0-only */
/* From state to state. */
#ifndef ZAPBENCH_STATE_H
#define ZAPBENCH_STATE_H

#include "layout.h"

bool region_loses_data(const struct region *r);
int region_fill(struct region *r, char *addr, size_t len);
int region_map(struct region *r);
int region_restore(struct region *r);
int region_back(struct region *r);
int region_refresh(struct region *r);
int region_resolve(struct region *r, char *addr, size_t len);
int region_put_back(struct region *r, uint64_t *between);
void region_touch(const struct region *r, const char *addr, size_t len);
int region_expected_event(const struct region *r);

#endif
