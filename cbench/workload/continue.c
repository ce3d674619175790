// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workload "continue": UFFDIO_CONTINUE of a range whose pages are in the cache,
 * in one call or in several, against other ways to map them.  What the kernel can
 * do at best is MADV_POPULATE_READ of a plain mapping (by=populate).  MINOR and
 * WP registrations switch fault-around off (uffd_disable_fault_around()); so does
 * by=populate-single, by registering WP.  by=copy fills an empty file by
 * UFFDIO_COPY: the cost of the contents is in it.
 */
#include <fcntl.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "crew.h"
#include "everypage.h"
#include "size.h"
#include "timing.h"
#include "workload.h"

/* What a call needs besides its address. */
struct mapper {
	struct region *r;
	int (*map)(const struct mapper *m, char *addr, size_t len);
	uint64_t mode; /* of UFFDIO_CONTINUE */
	const char *contents; /* of the whole range, for UFFDIO_COPY */
	unsigned int threads;
	struct op *parts; /* of the range, one for each thread */
	size_t step; /* most that one call maps */
	atomic_int err;
};

static int map_continue(const struct mapper *m, char *addr, size_t len)
{
	return uffd_continue_mode(&m->r->uffd, addr, len, m->r->granule, m->mode);
}

static int map_populate(const struct mapper *m, char *addr, size_t len)
{
	return madvise(addr, len, MADV_POPULATE_READ) ? -errno : 0;
}

static int map_populate_write(const struct mapper *m, char *addr, size_t len)
{
	return madvise(addr, len, MADV_POPULATE_WRITE) ? -errno : 0;
}

static int map_copy(const struct mapper *m, char *addr, size_t len)
{
	return uffd_copy(&m->r->uffd, addr, m->contents + region_offset(m->r, addr), len);
}

/* How each way maps, and how it wants the range registered. */
static const struct {
	int (*map)(const struct mapper *m, char *addr, size_t len);
	uint64_t reg_mode;
} ways[] = {
	[BY_CONTINUE] = { map_continue, UFFDIO_REGISTER_MODE_MINOR },
	[BY_POPULATE] = { map_populate, 0 },
	[BY_POPULATE_SINGLE] = { map_populate, UFFDIO_REGISTER_MODE_WP },
	[BY_POPULATE_WRITE] = { map_populate_write, 0 },
	[BY_COPY] = { map_copy, UFFDIO_REGISTER_MODE_MISSING },
};

static int map_part(const struct mapper *m, const struct op *part)
{
	int err = 0;

	for (size_t at = 0, step = MIN(m->step, part->len); at < part->len && !err;
	     at += step)
		err = m->map(m, part->addr + at, MIN(step, part->len - at));
	return err;
}

static int map_all(const struct mapper *m)
{
	int err = 0;

	for (unsigned int i = 0; i < m->r->nr_ops && !err; i++)
		err = map_part(m, &m->r->ops[i]);
	return err;
}

static void crew_map(void *mapper, unsigned int member)
{
	struct mapper *m = mapper;
	int err = map_part(m, &m->parts[member]);

	if (err)
		atomic_store(&m->err, err);
}

/* ---- before a sample ---- */

/* Back to an empty page table and, for UFFDIO_COPY, to an empty file. */
static int drop_all(const struct mapper *m)
{
	struct region *r = m->r;
	/* while it is registered WP, dropped pages leave markers behind */
	bool marks = m->mode & UFFDIO_CONTINUE_MODE_WP;
	uint64_t mode = r->reg_mode;
	int err = marks ? region_unregister_all(r) : 0;

	for (unsigned int i = 0; i < r->nr_ops && !err; i++) {
		const struct op *op = &r->ops[i];

		if (madvise(op->addr, op->len, MADV_DONTNEED))
			err = -errno;
		else if (m->contents &&
			 fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   region_offset(r, op->addr), op->len))
			err = -errno;
	}
	return err || !marks ? err : region_register_all(r, mode);
}

/* ---- once ---- */

/* All that the range holds, in one piece: UFFDIO_COPY wants whole huge pages. */
static char *copy_contents(const struct region *r)
{
	size_t len = r->slots * region_mapping(r);
	char *copy = aligned_alloc(base_page(), len);

	for (size_t i = 0; copy && i < len; i += base_page())
		memcpy(copy + i,
		       r->options->contents +
			       i / base_page() % CONTENT_PAGES * base_page(),
		       base_page());
	return copy;
}

/* Pages are not divided between threads. */
static int divide(struct mapper *m)
{
	const struct op *op = &m->r->ops[0];
	size_t pages = op->len / m->r->page;

	m->parts = calloc(m->threads, sizeof(*m->parts));
	if (!m->parts)
		return -ENOMEM;
	for (unsigned int i = 0; i < m->threads; i++) {
		size_t first = pages * i / m->threads, end = pages * (i + 1) / m->threads;

		m->parts[i].addr = op->addr + first * m->r->page;
		m->parts[i].len = (end - first) * m->r->page;
	}
	return 0;
}

