// SPDX-License-Identifier: GPL-2.0-only
/* What only a private mapping holds. */
#include <sys/mman.h>

#include "checks.h"
#include "mapped.h"
#include "probe.h"
#include "state.h"
#include "swap.h"

/* Is a page that was written, and swapped out perhaps, still there after T and R? */
static int survives(struct region *r, bool swapped, struct reason *note)
{
	char *page = probe_page(r), mark = probe_mark(page);
	int err = swapped ? swap_out(r, page, note) : 0, event;

	if (!err)
		err = probe_drop(r, note);
	if (!err)
		err = region_resolve(r, r->ops[0].addr, r->ops[0].len);
	if (err)
		return err;
	event = probe_event(r, page, false);
	if (event != EVENT_NONE && event != EVENT_REFAULT)
		return CANNOT("the page met %s after it was resolved",
			      zapbench_event_name(event));
	return *page == mark;
}

int keeps_cow(struct region *r, struct reason *note)
{
	return survives(r, false, note);
}

int keeps_swapped(struct region *r, struct reason *note)
{
	int err = swap_on(r->options, note), kept;

	if (err)
		return err;
	kept = survives(r, true, note);
	swap_off(r->options);
	return kept;
}

int keeps_zeropage(struct region *r, struct reason *note)
{
	char *page = probe_page(r);
	int err;

	if (!r->reg_mode)
		return CANNOT("UFFDIO_ZEROPAGE needs a registration");
	if (madvise(page, r->granule, MADV_DONTNEED) ||
	    uffd_zeropage(&r->uffd, page, r->granule))
		return CANNOT("no zero page could be installed");
	err = probe_drop(r, note);
	if (!err)
		err = region_resolve(r, r->ops[0].addr, r->ops[0].len);
	if (err)
		return err;
	if (probe_event(r, page, false) < 0)
		return CANNOT("the page could not be read back");
	return *page == 0;
}
