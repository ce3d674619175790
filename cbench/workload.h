/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What is timed.  Each workload is a file that ends in its row, workload_NAME,
 * and a name here; it refuses by itself what it cannot time.
 */
#ifndef ZAPBENCH_WORKLOAD_H
#define ZAPBENCH_WORKLOAD_H

#include "zapbench.h"

#define WORKLOADS(ROW)                                                                   \
	ROW(empty)                                                                       \
	ROW(zap)                                                                         \
	ROW(cycle)                                                                       \
	ROW(continue)                                                                    \
	ROW(minor_fault)                                                                 \
	ROW(contract)

#define WORKLOAD_ROW(name) extern const struct zapbench_workload workload_##name;
WORKLOADS(WORKLOAD_ROW)
#undef WORKLOAD_ROW

#endif