static int prepare(struct mapper *m, struct timing *t)
{
	struct region *r = m->r;
	const struct zap_case *c = r->c;
	uint64_t reg_mode = ways[c->by].reg_mode | (c->wp ? UFFDIO_REGISTER_MODE_WP : 0);
	int err = divide(m);

	if (c->by == BY_COPY && !(m->contents = copy_contents(r)))
		err = -ENOMEM;
	if (!err && reg_mode != r->reg_mode) {
		err = region_unregister_all(r);
		if (!err)
			err = region_register_all(r, reg_mode);
	}
	if (!err && c->wp && !(err = drop_all(m)) &&
	    m->map(m, r->ops[0].addr, r->page) == -EINVAL) {
		because(&t->why, "this kernel lacks UFFDIO_CONTINUE_MODE_WP (Linux 6.4)");
		err = -EOPNOTSUPP;
	}
	return err;
}

static int verify(const struct mapper *m, struct timing *t)
{
	struct region *r = m->r;

	for (unsigned int i = 0; i < r->nr_ops; i++)
		for (size_t at = 0; at < r->ops[i].len; at += base_page()) {
			const char *page = r->ops[i].addr + at;

			if (page_is(r, page, page))
				continue;
			because(&t->why, "page %zu held other bytes after it was mapped",
				at / base_page());
			return -EPROTO;
		}
	return 0;
}

/* ---- samples ---- */

enum { FORGIVEN = 3 };

/*
 * -EAGAIN: the sample does not count.  The kernel may have reclaimed a page since
 * it was mapped, except where instructions are counted; but not again and again.
 */
static int look_mapped(const struct mapper *m, struct timing *t)
{
	bool marks = m->mode & UFFDIO_CONTINUE_MODE_WP;
	int err = timing_look(t, m->r, marks ? every_page_mapped_wp : every_page_mapped);

	return err == -EPROTO && !t->o->tsc && t->forgiven++ < FORGIVEN ? -EAGAIN : err;
}

static int sample(struct mapper *m, struct timing *t, struct crew *crew)
{
	uint64_t start, end;
	int err = drop_all(m);

	if (!err)
		err = timing_look(t, m->r, every_page_absent);
	if (err)
		return err;
	timing_before(t);
	start = clock_now(t->o);
	if (crew) {
		end = start + crew_pass(crew, NULL);
		err = atomic_load(&m->err);
	} else {
		err = map_all(m);
		end = clock_now(t->o);
	}
	if (err)
		return err;
	err = look_mapped(m, t);
	if (err)
		return err == -EAGAIN ? 0 : err;
	/* no look at switches: this thread slept, while its crew worked */
	return crew ? series_add(&t->total, end - start) : timing_keep(t, start, end);
}

static const char *excluded(const struct zap_case *c)
{
	bool mode = c->wp || c->no_wake || c->step;

	if (c->by && mode)
		return "step=, wp= and wake= are UFFDIO_CONTINUE's, not by='s";
	if (c->by >= BY_POPULATE_WRITE && c->backing->is_private)
		return "would make pages of its own in a private mapping";
	if (c->step == STEP_2M && (c->range <= 2 * MIB || c->page >= 2 * MIB))
		return "step=2m needs pages smaller than 2 MiB and a larger range";
	if (c->step == STEP_PAGE && c->range == c->page)
		return "step=page needs more than one page";
	if (c->threads > c->range / c->page)
		return "fewer pages than threads";
	return NULL;
}

static int run(struct region *r, struct timing *t)
{
	const struct zap_case *c = r->c;
	struct mapper m = {
		.r = r,
		.map = ways[c->by].map,
		.mode = (c->wp ? UFFDIO_CONTINUE_MODE_WP : 0) |
			(c->no_wake ? UFFDIO_CONTINUE_MODE_DONTWAKE : 0),
		.threads = MAX(c->threads, 1),
		.step = c->step == STEP_PAGE ? r->page
			: c->step == STEP_2M ? 2 * MIB
					     : SIZE_MAX,
	};
	struct crew *crew = NULL;
	int err = prepare(&m, t);

	if (!err && m.threads > 1 && !(crew = crew_start(m.threads, t->o, crew_map, &m)))
		err = -ENOMEM;
	t->ops = r->nr_ops;
	t->pages_per_op = r->ops[0].len / r->page;
	while (!err) {
		err = sample(&m, t, crew);
		if (!timing_more(t))
			break;
	}
	if (!err)
		err = verify(&m, t);
	crew_stop(crew);
	free((char *)m.contents);
	free(m.parts);
	return err;
}

const struct zapbench_workload workload_continue = {
	.name = "continue",
	.summary = "UFFDIO_CONTINUE of the whole range, against populating it",
	.timed = true,
	.needs_minor = true,
	.excluded = excluded,
	.run = run,
};
