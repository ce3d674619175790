// SPDX-License-Identifier: GPL-2.0-only
/*
 * What a method may promise about the state it leaves.  Each check gets a
 * region of its own in state M and returns 1 (held), 0 (broken), or -errno
 * with the reason in note when it is not available.
 */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "promise.h"
#include "access.h"
#include "mapped.h"
#include "patience.h"
#include "reason.h"
#include "sibling.h"
#include "size.h"
#include "state.h"

#define CANNOT(...)                                                                      \
	({                                                                               \
		because(note, __VA_ARGS__);                                              \
		-ENODATA;                                                                \
	})

static int drop(struct region *r, size_t skip)
{
	const struct op *op = &r->ops[0];

	return r->method->drop(r->method, r, op->addr + skip, op->len - 2 * skip);
}

static int dropped(struct region *r, struct reason *note)
{
	int err = drop_patiently(r, &r->ops[0]);

	if (err == -ETIME)
		because(note, "the call did not return within %d ms", PATIENCE_MS);
	else if (err)
		because(note, "the call failed: %s", strerror(-err));
	return err;
}

static int event_at(struct region *r, char *addr, bool write)
{
	return access_once(&r->uffd, r->granule, addr, write);
}

/* The page that carries the mark to be kept: not the first of the region. */
static char *marked(const struct region *r)
{
	return r->ops[0].addr + (r->ops[0].len > r->granule ? r->granule : 0);
}

static int keeps_cache(struct region *r, struct reason *note)
{
	size_t cached, pages = r->len / base_page();
	int err;

	if (!r->alias)
		return CANNOT("no file");
	if (r->backing->hugetlb)
		return CANNOT("mincore(2) of hugetlb asks the page table: see blocks");
	err = dropped(r, note);
	if (!err)
		err = cached_pages(r, r->ops[0].addr, r->len, &cached);
	if (err)
		return err;
	because(note, "%zu of %zu pages", cached, pages);
	return cached == pages;
}

static int keeps_contents(struct region *r, struct reason *note)
{
	size_t same = 0, pages = r->len / base_page();
	int err;

	if (!r->alias)
		return CANNOT("no file");
	err = dropped(r, note);
	if (err)
		return err;
	for (size_t i = 0; i < pages; i++) {
		char *addr = r->ops[0].addr + i * base_page();

		same += page_is(r, r->alias + region_offset(r, addr), addr);
	}
	because(note, "%zu of %zu pages", same, pages);
	return same == pages;
}

static int keeps_blocks(struct region *r, struct reason *note)
{
	long before, after;
	int err;

	if (!r->alias)
		return CANNOT("no file");
	before = region_blocks(r);
	err = dropped(r, note);
	after = region_blocks(r);
	if (err)
		return err;
	because(note, "%ld of %ld blocks", after, before);
	return after == before;
}

/* Is the private page that was written still there after T and R? */
static int keeps_cow(struct region *r, struct reason *note)
{
	char *page = marked(r);
	int err, event;
	char mark;

	if (!r->backing->is_private)
		return CANNOT("a shared mapping has no private pages");
	if (r->method->no_resolve)
		return CANNOT("no way back to look at them");
	/* neither the file's byte nor the zero of a page that was lost */
	mark = *page ^ (*page == 2 ? 4 : 2);
	*page = mark;
	err = dropped(r, note);
	if (!err)
		err = region_resolve(r, r->ops[0].addr, r->ops[0].len);
	if (err)
		return err;
	event = event_at(r, page, false);
	if (event != EVENT_NONE && event != EVENT_REFAULT)
		return CANNOT("the page met %s after it was resolved",
			      zapbench_event_name(event));
	return *page == mark;
}

static int keeps_zeropage(struct region *r, struct reason *note)
{
	char *page = marked(r);
	int err;

	if (!r->backing->is_private || !r->alias)
		return CANNOT("only private mappings of files can hold the zero page");
	if (r->backing->hugetlb || !r->reg_mode || r->method->no_resolve)
		return CANNOT("UFFDIO_ZEROPAGE and a way back are needed");
	if (madvise(page, r->granule, MADV_DONTNEED) ||
	    uffd_zeropage(&r->uffd, page, r->granule))
		return CANNOT("no zero page could be installed");
	err = dropped(r, note);
	if (!err)
		err = region_resolve(r, r->ops[0].addr, r->ops[0].len);
	if (err)
		return err;
	if (event_at(r, page, false) < 0)
		return CANNOT("the page could not be read back");
	return *page == 0;
}

