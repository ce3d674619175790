/* SPDX-License-Identifier: GPL-2.0-only */
/* Workload "minor_fault". */
#ifndef ZAPBENCH_MINOR_FAULT_MINOR_FAULT_H
#define ZAPBENCH_MINOR_FAULT_MINOR_FAULT_H

#include "layout.h"

int workload_minor_fault(struct region *r, struct timing *t);

#endif
