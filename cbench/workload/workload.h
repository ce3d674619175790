/* SPDX-License-Identifier: GPL-2.0-only */
/* What is timed; each in the file of its name. */
#ifndef ZAPBENCH_WORKLOAD_WORKLOAD_H
#define ZAPBENCH_WORKLOAD_WORKLOAD_H

#include "layout.h"

int workload_empty(struct region *r, struct timing *t);
int workload_zap(struct region *r, struct timing *t);
int workload_cycle(struct region *r, struct timing *t);
int workload_continue(struct region *r, struct timing *t);

#endif
