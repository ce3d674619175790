// SPDX-License-Identifier: GPL-2.0-only
/* Where the pages of a region are: in its slots, in its file, in its second mapping. */
#include <string.h>
#include <sys/mman.h>

#include "layout.h"
#include "size.h"

/*
 * How many equal ranges one sample drops.  Small operations are batched, so
 * that the two clock reads of a sample are a small part of it.
 */
unsigned int case_slots(const struct zap_case *c)
{
	const unsigned int batch = 16;

	if (c->scatter || !c->workload->timed || c->range / c->page > batch)
		return 1;
	if (c->workload->handles_faults || c->threads || c->step)
		return 1; /* one range, and its parts */
	if (c->method && c->method->loses_data && c->range >= pmd_size())
		return 1; /* not small: each byte is written again */
	return MAX((size_t)1, MIN((size_t)batch, 8 * MIB / c->range));
}

/* Pages enough for a part with neighbours on both sides; one if they are huge. */
size_t contract_range(const struct zap_case *c)
{
	if (c->page == base_page())
		return 16 * c->page;
	return (c->page <= 2 * MIB ? 3 : 1) * c->page;
}

char *region_slot(const struct region *r, unsigned int slot)
{
	return r->base + slot * r->stride;
}

/* Bytes of one slot's mapping. */
size_t region_mapping(const struct region *r)
{
	return r->len + 2 * r->margin;
}

/* Slots are side by side in the file, without the holes. */
off_t region_offset(const struct region *r, const char *addr)
{
	size_t distance = addr - r->base;

	return distance / r->stride * region_mapping(r) + distance % r->stride;
}

bool region_maps_pmd(const struct region *r)
{
	return !r->backing->hugetlb && r->page == pmd_size();
}

bool region_maps_mthp(const struct region *r)
{
	return !r->backing->hugetlb && r->page > base_page() && !region_maps_pmd(r);
}

const char *region_content(const struct region *r, const char *addr)
{
	size_t index = region_offset(r, addr) / base_page();

	return r->options->contents + index % CONTENT_PAGES * base_page();
}

/* Does the base page at page hold what belongs to addr? */
bool page_is(const struct region *r, const char *page, const char *addr)
{
	return !memcmp(page, region_content(r, addr), base_page());
}

/* Maps the file (again) at addr, over whatever is there. */
int region_mmap(const struct region *r, char *addr, size_t len)
{
	int flags = MAP_FIXED | MAP_NORESERVE |
		    (r->backing->is_private ? MAP_PRIVATE : MAP_SHARED) |
		    (r->backing->has_file ? 0 : MAP_ANONYMOUS);
	off_t offset = r->backing->has_file ? region_offset(r, addr) : 0;
	void *p = mmap(addr, len, PROT_READ | PROT_WRITE, flags, r->fd, offset);

	return p == MAP_FAILED ? -errno : 0;
}

/*
 * Takes the page-table entries of the second mapping away.  A page that is
 * mapped there too stays in the count of mapped file pages when it is dropped,
 * and is up to a fifth cheaper to drop.
 */
int region_drop_alias(const struct region *r)
{
	if (!r->alias)
		return 0;
	return madvise(r->alias, r->slots * region_mapping(r), MADV_DONTNEED) ? -errno
									      : 0;
}

int region_register(struct region *r, char *addr, size_t len)
{
	if (!r->reg_mode || r->no_reregister)
		return 0;
	return uffd_register(&r->uffd, addr, len, r->reg_mode);
}

int region_register_all(struct region *r, uint64_t mode)
{
	int err = 0;

	r->reg_mode = mode;
	for (unsigned int i = 0; i < r->slots && mode && !err; i++)
		err = uffd_register(&r->uffd, region_slot(r, i), region_mapping(r), mode);
	return err;
}

int region_unregister_all(struct region *r)
{
	int err = 0;

	for (unsigned int i = 0; i < r->slots && r->reg_mode && !err; i++)
		err = uffd_unregister(&r->uffd, region_slot(r, i), region_mapping(r));
	return err;
}
