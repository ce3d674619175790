// SPDX-License-Identifier: GPL-2.0-only
/*
 * Workload "continue": UFFDIO_CONTINUE of the whole range in one call, against
 * what the kernel can do at best, MADV_POPULATE_READ of a plain mapping
 * (by=populate).  MINOR and WP registrations switch fault-around off
 * (uffd_disable_fault_around()); so does by=populate-single, by registering WP.
 */
#include <string.h>
#include <sys/mman.h>

#include "zapbench.h"

static int map_populate(const struct zapbench_method *m, struct region *r, char *addr,
			size_t len)
{
	(void)m;
	(void)r;
	return madvise(addr, len, MADV_POPULATE_READ) ? -errno : 0;
}

static int map_continue(const struct zapbench_method *m, struct region *r, char *addr,
			size_t len)
{
	(void)m;
	return uffd_continue(&r->uffd, addr, len, r->granule);
}

static int drop_all(struct region *r)
{
	for (unsigned int i = 0; i < r->nr_ops; i++)
		if (madvise(r->ops[i].addr, r->ops[i].len, MADV_DONTNEED))
			return -errno;
	return 0;
}

static int prepare(struct region *r)
{
	int err;

	if (!r->c->by)
		return 0;
	err = region_unregister_all(r);
	r->reg_mode = 0;
	if (!err && !strcmp(r->c->by, "populate-single"))
		err = region_register_all(r, UFFDIO_REGISTER_MODE_WP);
	return err;
}

int workload_continue(struct region *r, void *timing)
{
	struct zapbench_method map = { .drop = r->c->by ? map_populate : map_continue };
	struct timing *t = timing;
	uint64_t start, end;
	int err = prepare(r);

	t->ops = r->nr_ops;
	t->pages_per_op = r->ops[0].len / r->page;
	while (!err) {
		err = drop_all(r);
		if (err)
			break;
		timing_before(t);
		start = clock_now(t->o);
		err = run_ops(&map, r);
		end = clock_now(t->o);
		if (!err)
			err = timing_keep(t, start, end);
		if (!timing_more(t))
			break;
	}
	return err;
}
