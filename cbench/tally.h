/* SPDX-License-Identifier: GPL-2.0-only */
/* What calls make the kernel do besides instructions, counted by its tracepoints. */
#ifndef ZAPBENCH_TALLY_H
#define ZAPBENCH_TALLY_H

#include "zapbench.h"

enum counted {
	MMAP_WRITE,
	MMAP_READ,
	TLB_IPIS,
	MMAP_WAITED,
	VMA_WAITED,
	TABLE_WAITED,
	NR_COUNTED
};

/* What another thread does meanwhile. */
enum load { READS, CONTENDS, NR_LOADS };

struct tally {
	unsigned int calls[NR_LOADS]; /* 0: nothing was counted */
	bool known[NR_COUNTED];
	unsigned long long n[NR_COUNTED]; /* of all calls */
};

struct counter {
	const char *name; /* in records */
	const char *tracepoint, *filter;
	enum load
		load; /* CONTENDS: how many of its calls there were that met it at all */
};

extern const struct counter counters[NR_COUNTED];
extern const char *const load_calls[NR_LOADS]; /* names of their numbers, in records */

#endif
