// SPDX-License-Identifier: GPL-2.0-only
/*
 * What is behind the mapping.  To add a backing: a function that opens an
 * unnamed file into r->fd, and a row in zapbench_backings[].
 */
#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "layout.h"

static int open_memfd(struct region *r, unsigned int flags)
{
	r->fd = memfd_create("zapbench", MFD_CLOEXEC | flags);
	return r->fd < 0 ? -errno : 0;
}

static int open_shmem(struct region *r)
{
	return open_memfd(r, 0);
}

static int open_hugetlb(struct region *r)
{
	unsigned int log2 = __builtin_ctzl(r->page);

	return open_memfd(r, MFD_HUGETLB | log2 << MAP_HUGE_SHIFT);
}

static int open_unnamed(struct region *r, int dir, const char *path)
{
	r->fd = openat(dir, path, O_TMPFILE | O_RDWR | O_CLOEXEC, 0600);
	return r->fd < 0 ? -errno : 0;
}

/*
 * A tmpfs of our own that is mounted nowhere, so that there is nothing to undo
 * (fsopen(2), fsmount(2), Linux 5.2); without the right to, /dev/shm.
 */
static int open_tmpfs(struct region *r)
{
	int fs, mnt = -1, err;

	if (r->options->tmpfs)
		return open_unnamed(r, AT_FDCWD, r->options->tmpfs);
	fs = syscall(SYS_fsopen, "tmpfs", FSOPEN_CLOEXEC);
	if (fs >= 0) {
		if (!syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0))
			mnt = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0);
		close(fs);
	}
	if (mnt < 0)
		return open_unnamed(r, AT_FDCWD, "/dev/shm");
	err = open_unnamed(r, mnt, ".");
	close(mnt);
	return err;
}

static int open_file(struct region *r)
{
	return open_unnamed(r, AT_FDCWD, r->options->dir);
}

static int open_nothing(struct region *r)
{
	r->fd = -1;
	return 0;
}

#define SHMEM                                                                            \
	.has_file = true, .uffd_minor = true, .minor_feature = UFFD_FEATURE_MINOR_SHMEM
#define HUGETLB                                                                          \
	.has_file = true, .hugetlb = true, .uffd_minor = true,                           \
	.minor_feature = UFFD_FEATURE_MINOR_HUGETLBFS

const struct zapbench_backing zapbench_backings[] = {
	{ .name = "shmem",
	  .summary = "memfd, MAP_SHARED",
	  SHMEM,
	  .thp = true,
	  .mthp = true,
	  .open = open_shmem },
	{ .name = "shmem-private",
	  .summary = "memfd, MAP_PRIVATE, read only so far",
	  SHMEM,
	  .is_private = true,
	  .open = open_shmem },
	{ .name = "tmpfs",
	  .summary = "file on a tmpfs, MAP_SHARED",
	  SHMEM,
	  .thp = true,
	  .open = open_tmpfs },
	{ .name = "hugetlb",
	  .summary = "hugetlb memfd, MAP_SHARED",
	  HUGETLB,
	  .open = open_hugetlb },
	{ .name = "hugetlb-private",
	  .summary = "hugetlb memfd, MAP_PRIVATE, read only so far",
	  HUGETLB,
	  .is_private = true,
	  .open = open_hugetlb },
	{ .name = "file",
	  .summary = "file on a file system with a disk, MAP_SHARED",
	  .has_file = true,
	  .open = open_file },
	{ .name = "anon",
	  .summary = "no file: the negative control",
	  .is_private = true,
	  .open = open_nothing },
};
const unsigned int zapbench_nr_backings = ARRAY_SIZE(zapbench_backings);
