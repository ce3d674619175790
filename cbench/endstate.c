// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is T really T, and R really R?  Checked before anything is timed: T by what
 * pagemap shows of every page and by accesses that must raise the declared event,
 * the data through a second mapping of the file, R by accesses that must raise
 * nothing and by contents.
 */
#include <string.h>

#include "endstate.h"
#include "access.h"
#include "everypage.h"
#include "region.h"
#include "sibling.h"
#include "state.h"
#include "timing.h"

/* The n-th of the pages to look at: first and last always, else spread evenly. */
static size_t nth_page(size_t n, size_t looked_at, size_t pages)
{
	return looked_at < 2 ? 0 : n * (pages - 1) / (looked_at - 1);
}

/*
 * From page to page looked at.  Data that comes back does so by whole folios:
 * the other pages of one whose access was seen trap no more.
 */
static size_t step(const struct region *r)
{
	return region_loses_data(r) ? r->page : r->granule;
}

/* How many pages of the operation to look at, out of *pages. */
static int op_pages(const struct region *r, const struct op *op, size_t max,
		    size_t *pages)
{
	*pages = op->len / step(r);
	return MIN(*pages, MAX((size_t)2, max / r->nr_ops));
}

/* Drops, with somebody to read the events if any were asked for; looks at every page. */
static int drop_all(struct region *r, struct reason *why)
{
	struct sibling *reader = NULL;
	int err;

	if (r->c->events) {
		reader = sibling_serve(r);
		if (!reader)
			return -ENOMEM;
	}
	err = run_ops(r->method, r);
	sibling_stop(reader);
	if (!err)
		return every_page_traps(r, why);
	because(why, "%s: %s: not on this kernel, or not here", r->method->summary,
		strerror(-err));
	return err;
}

/* Brings one granule, whose access raised event, to R. */
static int resolve_page(struct region *r, char *page, int event)
{
	int err = 0;

	if (event == EVENT_NONE || event == EVENT_REFAULT || r->method->no_resolve)
		return 0;
	if (event == EVENT_MISSING)
		err = region_fill(r, page, r->granule);
	return err ? err : region_resolve(r, page, r->granule);
}

static int check_trap(struct region *r, struct accessor *a, const struct op *op, size_t n,
		      size_t pages, int *seen, struct reason *why)
{
	int expected = region_expected_event(r), event, err;
	char *page = op->addr + n * step(r);
	/* one ordinary fault maps its neighbours too: pagemap was looked at before it */
	bool fault_around = expected == EVENT_REFAULT && n;

	err = access_begin(a, page, r->method->write_only, &event);
	if (err) {
		because(why, "page %zu of %zu: an access neither ended nor was reported",
			n, pages);
		return err;
	}
	if (fault_around && event == EVENT_NONE)
		event = expected;
	*seen = event;
	if (event != expected) {
		because(why, "page %zu of %zu met %s, not %s", n, pages,
			zapbench_event_name(event), zapbench_event_name(expected));
		return -EPROTO;
	}
	err = resolve_page(r, page, event);
	if (err) {
		because(why, "page %zu of %zu could not be resolved: %s", n, pages,
			strerror(-err));
		return err;
	}
	err = access_end(a);
	if (err)
		because(why,
			"page %zu of %zu: its access did not end after it was resolved",
			n, pages);
	return err;
}

static int check_traps(struct region *r, struct accessor *a, size_t max, int *event,
		       struct reason *why)
{
	int err = 0;

	for (unsigned int i = 0; i < r->nr_ops && !err; i++) {
		size_t pages, n = op_pages(r, &r->ops[i], max, &pages);

		for (size_t j = 0; j < n && !err; j++)
			err = check_trap(r, a, &r->ops[i], nth_page(j, n, pages), pages,
					 event, why);
	}
	return err;
}

static int check_file(struct region *r, const struct op *op, size_t max,
		      struct reason *why)
{
	size_t pages, n = op_pages(r, op, max, &pages);

	for (size_t j = 0; j < n; j++) {
		char *addr = op->addr + nth_page(j, n, pages) * step(r);

		if (page_is(r, r->alias + region_offset(r, addr), addr))
			continue;
		because(why, "page %zu of %zu of the file changed", nth_page(j, n, pages),
			pages);
		return -EPROTO;
	}
	return 0;
}

