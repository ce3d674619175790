/* SPDX-License-Identifier: GPL-2.0-only */
/* Is each page of the range in the state that it has to be in? */
#ifndef ZAPBENCH_EVERYPAGE_H
#define ZAPBENCH_EVERYPAGE_H

#include "layout.h"

int every_page_traps(struct region *r, struct reason *why);
int every_page_absent(struct region *r, struct reason *why);
int every_page_mapped(struct region *r, struct reason *why);
int every_page_mapped_wp(struct region *r, struct reason *why);
int every_page_holds(struct region *r, struct reason *why);

#endif
