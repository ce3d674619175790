/* SPDX-License-Identifier: GPL-2.0-only */
/* What calls make the kernel do besides instructions, counted by its tracepoints. */
#ifndef ZAPBENCH_TALLY_H
#define ZAPBENCH_TALLY_H

#include "zapbench.h"

enum counted { MMAP_WRITE, MMAP_READ, TLB_IPIS, NR_COUNTED };

struct tally {
	unsigned int calls; /* 0: nothing was counted */
	bool known[NR_COUNTED];
	unsigned long long n[NR_COUNTED]; /* of all calls */
};

struct counter {
	const char *name; /* in records */
	const char *tracepoint, *filter;
};

extern const struct counter counters[NR_COUNTED];

#endif
