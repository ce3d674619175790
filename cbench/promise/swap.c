// SPDX-License-Identifier: GPL-2.0-only
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/swap.h>
#include <unistd.h>

#include "swap.h"
#include "mapped.h"
#include "probe.h"
#include "size.h"

enum { SWAP_PAGES = 64 };

static const char *swap_path(const struct options *o, char *path, size_t size)
{
	snprintf(path, size, "%s/zapbench.swap", o->dir);
	return path;
}

/* The form of mkswap(8): union swap_header of include/linux/swap.h. */
static int write_pages(int fd)
{
	size_t page = base_page(), len = SWAP_PAGES * page;
	const uint32_t header[] = { 1 /* version */, SWAP_PAGES - 1 /* last page */ };
	char *zeros = calloc(1, len);
	int err = zeros ? 0 : -ENOMEM;

	if (!err) {
		memcpy(zeros + 1024, header, sizeof(header));
		memcpy(zeros + page - 10, "SWAPSPACE2", 10);
		if (write(fd, zeros, len) != (ssize_t)len || fsync(fd))
			err = -errno;
	}
	free(zeros);
	return err;
}

/*
 * It goes where the backing "file" has its files.  Only on a machine of our own: no
 * other owner would thank us for it.
 */
int swap_on(const struct options *o, struct reason *note)
{
	char path[256];
	int fd, err;

	if (!o->own_machine)
		return CANNOT("only in a virtual machine of its own");
	fd = open(swap_path(o, path, sizeof(path)), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0)
		return CANNOT("%s: %s", path, strerror(errno));
	err = write_pages(fd);
	close(fd);
	if (!err && swapon(path, 0))
		err = -errno;
	if (!err)
		return 0;
	unlink(path);
	return CANNOT("cannot swap to %s: %s", path, strerror(-err));
}

void swap_off(const struct options *o)
{
	char path[256];

	swapoff(swap_path(o, path, sizeof(path)));
	unlink(path);
}

/* Swaps a page of a private mapping out. */
int swap_out(const struct region *r, char *page, struct reason *note)
{
	uint64_t entry = 0;
	int err = madvise(page, r->granule, MADV_PAGEOUT) ? -errno : 0;

	if (!err)
		err = pagemap_read(r, page, &entry, 1);
	if (err)
		return CANNOT("MADV_PAGEOUT: %s", strerror(-err));
	return entry & PAGEMAP_SWAP ? 0 : CANNOT("the page was not swapped out");
}
