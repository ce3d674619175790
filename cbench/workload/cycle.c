// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workload "cycle": M to T to R for the whole range, one thread, no handler:
 * drop; put lost data back; the cheapest bulk call; read every page once.
 */
#include "everypage.h"
#include "state.h"
#include "timing.h"
#include "workload.h"

enum { DROP, COPY, RESOLVE, TOUCH };

static const char *const stages[] = {
	[DROP] = "drop",
	[COPY] = "copy",
	[RESOLVE] = "resolve",
	[TOUCH] = "touch",
};

/* While T is looked at, the clock stands: the stamps after it are set back. */
static int cycle(struct region *r, struct timing *t, uint64_t stamp[5])
{
	/* without a file the data goes in after the range was opened again */
	bool file = r->backing->has_file;
	const struct options *o = t->o;
	uint64_t stood;
	int err;

	stamp[0] = clock_now(o);
	err = run_ops(r->method, r);
	stamp[1] = clock_now(o);
	if (!err)
		err = timing_look(t, r, every_page_traps);
	stood = clock_now(o) - stamp[1];
	if (!err)
		err = region_put_back(r, &stamp[2]);
	if (err)
		return err;
	stamp[3] = clock_now(o);
	for (unsigned int i = 0; i < r->nr_ops; i++)
		region_touch(r, r->ops[i].addr, r->ops[i].len);
	stamp[4] = clock_now(o);
	for (unsigned int i = 2; i < 5; i++)
		stamp[i] -= stood;
	if (!file && region_loses_data(r))
		stamp[2] = stamp[3]; /* all of it was the copy */
	return 0;
}

static int run(struct region *r, struct timing *t)
{
	uint64_t stamp[5];
	int err = timing_stages(t, stages, ARRAY_SIZE(stages));

	t->ops = r->nr_ops;
	t->pages_per_op = r->ops[0].len / r->page;
	while (!err) {
		timing_before(t);
		err = cycle(r, t, stamp);
		if (!err)
			err = timing_look(t, r, every_page_holds);
		if (!err)
			err = timing_keep(t, stamp[0], stamp[4]);
		for (unsigned int i = 0; i < ARRAY_SIZE(stages) && !err; i++)
			err = timing_keep_stage(t, i, stamp[i + 1] - stamp[i]);
		if (!err)
			err = r->c->fresh ? region_refresh(r) : region_restore(r);
		if (!timing_more(t))
			break;
	}
	return err;
}

const struct zapbench_workload workload_cycle = {
	.name = "cycle",
	.summary = "mapped to trapping to resolved and read",
	.uses_method = true,
	.timed = true,
	.needs_resolve = true,
	.run = run,
};
