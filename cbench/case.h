/* SPDX-License-Identifier: GPL-2.0-only */
/* Names of cases. */
#ifndef ZAPBENCH_CASE_H
#define ZAPBENCH_CASE_H

#include "zapbench.h"

struct zap_case {
	char name[192];
	const struct zapbench_workload *workload;
	const struct zapbench_method *method; /* NULL: "-" */
	const struct zapbench_backing *backing;
	size_t page;
	size_t range;
	bool scratch; /* a contract's region: nothing is timed on it */
	/* The axes: a number, or which word of the axis it is; 0 is the default. */
	unsigned int scatter; /* drop so many single pages, 0: the whole range */
	unsigned int fresh; /* pages made anew before each sample */
	unsigned int events; /* ask for UFFD_EVENT_{REMOVE,UNMAP,REMAP}, read them */
	unsigned int spin; /* a sibling thread keeps the TLB warm on another CPU */
	unsigned int middle; /* inside a larger mapping */
	unsigned int by; /* enum continue_by */
	unsigned int step; /* enum continue_step */
	unsigned int wp, no_wake; /* modes of UFFDIO_CONTINUE */
	unsigned int threads, handlers, batch;
	unsigned int uffd_each;
	unsigned int delivery; /* enum delivery */
	unsigned int write;
	unsigned int order; /* enum page_order */
	unsigned int processes;
	unsigned int place; /* enum place */
	unsigned int no_stamps;
	unsigned int check; /* enum check */
};

/* The words of the axes, see axis.c. */
enum continue_by {
	BY_CONTINUE,
	BY_POPULATE,
	BY_POPULATE_SINGLE,
	BY_POPULATE_WRITE,
	BY_COPY
};
enum continue_step { STEP_RANGE, STEP_PAGE, STEP_2M };
enum delivery {
	DELIVERY_READ,
	DELIVERY_POLL,
	DELIVERY_EPOLL,
	DELIVERY_BUSY,
	DELIVERY_SIGBUS
};
enum page_order { ORDER_ASCENDING, ORDER_RANDOM, ORDER_STRIDE };
enum place { PLACE_ANYWHERE, PLACE_SAME, PLACE_APART };
enum check {
	CHECK_NOTHING,
	CHECK_LOOP,
	CHECK_SLEEP,
	CHECK_EEXIST,
	CHECK_STRAND,
	CHECK_CONTENTS,
	CHECK_SURPLUS
};

enum { MAX_THREADS = 64, MAX_BATCH = 64, MAX_SCATTER = 65536 };

int case_parse(const char *name, struct zap_case *c, struct reason *why);

#endif
