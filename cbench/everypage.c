// SPDX-License-Identifier: GPL-2.0-only
/*
 * Is each page of the range in the state that it has to be in?  Cheap enough to
 * be asked after every drop that is timed, while the clock stands: pagemap says it
 * without an access.  Where T does not show there, it is a signal, and some pages
 * are accessed, others each time.
 */
#include <stdio.h>
#include <string.h>

#include "everypage.h"
#include "access.h"
#include "mapped.h"
#include "reason.h"
#include "size.h"
#include "state.h"

enum { ENTRIES = 512, ACCESSES = 8 };

/* Bits of an entry of pagemap, and what they have to be. */
struct look {
	uint64_t mask, value;
	const char *otherwise; /* what a page is that they do not hold for */
};

static const struct look looks[] = {
	[SHOWN_ABSENT] = { PAGEMAP_PRESENT | PAGEMAP_SWAP, 0, "is still mapped" },
	[SHOWN_MARKER] = { PAGEMAP_PRESENT | PAGEMAP_SWAP, PAGEMAP_SWAP,
			   "has no marker" },
	[SHOWN_PROTECTED] = { PAGEMAP_UFFD_WP, PAGEMAP_UFFD_WP, "is not protected" },
};

/* pagemap_hugetlb_range() shows no marker, only that no page is mapped (6.12). */
static const struct look hugetlb_marker = { PAGEMAP_PRESENT, 0, "is still mapped" };

static const struct look mapped = { PAGEMAP_PRESENT, PAGEMAP_PRESENT, "is not mapped" };

static const struct look mapped_wp = { PAGEMAP_PRESENT | PAGEMAP_UFFD_WP,
				       PAGEMAP_PRESENT | PAGEMAP_UFFD_WP,
				       "is not mapped write-protected" };

static int wrong(const struct region *r, size_t op, size_t page, const char *what,
		 struct reason *why)
{
	char where[32] = "";

	if (r->nr_ops > 1)
		snprintf(where, sizeof(where), " of range %zu", op);
	because(why, "page %zu of %zu%s %s", page, r->ops[op].len / r->granule, where,
		what);
	return -EPROTO;
}

/* What was read of pagemap at once, of a page table: operations may be small. */
struct window {
	uintptr_t first;
	size_t n;
	uint64_t entries[ENTRIES];
};

static int window_move(struct region *r, struct window *w, uintptr_t page, size_t base,
		       struct reason *why)
{
	uintptr_t start = (uintptr_t)r->base / base;
	uintptr_t end = start + r->slots * r->stride / base;
	int err;

	w->first = MAX(start, page & ~(uintptr_t)(ENTRIES - 1));
	w->n = MIN(end - w->first, (size_t)ENTRIES);
	/* a hugetlb page has an entry for each of its base pages, all the same */
	if (r->granule != base) {
		w->first = page;
		w->n = 1;
	}
	err = pagemap_read(r, (char *)(w->first * base), w->entries, w->n);
	if (err)
		because(why, "cannot read /proc/self/pagemap: %s", strerror(-err));
	return err;
}

static int op_shows(struct region *r, size_t op, const struct look *look,
		    struct window *w, struct reason *why)
{
	size_t base = base_page(), step = r->granule / base;
	uintptr_t start = (uintptr_t)r->ops[op].addr / base;
	uintptr_t end = start + r->ops[op].len / base;

	for (uintptr_t page = start; page < end; page += step) {
		int err = 0;

		if (page - w->first >= w->n)
			err = window_move(r, w, page, base, why);
		if (err)
			return err;
		if ((w->entries[page - w->first] & look->mask) != look->value)
			return wrong(r, op, (page - start) / step, look->otherwise, why);
	}
	return 0;
}

static int all_show(struct region *r, const struct look *look, struct reason *why)
{
	struct window w;
	int err = 0;

	w.first = w.n = 0;
	for (size_t op = 0; op < r->nr_ops && !err; op++)
		err = op_shows(r, op, look, &w, why);
	return err;
}

/* The first page, the last one, and others at random, of all operations as one. */
static size_t accessed_page(struct region *r, unsigned int n, size_t pages)
{
	return n == 0 ? 0 : n == 1 ? pages - 1 : mix64(r->seed ^ r->looks++) % pages;
}

static int some_raise(struct region *r, int expected, struct reason *why)
{
	size_t of_op = r->ops[0].len / r->granule, pages = r->nr_ops * of_op;
	bool write = r->method->write_only;
	char what[64];

	for (unsigned int i = 0; i < MIN((size_t)ACCESSES, pages); i++) {
		size_t page = accessed_page(r, i, pages), op = page / of_op;
		char *addr = r->ops[op].addr + page % of_op * r->granule;
		int event = access_by_this_thread(addr, write);

		if (event == expected)
			continue;
		snprintf(what, sizeof(what), "met %s, not %s", zapbench_event_name(event),
			 zapbench_event_name(expected));
		return wrong(r, op, page % of_op, what, why);
	}
	return 0;
}

/* Is each page in T?  0, or -EPROTO with the first that is not in why. */
int every_page_traps(struct region *r, struct reason *why)
{
	int event = region_expected_event(r), shown = r->method->shown;

	if (shown == SHOWN_NOT)
		return some_raise(r, event, why);
	if (shown == SHOWN_MARKER && r->backing->hugetlb)
		return all_show(r, &hugetlb_marker, why);
	/* UFFDIO_RWPROTECT clears a PMD (7.3) */
	if (event == EVENT_MINOR)
		shown = SHOWN_ABSENT;
	return all_show(r, &looks[shown], why);
}

int every_page_absent(struct region *r, struct reason *why)
{
	return all_show(r, &looks[SHOWN_ABSENT], why);
}

int every_page_mapped(struct region *r, struct reason *why)
{
	return all_show(r, &mapped, why);
}

int every_page_mapped_wp(struct region *r, struct reason *why)
{
	return all_show(r, &mapped_wp, why);
}

/*
 * Does each page, read through the mapping, begin with the bytes that it has to
 * hold?  All were read before, so that this finds them in the CPU's cache.
 */
int every_page_holds(struct region *r, struct reason *why)
{
	size_t base = base_page(), step = r->granule / base;

	for (size_t op = 0; op < r->nr_ops; op++) {
		const char *page = r->ops[op].addr, *end = page + r->ops[op].len;
		size_t content = region_offset(r, page) / base % CONTENT_PAGES;

		for (; page < end; page += r->granule) {
			if (memcmp(page, r->options->contents + content * base,
				   sizeof(uint64_t)))
				return wrong(r, op, (page - r->ops[op].addr) / r->granule,
					     "held other bytes", why);
			content = (content + step) % CONTENT_PAGES;
		}
	}
	return 0;
}