static int set_registration(struct region *r, uint64_t mode)
{
	int err = region_unregister_all(r);

	return err ? err : region_register_all(r, mode);
}

/* Lifts what hides the page itself, PROT_NONE or a guard; maps nothing. */
static void uncover(struct region *r)
{
	const struct op *op = &r->ops[0];

	if (r->method->event != EVENT_SIGSEGV)
		return;
	mprotect(op->addr, op->len, PROT_READ | PROT_WRITE);
	madvise(op->addr, op->len, MADV_GUARD_REMOVE);
}

static int keeps_wp(struct region *r, struct reason *note)
{
	int err, event;

	if (!(r->uffd.features & UFFD_FEATURE_WP_HUGETLBFS_SHMEM) ||
	    !r->backing->uffd_minor)
		return CANNOT("no uffd-wp on this backing or kernel");
	if (r->method->reg_mode & UFFDIO_REGISTER_MODE_RWP)
		return CANNOT("RWP and WP registrations exclude each other");
	err = set_registration(r, UFFDIO_REGISTER_MODE_WP);
	if (!err)
		err = uffd_protect(&r->uffd, marked(r), r->granule, true);
	if (err)
		return CANNOT("cannot write-protect: %s", strerror(-err));
	err = dropped(r, note);
	if (err)
		return err;
	uncover(r);
	event = event_at(r, marked(r), true);
	because(note, "a write then met %s", zapbench_event_name(event));
	return event == EVENT_WP;
}

static int keeps_poison(struct region *r, struct reason *note)
{
	int err, event;

	if (!(r->uffd.features & UFFD_FEATURE_POISON) || !r->backing->uffd_minor)
		return CANNOT("no UFFDIO_POISON on this backing or kernel");
	err = r->reg_mode ? 0 : set_registration(r, UFFDIO_REGISTER_MODE_MINOR);
	if (!err && madvise(marked(r), r->granule, MADV_DONTNEED))
		err = -errno;
	if (!err)
		err = uffd_poison(&r->uffd, marked(r), r->granule);
	if (err)
		return CANNOT("cannot poison: %s", strerror(-err));
	err = dropped(r, note);
	if (err)
		return err;
	uncover(r);
	event = event_at(r, marked(r), false);
	because(note, "an access then met %s", zapbench_event_name(event));
	return event == EVENT_SIGBUS;
}

static int keeps_guard(struct region *r, struct reason *note)
{
	int err, event;

	if (r->method->event == EVENT_SIGSEGV)
		return CANNOT("its own signal hides the guard's");
	if (madvise(marked(r), r->granule, MADV_GUARD_INSTALL))
		return CANNOT("no guard regions on this backing or kernel");
	err = dropped(r, note);
	if (err)
		return err;
	event = event_at(r, marked(r), false);
	because(note, "an access then met %s", zapbench_event_name(event));
	return event == EVENT_SIGSEGV;
}

/* By itself: a method that registers again does not do so here. */
static int keeps_registration(struct region *r, struct reason *note)
{
	int err;

	if (!r->backing->uffd_minor || r->uffd.fd < 0)
		return CANNOT("not registered with userfaultfd");
	err = r->reg_mode ? 0 : set_registration(r, UFFDIO_REGISTER_MODE_MINOR);
	r->no_reregister = true;
	if (!err)
		err = dropped(r, note);
	if (err)
		return err;
	return vma_is_registered(r->base, r->reg_mode);
}

static int sends_no_event(struct region *r, struct reason *note)
{
	static const char *const names[] = { "", "FORK", "REMAP", "REMOVE", "UNMAP" };
	char sent[sizeof(note->text)] = "";
	struct sibling *reader;
	uint32_t events;
	size_t len = 0;
	int err;

	if (!r->reg_mode)
		return CANNOT("not registered with userfaultfd");
	reader = sibling_serve(r);
	if (!reader)
		return CANNOT("no thread to read events");
	err = dropped(r, note);
	events = sibling_stop(reader).events;
	if (err)
		return err;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (i && events & 1u << i && len < sizeof(sent))
			len += snprintf(sent + len, sizeof(sent) - len, "%s%s",
					len ? ", " : "sent ", names[i]);
	because(note, "%s", sent);
	return !(events & ~1u);
}