static int check_resolved_op(struct region *r, struct accessor *a, const struct op *op,
			     size_t max, struct reason *why)
{
	size_t pages, n = op_pages(r, op, max, &pages);

	for (size_t j = 0; j < n; j++) {
		char *addr = op->addr + nth_page(j, n, pages) * step(r);
		int event, err = access_begin(a, addr, false, &event);

		if (!err && event != EVENT_NONE && event != EVENT_REFAULT) {
			because(why, "page %zu of %zu still met %s after it was resolved",
				nth_page(j, n, pages), pages, zapbench_event_name(event));
			return -EPROTO;
		}
		if (!err && !page_is(r, addr, addr)) {
			because(why,
				"page %zu of %zu held other bytes after it was "
				"resolved",
				nth_page(j, n, pages), pages);
			return -EPROTO;
		}
		if (err) {
			because(why, "page %zu of %zu could not be accessed: %s",
				nth_page(j, n, pages), pages, strerror(-err));
			return err;
		}
	}
	return 0;
}

static int check_resolved(struct region *r, struct accessor *a, size_t max,
			  struct reason *why)
{
	uint64_t ignored;
	int err = region_put_back(r, &ignored);

	if (err)
		because(why, "cannot resolve the range: %s", strerror(-err));
	for (unsigned int i = 0; i < r->nr_ops && !err; i++)
		err = check_resolved_op(r, a, &r->ops[i], max, why);
	return err;
}

/*
 * The page that is accessed first is accessed right before the drop as well, by the
 * same thread: what a TLB holds then, the drop must flush.
 */
static int warm(struct region *r, struct accessor *a)
{
	int event, err;

	err = access_begin(a, r->ops[0].addr, r->method->write_only, &event);
	if (err)
		return err;
	/* a page that the kernel has reclaimed */
	err = resolve_page(r, r->ops[0].addr, event);
	return err ? err : access_end(a);
}

static int check_with(struct region *r, struct accessor *a, size_t max, int *event,
		      struct reason *why)
{
	uint64_t ignored;
	int err = warm(r, a);

	if (err) {
		because(why, "an access of a mapped page: %s", strerror(-err));
		return err;
	}
	err = drop_all(r, why);
	if (!err)
		err = check_traps(r, a, max, event, why);
	for (unsigned int i = 0; i < r->nr_ops && !err; i++)
		if (r->alias && !region_loses_data(r))
			err = check_file(r, &r->ops[i], max, why);
	if (err || r->method->no_resolve)
		return err;
	/* again, for the bulk call: what check_traps() looked at is resolved */
	if (region_maps_pmd(r)) {
		err = region_put_back(r, &ignored);
		err = err ? err : region_restore(r);
	}
	if (err)
		because(why, "cannot go back to the mapped state: %s", strerror(-err));
	else
		err = drop_all(r, why);
	return err ? err : check_resolved(r, a, max, why);
}

/*
 * From M to T to R and back to M.  Looks at no more than max_pages pages, at
 * two of each operation at least.  Returns -EPROTO if a state is not what it
 * has to be, or the errno of the method, with the reason in why.
 */
static int end_state_check(struct region *r, size_t max_pages, int *event,
			   struct reason *why)
{
	struct accessor *a = accessor_start(&r->uffd, r->granule);
	int err;

	*event = EVENT_NONE;
	if (!a)
		return -ENOMEM;
	err = check_with(r, a, max_pages, event, why);
	accessor_stop(a);
	if (err)
		return err;
	err = r->method->write_only && r->backing->is_private ? region_refresh(r)
							      : region_restore(r);
	if (err)
		because(why, "cannot go back to the mapped state: %s", strerror(-err));
	return err;
}

/*
 * Makes a region in state M and checks the states of its method, if it has
 * one.  A page that the kernel reclaimed in between looks like a broken
 * contract, so that one is tried again: a broken method is broken each time.
 * The caller destroys the region either way.
 */
int region_checked(struct region *r, const struct zap_case *c, const struct options *o,
		   size_t max_pages, int *event, struct reason *why)
{
	int err = -EPROTO;

	for (int tries = 0; tries < CONTRACT_TRIES && err == -EPROTO; tries++) {
		if (tries)
			region_destroy(r);
		err = region_create(r, c, o, why);
		if (!err && c->method)
			err = end_state_check(r, max_pages, event, why);
	}
	return err;
}
