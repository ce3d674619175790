// SPDX-License-Identifier: GPL-2.0-only
/* What the file keeps. */
#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checks.h"
#include "mapped.h"
#include "probe.h"
#include "size.h"

int keeps_cache(struct region *r, struct reason *note)
{
	size_t cached, pages = r->len / base_page();
	int err;

	err = probe_drop(r, note);
	if (!err)
		err = cached_pages(r, r->ops[0].addr, r->len, &cached);
	if (err)
		return err;
	because(note, "%zu of %zu pages", cached, pages);
	return cached == pages;
}

int keeps_contents(struct region *r, struct reason *note)
{
	size_t same = 0, pages = r->len / base_page();
	int err;

	err = probe_drop(r, note);
	if (err)
		return err;
	for (size_t i = 0; i < pages; i++) {
		char *addr = r->ops[0].addr + i * base_page();

		same += page_is(r, r->alias + region_offset(r, addr), addr);
	}
	because(note, "%zu of %zu pages", same, pages);
	return same == pages;
}

int keeps_blocks(struct region *r, struct reason *note)
{
	long before, after;
	int err;

	before = region_blocks(r);
	err = probe_drop(r, note);
	after = region_blocks(r);
	if (err)
		return err;
	because(note, "%ld of %ld blocks", after, before);
	return after == before;
}

/*
 * A page of shmem that is clean but for what the CPU writes: one that a read
 * made in a hole.  What is written then, only the page-table entry knows of.
 */
static int make_clean(struct region *r, char *page)
{
	if (fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		      region_offset(r, page), base_page()))
		return -errno;
	*(volatile char *)page;
	return 0;
}

/*
 * Makes the kernel forget the page, if it takes it for clean: it is reclaimed
 * through the second mapping, to which nothing was written.
 */
static int forget(struct region *r, char *page)
{
	off_t at = region_offset(r, page);

	*(volatile char *)(r->alias + at);
	if (madvise(r->alias + at, base_page(), MADV_PAGEOUT))
		return -errno;
	if (r->backing->uffd_minor)
		return 0;
	if (fsync(r->fd))
		return -errno;
	return -posix_fadvise(r->fd, at, base_page(), POSIX_FADV_DONTNEED);
}

/* Does what was written through the mapping reach the file? */
int keeps_dirty(struct region *r, struct reason *note)
{
	char *page = probe_page(r), mark, got = 0;
	int err;

	err = r->backing->uffd_minor ? make_clean(r, page) : 0;
	if (err)
		return CANNOT("no clean page could be made: %s", strerror(-err));
	mark = probe_mark(page);
	err = probe_drop(r, note);
	if (err)
		return err;
	err = forget(r, page);
	if (err)
		return CANNOT("the page could not be reclaimed: %s", strerror(-err));
	if (pread(r->fd, &got, 1, region_offset(r, page)) != 1)
		return CANNOT("the file could not be read: %s", strerror(errno));
	return got == mark;
}
