// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workload "minor_fault": one access of a trapping page, timed in the thread
 * that faults.  A pass drops the range, and lets the threads access each page
 * once while handlers resolve; the drop and the way back are not timed.  A page
 * is one of the case's size, and one answer maps the whole of it.
 */
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fault.h"
#include "size.h"
#include "state.h"
#include "stop.h"
#include "workload.h"
#include "workload/crew.h"

/*
 * Of a fault's time: until its message was read; behind other messages of the
 * same read; the ioctl; and from its return until the access ended.  Where the
 * access ended first, the ioctl counts up to there.
 */
enum { DELIVER, QUEUE, RESOLVE, RESUME };

static const char *const stages[] = {
	[DELIVER] = "deliver",
	[QUEUE] = "queue",
	[RESOLVE] = "resolve",
	[RESUME] = "resume",
};

/* Tails need more samples than medians: so many times the number and the seconds. */
enum { MORE_SAMPLES = 100, MORE_SECONDS = 10 };

/* ---- beginning and end ---- */

static void nothing(int sig)
{
}

static int allocate(struct faults *f)
{
	f->shared_len = sizeof(*f->shared) + f->pages * sizeof(f->shared->answers[0]);
	f->shared = mmap(NULL, f->shared_len, PROT_READ | PROT_WRITE,
			 MAP_SHARED | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (f->shared == MAP_FAILED) {
		f->shared = NULL;
		return -errno;
	}
	return 0;
}

static int register_parts(struct faults *f)
{
	int err = 0;

	for (unsigned int i = 0; i < f->nr_uffds && !err; i++)
		err = uffd_register(&f->uffd[i], part_start(f, i),
				    part_pages(f, i) * f->page, f->r->reg_mode);
	return err;
}

static int unregister_parts(struct faults *f)
{
	int err = 0;

	for (unsigned int i = 0; i < f->nr_uffds && !err; i++)
		err = uffd_unregister(&f->uffd[i], part_start(f, i),
				      part_pages(f, i) * f->page);
	return err;
}

/* The range goes from the region's userfaultfd to those of the handlers. */
static int take_over(struct faults *f)
{
	bool sigbus = f->r->c->delivery == DELIVERY_SIGBUS;
	uint64_t needed = f->r->uffd.features | (sigbus ? UFFD_FEATURE_SIGBUS : 0);
	unsigned int wanted = f->nr_uffds;
	int err = region_unregister_all(f->r);

	for (f->nr_uffds = 0; f->nr_uffds < wanted && !err; f->nr_uffds += !err)
		err = uffd_open(&f->uffd[f->nr_uffds], needed, 0);
	return err ? err : register_parts(f);
}

static int start(struct faults *f)
{
	struct sigaction sa = { .sa_handler = nothing };
	int err = allocate(f);

	if (!err)
		err = place_init(f);
	if (!err)
		err = faulters_init(f, f->o->seed);
	sigaction(SIGUSR1, &sa, &f->old_user);
	if (!err && f->r->c->processes)
		err = handlers_fork(f);
	if (!err)
		err = take_over(f);
	if (!err)
		err = handlers_start(f);
	if (f->r->c->delivery == DELIVERY_SIGBUS)
		sigbus_catch(f);
	if (!err && !(f->crew = crew_start(f->nr_threads, f->o, faulters_work, f)))
		err = -ENOMEM;
	for (unsigned int i = 0; i < f->nr_threads && !err; i++)
		err = place_thread(f, crew_thread(f->crew, i), i);
	return err;
}

static void end(struct faults *f)
{
	crew_stop(f->crew);
	if (f->shared)
		handlers_stop(f);
	for (unsigned int i = 0; i < f->nr_uffds; i++)
		uffd_close(&f->uffd[i]);
	if (f->r->c->delivery == DELIVERY_SIGBUS)
		sigbus_release(f);
	sigaction(SIGUSR1, &f->old_user, NULL);
	faulters_free(f);
	if (f->shared)
		munmap(f->shared, f->shared_len);
}

static void init(struct faults *f, struct region *r, struct timing *t)
{
	const struct zap_case *c = r->c;
	bool handled = c->delivery != DELIVERY_SIGBUS;

	*f = (struct faults){
		.r = r,
		.o = t->o,
		.base = r->ops[0].addr,
		.page = r->page,
		.pages = r->len / r->page,
		.stamps = !c->no_stamps,
		.nr_threads = MAX(c->threads, 1),
		.nr_handlers = handled ? MAX(c->handlers, 1) : 0,
		.batch = MAX(c->batch, 1),
		.other = r->alias,
		.why = &t->why,
	};
	f->nr_uffds = c->uffd_each ? f->nr_handlers : 1;
	t->faults.oversubscribed =
		f->nr_threads + f->nr_handlers > sysconf(_SC_NPROCESSORS_ONLN);
}

/* ---- one pass ---- */

/* M to T: each part by its own userfaultfd, which some methods register again. */
static int drop(struct faults *f)
{
	const struct zapbench_method *m = f->r->method;
	int err = 0;

	for (unsigned int i = 0; i < f->nr_uffds && !err; i++) {
		struct region part = *f->r;

		part.uffd = f->uffd[i];
		err = m->drop(m, &part, part_start(f, i), part_pages(f, i) * f->page);
	}
	for (size_t i = 0; i < f->pages; i++) {
		f->shared->answers[i].events = 0;
		f->shared->answers[i].done_events = 0;
	}
	return err;
}

/* R to M: only where that is another state, and by the region's own functions. */
static int restore(struct faults *f)
{
	uint64_t mode = f->r->reg_mode;
	int err;

	if (!region_maps_pmd(f->r))
		return 0;
	err = unregister_parts(f);
	f->r->reg_mode = 0;
	if (!err)
		err = region_restore(f->r);
	f->r->reg_mode = mode;
	return err ? err : register_parts(f);
}

/* A handler's last stamp comes after the access may have ended. */
static void settle(struct answer *a)
{
	unsigned int events = atomic_load_explicit(&a->events, memory_order_relaxed);
	uint64_t until = 0;

	while (atomic_load_explicit(&a->done_events, memory_order_acquire) < events) {
		if (!until)
			until = now_ns() + 1000000000;
		if (now_ns() > until)
			break;
		sched_yield();
	}
}

/* Each page must have raised an event: one that was mapped was not timed. */
static int count_faults(struct faults *f, struct fault_counts *n)
{
	size_t silent = 0, first = 0;

	for (size_t i = 0; i < f->pages; i++) {
		struct answer *a = &f->shared->answers[i];
		unsigned int events = atomic_load(&a->events);

		settle(a);
		n->repeated += events > 1 ? events - 1 : 0;
		if (!events && !silent++)
			first = i;
	}
	n->pages += f->pages;
	n->faults += f->pages - silent;
	if (!silent)
		return 0;
	because(f->why,
		"%zu of %zu pages raised no event when they were accessed, the first of "
		"them page %zu",
		silent, f->pages, first);
	return -EPROTO;
}

static int keep_stages(struct timing *t, uint64_t start, uint64_t end,
		       const struct answer *a)
{
	uint64_t resolved = MIN(a->done, end);
	int err = timing_keep_stage(t, DELIVER, a->read - start);

	if (!err)
		err = timing_keep_stage(t, QUEUE, a->turn - a->read);
	if (!err)
		err = timing_keep_stage(t, RESOLVE, resolved - a->turn);
	return err ? err : timing_keep_stage(t, RESUME, end - resolved);
}

static int keep_faulter(struct faults *f, struct timing *t, const struct faulter *who)
{
	uint64_t start = who->start;
	int err = 0;

	for (size_t i = who->first; i < who->end && !err; i++) {
		size_t page = f->order[i];

		err = series_add(&t->total, f->ends[i] - start);
		if (!err && stamped(f, page))
			err = keep_stages(t, start, f->ends[i],
					  &f->shared->answers[page]);
		start = f->ends[i];
	}
	return err;
}

/* A sample is a fault or, without stamps, a pass. */
static int keep(struct faults *f, struct timing *t, uint64_t wall)
{
	int err = 0;

	t->faults.wall += wall;
	if (!f->stamps)
		return series_add(&t->total, wall);
	for (unsigned int i = 0; i < f->nr_threads && !err; i++)
		err = keep_faulter(f, t, &f->faulters[i]);
	return err;
}

/* Every byte of every page. */
static int verify(struct faults *f)
{
	for (size_t i = 0; i < f->pages * f->page; i += base_page()) {
		if (page_is(f->r, f->base + i, f->base + i))
			continue;
		because(f->why, "page %zu held other bytes after its fault", i / f->page);
		return -EPROTO;
	}
	return 0;
}

static struct fault_counts counted(const struct faults *f)
{
	struct fault_counts n = { .strandings = f->strandings };

	handlers_count(f, &n);
	return n;
}

/* What came since before belongs to the pass. */
static void add_counts(struct fault_counts *n, const struct fault_counts *before,
		       const struct fault_counts *now)
{
	n->minor += now->minor - before->minor;
	n->eexist += now->eexist - before->eexist;
	n->eagain += now->eagain - before->eagain;
	n->strandings += now->strandings - before->strandings;
}

static int pass(struct faults *f, struct timing *t, bool whole)
{
	struct fault_counts ignored = { 0 }, *n = t->keeping ? &t->faults : &ignored;
	struct fault_counts before, now;
	uint64_t wall;
	int err = drop(f);

	if (err) {
		because(f->why, "%s: %s", f->r->method->summary, strerror(-err));
		return err;
	}
	before = counted(f);
	wall = crew_pass(f->crew, faulters_watch);
	err = faulters_check(f);
	if (!err)
		err = place_check(f);
	if (!err)
		err = count_faults(f, n);
	now = counted(f);
	add_counts(n, &before, &now);
	if (!err && t->keeping)
		err = keep(f, t, wall);
	if (!err && whole)
		err = verify(f);
	return err ? err : restore(f);
}

static bool enough(const struct timing *t)
{
	return interrupted(t->o) ||
	       t->faults.faults >= (uint64_t)t->o->samples * MORE_SAMPLES ||
	       (t->total.n && now_ns() >= t->deadline_ns);
}

static int passes(struct faults *f, struct timing *t)
{
	int err = 0;

	for (; t->warmup && !err; t->warmup--)
		err = pass(f, t, true);
	t->keeping = true;
	t->deadline_ns = now_ns() + (uint64_t)(t->o->max_seconds * MORE_SECONDS * 1e9);
	while (!err && !enough(t))
		err = pass(f, t, false);
	if (!err && !interrupted(t->o)) {
		t->keeping = false;
		err = pass(f, t, true);
	}
	return err;
}

static int run(struct region *r, struct timing *t)
{
	struct faults *f = malloc(sizeof(*f));
	int err;

	if (!f)
		return -ENOMEM;
	init(f, r, t);
	t->ops = f->stamps ? 1 : f->pages;
	t->pages_per_op = 1;
	err = f->stamps ? timing_stages(t, stages, ARRAY_SIZE(stages)) : 0;
	if (!err)
		err = start(f);
	if (!err)
		err = passes(f, t);
	end(f);
	free(f);
	return err;
}

const struct zapbench_workload workload_minor_fault = {
	.name = "minor_fault",
	.summary = "one access of a trapping page, in the thread that faults",
	.uses_method = true,
	.timed = true,
	.handles_faults = true,
	.needs_minor = true,
	.excluded = fault_excluded,
	.run = run,
};
