// SPDX-License-Identifier: GPL-2.0-only
/* userfaultfd(2) and its ioctls (ioctl_userfaultfd(2)). */
#include <fcntl.h>
#include <sys/ioctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "uffd.h"

static int route_syscall(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK);
}

static int route_device(void)
{
	int dev = open("/dev/userfaultfd", O_RDWR | O_CLOEXEC);
	int fd, err;

	if (dev < 0)
		return -1;
	fd = ioctl(dev, USERFAULTFD_IOC_NEW, O_CLOEXEC | O_NONBLOCK);
	err = errno;
	close(dev);
	errno = err;
	return fd;
}

static int route_user_mode(void)
{
	return syscall(SYS_userfaultfd, O_CLOEXEC | O_NONBLOCK | UFFD_USER_MODE_ONLY);
}

/* The most capable first. */
static const struct {
	const char *name; /* in records */
	const char *text; /* for people */
	int (*open)(void);
} routes[] = {
	{ "syscall", "syscall", route_syscall },
	{ "dev", "/dev/userfaultfd", route_device },
	{ "user-mode-only", "user mode only", route_user_mode },
};

static int open_any(const char **route)
{
	int fd = -1;

	for (unsigned int i = 0; i < ARRAY_SIZE(routes) && fd < 0; i++) {
		fd = routes[i].open();
		*route = routes[i].name;
	}
	return fd < 0 ? -errno : fd;
}

static int handshake(int fd, struct uffdio_api *api, uint64_t features)
{
	*api = (struct uffdio_api){ .api = UFFD_API, .features = features };
	return ioctl(fd, UFFDIO_API, api) ? -errno : 0;
}

/*
 * Opens a descriptor with the features that are needed, and those wanted ones
 * that are offered.  UFFDIO_API works once per descriptor and fails for an
 * unknown feature: a scratch one learns.  -EOPNOTSUPP: a needed one is missing.
 */
int uffd_open(struct uffd *u, uint64_t needed, uint64_t wanted)
{
	struct uffdio_api api;
	int fd = open_any(&u->route);
	int err;

	u->fd = -1;
	if (fd < 0)
		return fd;
	err = handshake(fd, &api, 0);
	close(fd);
	if (err)
		return err;
	u->offered = api.features;
	u->ioctls = api.ioctls;
	u->features = needed | (wanted & api.features);
	if (needed & ~api.features)
		return -EOPNOTSUPP;
	fd = open_any(&u->route);
	if (fd < 0)
		return fd;
	err = handshake(fd, &api, u->features);
	if (err) {
		close(fd);
		return err;
	}
	u->fd = fd;
	return 0;
}

void zapbench_probe_userfaultfd(struct zapbench_userfaultfd *found)
{
	int first = 0;

	*found = (struct zapbench_userfaultfd){ .route = NULL };
	for (unsigned int i = 0; i < ARRAY_SIZE(routes); i++) {
		struct uffdio_api api;
		int fd = routes[i].open();
		int err = fd < 0 ? -errno : handshake(fd, &api, 0);

		if (fd >= 0)
			close(fd);
		if (!err) {
			found->route = routes[i].text;
			found->features = api.features;
			return;
		}
		first = first ? first : -err;
	}
	found->error = first;
}

void uffd_close(struct uffd *u)
{
	if (u->fd >= 0)
		close(u->fd);
	u->fd = -1;
}

int uffd_register(const struct uffd *u, void *addr, size_t len, uint64_t mode)
{
	struct uffdio_register arg = {
		.range = { (uintptr_t)addr, len },
		.mode = mode,
	};

	return ioctl(u->fd, UFFDIO_REGISTER, &arg) ? -errno : 0;
}

int uffd_unregister(const struct uffd *u, void *addr, size_t len)
{
	struct uffdio_range arg = { (uintptr_t)addr, len };

	return ioctl(u->fd, UFFDIO_UNREGISTER, &arg) ? -errno : 0;
}

/*
 * Maps all of the range's pages that are in the page cache.  Goes on after
 * partial progress (EAGAIN with mapped > 0, or -EAGAIN while the address space
 * changes) and past granules that are mapped already (EEXIST).
 */
