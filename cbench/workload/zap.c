// SPDX-License-Identifier: GPL-2.0-only
/* Workload "zap": M to T, the calls alone.  The way back to M is not timed. */
#include "everypage.h"
#include "state.h"
#include "timing.h"
#include "workload.h"

static int run(struct region *r, struct timing *t)
{
	uint64_t start, end;
	int err;

	t->ops = r->nr_ops;
	t->pages_per_op = r->ops[0].len / r->page;
	do {
		timing_before(t);
		start = clock_now(t->o);
		err = run_ops(r->method, r);
		end = clock_now(t->o);
		if (!err)
			err = timing_look(t, r, every_page_traps);
		if (!err)
			err = timing_keep(t, start, end);
		if (!err)
			err = r->c->fresh ? region_refresh(r) : region_back(r);
	} while (!err && timing_more(t));
	return err;
}

const struct zapbench_workload workload_zap = {
	.name = "zap",
	.summary = "mapped to trapping: the calls alone",
	.uses_method = true,
	.timed = true,
	.run = run,
};
