// SPDX-License-Identifier: GPL-2.0-only
/* What one call reaches, and for how long. */
#include <sys/mman.h>

#include "checks.h"
#include "everypage.h"
#include "mapped.h"
#include "probe.h"
#include "size.h"
#include "state.h"
#include "swap.h"

/* Takes the pages out of memory if there is swap; unmaps them all the same if not. */
static int reclaim(struct region *r)
{
	const struct op *op = &r->ops[0];
	char *other = r->alias ? r->alias + region_offset(r, op->addr) : NULL;

	if (madvise(op->addr, op->len, MADV_PAGEOUT))
		return -errno;
	if (!other || r->method->loses_data)
		return 0;
	/* what is mapped nowhere is not looked at: through the second mapping, then */
	region_touch(r, other, op->len);
	return madvise(other, op->len, MADV_PAGEOUT) ? -errno : 0;
}

/*
 * What traps by an entry that says so may lose it when its page is reclaimed, and
 * then trap by another event, or not at all: RWP and MINOR registered, a page
 * under RWP that was reclaimed meets minor (7.3).
 */
int keeps_trap(struct region *r, struct reason *note)
{
	struct reason ignored;
	int err, event;
	bool swap;

	err = region_drop_alias(r); /* MADV_PAGEOUT leaves pages mapped twice alone */
	if (!err)
		err = probe_drop(r, note);
	if (err)
		return err;
	swap = !swap_on(r->options, &ignored);
	err = reclaim(r);
	event = err ? err : probe_event(r, probe_page(r), r->method->write_only);
	if (swap)
		swap_off(r->options);
	if (err)
		return CANNOT("MADV_PAGEOUT: %s", strerror(-err));
	if (event < 0)
		return event;
	because(note, "an access then met %s", zapbench_event_name(event));
	return event == region_expected_event(r) ||
	       (event != EVENT_NONE && event != EVENT_REFAULT);
}

/* Do all pages of the operation trap?  Looked at, and one accessed. */
static int all_trap(struct region *r, char *accessed, struct reason *note)
{
	int err = every_page_traps(r, note);

	if (err)
		return err == -EPROTO ? 0 : err;
	return probe_meets(r, accessed, r->method->write_only, region_expected_event(r),
			   note);
}

/* It is not taken.  Whoever promises nothing may say so. */
static int failed(int err, struct reason *note)
{
	because(note, "the call failed: %s", strerror(-err));
	return 0;
}

/* Part of a large page: more may be dropped than was asked for, but not less. */
int takes_part(struct region *r, struct reason *note)
{
	struct op part = { r->ops[0].addr + base_page(), 2 * base_page() };
	int err;

	err = probe_drop_part(r, part.addr, part.len);
	if (err)
		return failed(err, note);
	r->ops[0] = part;
	return all_trap(r, part.addr, note);
}

/* Several mappings in one call: another flag splits the one there is. */
int takes_mappings(struct region *r, struct reason *note)
{
	char *middle = probe_middle(r);
	int err, before = vma_count();

	if (madvise(middle, r->page, MADV_DONTDUMP) || vma_count() != before + 2)
		return CANNOT("the mapping could not be split");
	err = probe_drop_part(r, r->ops[0].addr, r->ops[0].len);
	if (err)
		return failed(err, note);
	return all_trap(r, r->ops[0].addr + r->ops[0].len - base_page(), note);
}

/*
 * A gap between mappings: ENOMEM, after all the rest was dropped.  Also if the range
 * begins in it, at what would be part of a large page: nothing is there.
 */
int takes_gap(struct region *r, struct reason *note)
{
	char *middle = probe_middle(r), *last;
	struct op op = r->ops[0];
	int err;

	if (munmap(middle, r->page))
		return CANNOT("munmap: %s", strerror(errno));
	err = probe_drop_part(r, op.addr, op.len);
	if (err == -ENOMEM) {
		char *inside = middle + r->page - base_page();

		err = probe_drop_part(r, inside, op.addr + op.len - inside);
	}
	/* closed at once: nobody else shall be mapped there */
	if (mmap(middle, r->page, PROT_NONE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED | MAP_NORESERVE, -1,
		 0) == MAP_FAILED)
		return -errno;
	if (err != -ENOMEM) {
		because(note, "the call said: %s", err ? strerror(-err) : "success");
		return 0;
	}
	last = middle + r->page;
	r->ops[0] = (struct op){ last, op.addr + op.len - last };
	return all_trap(r, last, note);
}