int uffd_continue_mode(const struct uffd *u, void *addr, size_t len, size_t granule,
		       uint64_t mode)
{
	size_t done = 0;

	while (done < len) {
		struct uffdio_continue arg = {
			.range = { (uintptr_t)addr + done, len - done },
			.mode = mode,
		};

		if (!ioctl(u->fd, UFFDIO_CONTINUE, &arg))
			return 0;
		if (errno == EEXIST)
			done += arg.mapped > 0 ? (size_t)arg.mapped : granule;
		else if (errno == EAGAIN)
			done += arg.mapped > 0 ? (size_t)arg.mapped : 0;
		else
			return -errno;
	}
	return 0;
}

int uffd_continue(const struct uffd *u, void *addr, size_t len, size_t granule)
{
	return uffd_continue_mode(u, addr, len, granule, 0);
}

/* Fills missing pages; goes on after partial progress as uffd_continue() does. */
int uffd_copy(const struct uffd *u, void *addr, const void *from, size_t len)
{
	size_t done = 0;

	while (done < len) {
		struct uffdio_copy arg = {
			.dst = (uintptr_t)addr + done,
			.src = (uintptr_t)from + done,
			.len = len - done,
		};

		if (!ioctl(u->fd, UFFDIO_COPY, &arg))
			return 0;
		if (errno != EAGAIN)
			return -errno;
		done += arg.copy > 0 ? (size_t)arg.copy : 0;
	}
	return 0;
}

int uffd_protect(const struct uffd *u, void *addr, size_t len, bool on)
{
	struct uffdio_writeprotect arg = {
		.range = { (uintptr_t)addr, len },
		.mode = on ? UFFDIO_WRITEPROTECT_MODE_WP : 0,
	};

	return ioctl(u->fd, UFFDIO_WRITEPROTECT, &arg) ? -errno : 0;
}

int uffd_rwprotect(const struct uffd *u, void *addr, size_t len, bool on)
{
	struct uffdio_rwprotect arg = {
		.range = { (uintptr_t)addr, len },
		.mode = on ? UFFDIO_RWPROTECT_MODE_RWP : 0,
	};

	return ioctl(u->fd, UFFDIO_RWPROTECT, &arg) ? -errno : 0;
}

int uffd_poison(const struct uffd *u, void *addr, size_t len)
{
	struct uffdio_poison arg = { .range = { (uintptr_t)addr, len } };

	return ioctl(u->fd, UFFDIO_POISON, &arg) ? -errno : 0;
}

int uffd_zeropage(const struct uffd *u, void *addr, size_t len)
{
	struct uffdio_zeropage arg = { .range = { (uintptr_t)addr, len } };

	return ioctl(u->fd, UFFDIO_ZEROPAGE, &arg) ? -errno : 0;
}

void uffd_wake(const struct uffd *u, void *addr, size_t len)
{
	struct uffdio_range arg = { (uintptr_t)addr, len };

	ioctl(u->fd, UFFDIO_WAKE, &arg);
}

static const struct {
	uint64_t bit;
	const char *name;
} feature_names[] = {
	{ UFFD_FEATURE_MINOR_HUGETLBFS, "UFFD_FEATURE_MINOR_HUGETLBFS (Linux 5.13)" },
	{ UFFD_FEATURE_MINOR_SHMEM, "UFFD_FEATURE_MINOR_SHMEM (Linux 5.14)" },
	{ UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
	  "UFFD_FEATURE_WP_HUGETLBFS_SHMEM (Linux 5.19)" },
	{ UFFD_FEATURE_POISON, "UFFD_FEATURE_POISON (Linux 6.6)" },
	{ UFFD_FEATURE_RWP, "UFFD_FEATURE_RWP (Linux 7.3)" },
};

/* The first of the features that has a name here. */
const char *uffd_feature_name(uint64_t features)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(feature_names); i++)
		if (features & feature_names[i].bit)
			return feature_names[i].name;
	return "a feature";
}
