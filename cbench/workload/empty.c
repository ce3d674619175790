// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workload "empty": the harness's own share, in the loop that times the others.
 * check=loop and check=sleep spend a known amount instead, to test the clock.
 */
#include <time.h>

#include "timing.h"
#include "workload.h"

/* Turns of a loop of two instructions: decrement and branch. */
enum { LOOP_TURNS = 100000 };

static int spend_loop(const struct zapbench_method *m, struct region *r, char *addr,
		      size_t len)
{
#ifdef __x86_64__
	unsigned long n = LOOP_TURNS;

	__asm__ volatile("1: dec %0\n\tjnz 1b" : "+r"(n) : : "cc");
#else
	for (volatile unsigned long n = LOOP_TURNS; n; n--)
		;
#endif
	return drop_nothing(m, r, addr, len);
}

static int spend_sleep(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len)
{
	struct timespec ms = { .tv_nsec = 1000000 };

	nanosleep(&ms, NULL);
	return drop_nothing(m, r, addr, len);
}

static const char *excluded(const struct zap_case *c)
{
	return c->check > CHECK_SLEEP ? "check= of empty is loop or sleep" : NULL;
}

static int run(struct region *r, struct timing *t)
{
	unsigned int check = r->c->check;
	struct zapbench_method spend = {
		.drop = check == CHECK_LOOP    ? spend_loop
			: check == CHECK_SLEEP ? spend_sleep
					       : drop_nothing,
	};
	int err = 0;

	t->ops = r->nr_ops;
	while (!err && timing_more(t)) {
		uint64_t start, end;

		timing_before(t);
		start = clock_now(t->o);
		run_ops(&spend, r);
		end = clock_now(t->o);
		err = timing_add(t, start, end);
	}
	return err;
}

const struct zapbench_workload workload_empty = {
	.name = "empty",
	.summary = "nothing, in the same loop: the harness's own share",
	.timed = true,
	.is_harness = true,
	.excluded = excluded,
	.run = run,
};
