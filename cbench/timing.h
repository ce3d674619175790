/* SPDX-License-Identifier: GPL-2.0-only */
/* The timed loop, its clock, and its samples. */
#ifndef ZAPBENCH_TIMING_H
#define ZAPBENCH_TIMING_H

#include "layout.h"
#include "reason.h"

enum { RAW_SAMPLES = 4096, HIST_BITS = 7, HIST_BUCKETS = 58 << HIST_BITS };

struct series {
	const char *name;
	uint64_t *raw; /* the first RAW_SAMPLES values */
	uint64_t *buckets; /* log-linear histogram after that */
	uint64_t n, min, max, sum;
};

int series_init(struct series *s, const char *name);
int series_count(struct series *s);
int series_add(struct series *s, uint64_t value);
void series_free(struct series *s);
unsigned int hist_index(uint64_t value);

enum { MAX_STAGES = 4 };

/* What became of the faults that were timed. */
struct fault_counts {
	uint64_t pages; /* touched */
	uint64_t faults; /* of them, those that raised an event */
	uint64_t repeated; /* further events of the same page in the same pass */
	uint64_t minor; /* events of that kind */
	uint64_t strandings; /* threads that slept on after their page was resolved */
	uint64_t eexist, eagain; /* answers of the resolving ioctl */
	uint64_t wall; /* of the passes, in the clock's unit */
	bool oversubscribed; /* more threads and handlers than CPUs */
};

struct timing {
	const struct options *o;
	struct series total;
	struct series stage[MAX_STAGES];
	unsigned int nr_stages;
	unsigned int warmup; /* rounds left before samples are kept */
	bool keeping;
	uint64_t empty; /* least cost of a sample of no-ops */
	uint64_t case_start, case_total;
	uint64_t looked; /* time that is not part of case_total */
	unsigned int forgiven; /* samples that the kernel may have disturbed */
	uint64_t ops, pages_per_op;
	uint64_t deadline_ns;
	struct fault_counts faults; /* workload minor_fault */
	long switches; /* voluntary ones of this thread before the sample */
	struct reason why;
};

uint64_t now_ns(void);
uint64_t clock_now(const struct options *o);
int timing_init(struct timing *t, const struct options *o, unsigned int warmup);
int timing_stages(struct timing *t, const char *const *names, unsigned int n);
void timing_free(struct timing *t);
bool timing_more(struct timing *t);
void timing_before(struct timing *t);
int timing_add(struct timing *t, uint64_t start, uint64_t end);
int timing_keep(struct timing *t, uint64_t start, uint64_t end);
int timing_keep_stage(struct timing *t, unsigned int stage, uint64_t value);
int timing_look(struct timing *t, struct region *r,
		int (*look)(struct region *r, struct reason *why));
void timing_finish(struct timing *t);
void timing_measure_empty(struct region *r, struct timing *t);
int run_ops(const struct zapbench_method *m, struct region *r);
int drop_nothing(const struct zapbench_method *m, struct region *r, char *addr,
		 size_t len);

#endif
