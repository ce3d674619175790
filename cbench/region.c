// SPDX-License-Identifier: GPL-2.0-only
/*
 * The memory under test: one file, mapped in equal slots with holes between
 * them so that no mapping merges with another.
 */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "region.h"
#include "mapped.h"
#include "reason.h"
#include "size.h"
#include "state.h"

/* Minor and missing modes only where the backing has them. */
static uint64_t registration(const struct region *r)
{
	const uint64_t any = UFFDIO_REGISTER_MODE_WP | UFFDIO_REGISTER_MODE_RWP;
	uint64_t mode = r->method ? r->method->reg_mode : UFFDIO_REGISTER_MODE_MINOR;

	return r->backing->uffd_minor ? mode : mode & any;
}

static int open_uffd(struct region *r, struct reason *why)
{
	uint64_t mode = registration(r);
	uint64_t needed = r->method ? r->method->features : 0, wanted = 0;
	int err;

	r->uffd.fd = -1;
	if (mode & UFFDIO_REGISTER_MODE_MINOR)
		needed |= r->backing->minor_feature;
	if (r->c->events)
		needed |= UFFD_FEATURE_EVENT_REMOVE | UFFD_FEATURE_EVENT_UNMAP |
			  UFFD_FEATURE_EVENT_REMAP;
	if (r->c->scratch && r->backing->uffd_minor)
		wanted = r->backing->minor_feature | UFFD_FEATURE_POISON |
			 UFFD_FEATURE_WP_HUGETLBFS_SHMEM;
	if (!mode && !needed && !wanted)
		return 0;
	err = uffd_open(&r->uffd, needed, wanted);
	if (err && !mode && !needed)
		return 0; /* would have been nice to have */
	if (err == -EOPNOTSUPP)
		because(why, "this kernel lacks %s",
			uffd_feature_name(needed & ~r->uffd.offered));
	else if (err)
		because(why,
			"userfaultfd refused: be root, or set "
			"vm.unprivileged_userfaultfd=1, or open up /dev/userfaultfd");
	return err;
}

/* Address space for len bytes that starts at a multiple of align. */
static char *reserve(struct region *r, size_t len, size_t align)
{
	r->reserved_len = len + align;
	r->reserved = mmap(NULL, r->reserved_len, PROT_NONE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (r->reserved == MAP_FAILED) {
		r->reserved = NULL;
		return NULL;
	}
	return (char *)ROUND_UP((uintptr_t)r->reserved, align);
}

/* The slots, and after them the alias that maps the whole file once. */
static int map_all(struct region *r)
{
	size_t align = r->backing->hugetlb ? r->page : MAX(r->page, pmd_size());
	size_t file = r->slots * region_mapping(r);
	/* so that no folio larger than the one asked for fits into the alias */
	size_t skew = region_maps_mthp(r) ? r->page : 0;
	size_t slots_len;

	r->stride = ROUND_UP(region_mapping(r) + r->page, r->page);
	slots_len = ROUND_UP(r->slots * r->stride, align);
	/* one page of PROT_NONE before the first slot, too */
	r->base = reserve(r, align + slots_len + skew + file + align, align);
	if (!r->base)
		return -errno;
	r->base += align;
	for (unsigned int i = 0; i < r->slots; i++) {
		int err = region_mmap(r, region_slot(r, i), region_mapping(r));

		if (err)
			return err;
	}
	if (!r->backing->has_file)
		return 0;
	r->alias = mmap(r->base + slots_len + skew, file, PROT_READ | PROT_WRITE,
			MAP_SHARED | MAP_FIXED, r->fd, 0);
	if (r->alias == MAP_FAILED) {
		r->alias = NULL;
		return -errno;
	}
	if (region_maps_mthp(r) && madvise(r->alias, file, MADV_HUGEPAGE))
		return -errno;
	return 0;
}

/* One operation a slot, or so many single pages in seeded random order. */
static int plan_ops(struct region *r)
{
	unsigned int pages = r->len / r->page, scatter = r->c->scatter;

	r->nr_ops = scatter ? scatter : r->slots;
	r->ops = calloc(scatter ? pages : r->slots, sizeof(*r->ops));
	if (!r->ops)
		return -ENOMEM;
	for (unsigned int i = 0; i < r->slots && !scatter; i++)
		r->ops[i] = (struct op){ region_slot(r, i) + r->margin, r->len };
	for (unsigned int i = 0; i < pages && scatter; i++)
		r->ops[i] = (struct op){ r->base + r->margin + i * r->page, r->page };
	for (unsigned int i = 0; i < scatter; i++) { /* Fisher and Yates */
		unsigned int j = i + mix64(r->seed ^ i) % (pages - i);
		struct op op = r->ops[i];

		r->ops[i] = r->ops[j];
		r->ops[j] = op;
	}
	return 0;
}

static int open_backing(struct region *r, struct reason *why)
{
	size_t file = r->slots * region_mapping(r);
	int err = r->backing->open(r);

	if (!err && r->fd >= 0 && ftruncate(r->fd, file))
		err = -errno;
	if (!err)
		err = map_all(r);
	if (err)
		because(why, "cannot open and map the backing: %s", strerror(-err));
	return err;
}

static int open_pagemap(struct region *r, struct reason *why)
{
	r->pagemap = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
	if (r->pagemap >= 0)
		return 0;
	because(why, "cannot open /proc/self/pagemap: %s", strerror(errno));
	return -errno;
}

static int fill_and_map(struct region *r, struct reason *why)
{
	int err = 0;

	for (unsigned int i = 0; i < r->slots && !err; i++)
		err = region_fill(r, region_slot(r, i), region_mapping(r));
	/* no write-back of what was filled while something is timed */
	if (!err && r->fd >= 0 && fsync(r->fd))
		err = -errno;
	if (err)
		because(why, "cannot fill the backing: %s", strerror(-err));
	else if ((err = region_map(r)))
		because(why, "cannot map it by pages of the size wanted: %s",
			strerror(-err));
	else if (!(err = plan_ops(r)))
		err = mapped_as_requested(r, why);
	return err;
}

/*
 * Makes a region and brings it to M.  On failure, -errno with the reason in
 * why; the caller destroys it either way.
 */
int region_create(struct region *r, const struct zap_case *c, const struct options *o,
		  struct reason *why)
{
	int err;

	*r = (struct region){
		.c = c,
		.options = o,
		.backing = c->backing,
		.method = c->method,
		.page = c->page,
		.len = c->range,
		.slots = case_slots(c),
		.margin = c->middle ? c->page : 0,
		.fd = -1,
		.pagemap = -1,
		.seed = mix64(o->seed),
	};
	r->granule = r->backing->hugetlb ? r->page : base_page();
	err = open_uffd(r, why);
	if (!err)
		err = open_pagemap(r, why);
	if (!err)
		err = open_backing(r, why);
	if (!err)
		err = fill_and_map(r, why);
	if (!err) {
		err = region_register_all(r, registration(r));
		if (err)
			because(why, "UFFDIO_REGISTER: %s", strerror(-err));
	}
	return err;
}

void region_destroy(struct region *r)
{
	/* before the range goes: munmap() would wait for its event to be read */
	uffd_close(&r->uffd);
	if (r->reserved)
		munmap(r->reserved, r->reserved_len);
	if (r->fd >= 0)
		close(r->fd);
	if (r->pagemap >= 0)
		close(r->pagemap);
	free(r->ops);
}
