// SPDX-License-Identifier: GPL-2.0-only
/*
 * The states of a region: M (mapped and registered), T (trapping), R (resolved),
 * and the ways from one to another that no method is measured by.
 */
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "state.h"
#include "access.h"
#include "mapped.h"
#include "promise.h"
#include "size.h"
#include "timing.h"

/* Private pages without a file behind them live as long as their mapping. */
bool region_loses_data(const struct region *r)
{
	return r->method->loses_data ||
	       (!r->backing->has_file && !(r->method->promises & PROMISE_COW));
}

/* The event that T must raise here: no userfaultfd, no userfaultfd event. */
int region_expected_event(const struct region *r)
{
	int event = r->method->event;

	if (event == EVENT_RWP && region_maps_pmd(r))
		return EVENT_MINOR;
	if ((event == EVENT_MINOR || event == EVENT_MISSING) && !r->reg_mode)
		return EVENT_REFAULT;
	return event;
}

/*
 * Writes the contents of a range, from the prepared buffer, by the cheapest way
 * that the backing has: write(2), or memory where write(2) does not exist
 * (hugetlbfs) or would not make large folios (mTHP under MADV_HUGEPAGE).
 */
int region_fill(struct region *r, char *addr, size_t len)
{
	bool by_memory =
		r->backing->hugetlb || !r->backing->has_file || region_maps_mthp(r);
	off_t offset = region_offset(r, addr);

	for (size_t done = 0; done < len;) {
		const char *from = region_content(r, addr + done);
		size_t left = r->options->contents + CONTENT_PAGES * base_page() - from;
		size_t n = MIN(len - done, left);

		if (by_memory) {
			memcpy(r->alias ? r->alias + offset + done : addr + done, from,
			       n);
		} else {
			ssize_t written = pwrite(r->fd, from, n, offset + done);

			if (written <= 0)
				return written ? -errno : -ENOSPC;
			n = written;
		}
		done += n;
	}
	return 0;
}

/* Reads once each page that a page-table entry of its own would map. */
void region_touch(const struct region *r, const char *addr, size_t len)
{
	for (size_t i = 0; i < len; i += r->granule)
		*(const volatile char *)(addr + i);
}

/* With growing pauses between them, 20 ms in all. */
enum { COLLAPSE_TRIES = 20 };

static int map_slot(struct region *r, char *slot)
{
	size_t len = region_mapping(r);
	long before = thread_faults();
	struct reason why;

	region_touch(r, slot, len);
	/* one fault a page: what was unmapped came back by PMDs */
	if (!region_maps_pmd(r) || thread_faults() - before <= (long)(len / r->page))
		return 0;
	/* since 6.17 or so MADV_COLLAPSE heeds shmem_enabled, "advise" at least */
	if (madvise(slot, len, MADV_HUGEPAGE))
		return -errno;
	/* mapped pages would be unmapped one by one, each with its TLB flush */
	if (madvise(slot, len, MADV_DONTNEED))
		return -errno;
	/* EAGAIN and EBUSY: a page is busy, for instance on its way to the LRU */
	for (int tries = 1; madvise(slot, len, MADV_COLLAPSE); tries++) {
		if (errno == EINVAL || tries == COLLAPSE_TRIES)
			return -errno;
		usleep(tries * 100);
	}
	/* up to 6.12 at least it leaves the PMD empty for the next fault */
	region_touch(r, slot, len);
	return mapped_slot_as_requested(r, slot, &why);
}

/* Brings every slot, not registered, to M but for its registration. */
int region_map(struct region *r)
{
	int err = 0;

	for (unsigned int i = 0; i < r->slots && !err; i++)
		err = map_slot(r, region_slot(r, i));
	return err;
}

int region_resolve(struct region *r, char *addr, size_t len)
{
	return r->method->resolve(r->method, r, addr, len);
}

/*
 * Puts lost data back and resolves, for every operation.  A file gets its data
 * first; without one it goes in through the mapping, which must be open again.
 * *between is the time between the two, if anybody asks.
 */
int region_put_back(struct region *r, uint64_t *between)
{
	bool fill = region_loses_data(r), file = r->backing->has_file;
	int err = 0;

	for (unsigned int i = 0; i < r->nr_ops && fill && file && !err; i++)
		err = region_fill(r, r->ops[i].addr, r->ops[i].len);
	*between = clock_now(r->options);
	for (unsigned int i = 0; i < r->nr_ops && !err; i++)
		err = region_resolve(r, r->ops[i].addr, r->ops[i].len);
	for (unsigned int i = 0; i < r->nr_ops && fill && !file && !err; i++)
		err = region_fill(r, r->ops[i].addr, r->ops[i].len);
	return err;
}

/*
 * From R back to M.  That is one state for base pages and hugetlb.  After
 * UFFDIO_CONTINUE a THP is mapped by base pages, and a poison marker has no R.
 */
int region_restore(struct region *r)
{
	const struct zapbench_method *m = r->method;
	int err = 0;

	if (m && region_loses_data(r))
		err = region_drop_alias(r); /* it may have been filled through it */
	if (err || !(region_maps_pmd(r) || (m && m->no_resolve)))
		return err;
	err = region_unregister_all(r);
	for (unsigned int i = 0; i < r->slots && !err; i++)
		if (madvise(region_slot(r, i), region_mapping(r), MADV_DONTNEED))
			err = -errno;
	if (!err)
		err = region_map(r);
	return err ? err : region_register_all(r, r->reg_mode);
}

/* From T back to M, by the cheapest way. */
int region_back(struct region *r)
{
	bool resolves = !r->method->no_resolve;
	uint64_t ignored;
	int err = resolves ? region_put_back(r, &ignored) : 0;

	for (unsigned int i = 0; i < r->nr_ops && !err && resolves; i++)
		region_touch(r, r->ops[i].addr, r->ops[i].len);
	return err ? err : region_restore(r);
}

/* Throws the pages away and makes them anew: state=fresh. */
int region_refresh(struct region *r)
{
	int err = 0;

	/* what hides the pages themselves, PROT_NONE or a guard, would hide the new ones
	 */
	for (unsigned int i = 0; i < r->nr_ops && !err; i++)
		if (r->method && r->method->event == EVENT_SIGSEGV)
			err = region_resolve(r, r->ops[i].addr, r->ops[i].len);
	err = err ? err : region_unregister_all(r);
	for (unsigned int i = 0; i < r->slots && !err; i++) {
		char *slot = region_slot(r, i);
		size_t len = region_mapping(r);

		if (madvise(slot, len, MADV_DONTNEED))
			err = -errno;
		else if (r->fd >= 0 &&
			 fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
				   region_offset(r, slot), len))
			err = -errno;
		else
			err = region_fill(r, slot, len);
	}
	if (!err)
		err = region_map(r);
	return err ? err : region_register_all(r, r->reg_mode);
}