static int keeps_neighbours(struct region *r, struct reason *note)
{
	const struct op *op = &r->ops[0];
	char *neighbours[] = { op->addr, op->addr + r->page - base_page(),
			       op->addr + op->len - r->page,
			       op->addr + op->len - base_page() };
	int err;

	if (op->len < 3 * r->page)
		return CANNOT("too few pages for neighbours");
	err = drop(r, r->page);
	if (err)
		return CANNOT("the call failed: %s", strerror(-err));
	for (unsigned int i = 0; i < ARRAY_SIZE(neighbours); i++) {
		bool write = r->method->write_only;
		int event = event_at(r, neighbours[i], write);

		/* the first write to a private page is a fault of its own */
		if (event != EVENT_NONE && !(write && event == EVENT_REFAULT)) {
			because(note, "a neighbour met %s", zapbench_event_name(event));
			return 0;
		}
	}
	return 1;
}

static int keeps_vmas(struct region *r, struct reason *note)
{
	int before, after, err;

	if (r->ops[0].len < 3 * r->page)
		return CANNOT("too few pages for a part of them");
	before = vma_count();
	err = drop(r, r->page);
	after = vma_count();
	if (err)
		return CANNOT("the call failed: %s", strerror(-err));
	because(note, "%+d mappings", after - before);
	return before == after;
}

/*
 * Reclaim unmaps a page before it knows whether it can write it anywhere, so
 * that it needs no swap.  What traps by an entry that says so may lose it, and
 * then trap by another event, or not at all: RWP and MINOR registered, a page
 * under RWP that was reclaimed meets minor (7.3).
 */
static int keeps_trap(struct region *r, struct reason *note)
{
	const struct op *op = &r->ops[0];
	int err, event;

	if (r->backing->hugetlb)
		return CANNOT("hugetlb pages are not reclaimed");
	err = region_drop_alias(r); /* MADV_PAGEOUT leaves pages mapped twice alone */
	if (!err)
		err = dropped(r, note);
	if (err)
		return err;
	if (madvise(op->addr, op->len, MADV_PAGEOUT))
		return CANNOT("MADV_PAGEOUT: %s", strerror(errno));
	event = event_at(r, marked(r), r->method->write_only);
	if (event < 0)
		return event;
	because(note, "an access then met %s", zapbench_event_name(event));
	return event == region_expected_event(r) ||
	       (event != EVENT_NONE && event != EVENT_REFAULT);
}

const struct zapbench_promise zapbench_promises[] = {
	[KEEPS_CACHE] = { "cache", "the pages stay in the page cache",
			  "drops cached pages", .check = keeps_cache },
	[KEEPS_CONTENTS] = { "contents", "a second mapping reads the same bytes",
			     "loses contents", .check = keeps_contents },
	[KEEPS_BLOCKS] = { "blocks", "the file frees no blocks", "frees blocks",
			   .check = keeps_blocks },
	[KEEPS_COW] = { "cow", "private pages that were written are kept",
			"loses private pages", .cost = "private pages",
			.check = keeps_cow },
	[KEEPS_ZEROPAGE] = { "zeropage",
			     "the zero page in a private file mapping is kept",
			     "loses zero pages", .check = keeps_zeropage },
	[KEEPS_WP] = { "wp", "uffd-wp protection survives", "loses write protection",
		       .cost = "write protection", .check = keeps_wp },
	[KEEPS_POISON] = { "poison", "UFFDIO_POISON markers survive",
			   "loses poison markers", .cost = "poison markers",
			   .check = keeps_poison },
	[KEEPS_GUARD] = { "guard", "guard regions survive", "loses guard regions",
			  .check = keeps_guard },
	[KEEPS_REGISTRATION] = { "registration",
				 "the userfaultfd registration survives by itself",
				 "loses the registration", .cost = "registration",
				 .check = keeps_registration },
	[SENDS_NO_EVENT] = { "no-event", "no REMOVE, UNMAP or REMAP event is sent",
			     "sends an event", .cost = "REMOVE or UNMAP events",
			     .cost_kept = "none", .cost_lost = "sent", .events = true,
			     .check = sends_no_event },
	[KEEPS_NEIGHBOURS] = { "neighbours",
			       "pages around a part of the range stay mapped",
			       "unmaps neighbours", .check = keeps_neighbours },
	[KEEPS_VMAS] = { "vmas", "the number of mappings stays the same",
			 "splits the mapping", .cost = "number of mappings",
			 .cost_lost = "changed", .check = keeps_vmas },
	[KEEPS_RECLAIM] = { "reclaim", "pages that the kernel reclaims still trap",
			    "stops trapping where pages are reclaimed",
			    .cost = "trap of reclaimed pages", .check = keeps_trap },
};
const unsigned int zapbench_nr_promises = ARRAY_SIZE(zapbench_promises);
_Static_assert(ARRAY_SIZE(zapbench_promises) == NR_PROMISES, "a row for each promise");
