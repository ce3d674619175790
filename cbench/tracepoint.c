// SPDX-License-Identifier: GPL-2.0-only
#include <linux/perf_event.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tracepoint.h"
#include "proc.h"
#include "zapbench.h"

#define TRACEFS "/sys/kernel/tracing"

/*
 * Mounts tracefs where nobody but this process sees it, unless it is there already;
 * not for a process that goes on with other things.  A kernel without tracing has no
 * place for it.
 */
int tracefs_mount_privately(void)
{
	if (!access(TRACEFS "/events", X_OK))
		return 0;
	if (access(TRACEFS, F_OK))
		return -errno;
	if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    mount("tracefs", TRACEFS, "tracefs", 0, NULL))
		return -errno;
	return 0;
}

/*
 * A counter of "group/name", which counts what passes the filter (NULL: all) in this
 * thread, once it is started.  Returns a descriptor, or -errno and why.
 */
int tracepoint_open(const char *name, const char *filter, struct reason *why)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT,
					.size = sizeof(attr),
					.disabled = 1 };
	char path[160], id[32];
	int fd, err;

	snprintf(path, sizeof(path), TRACEFS "/events/%s/id", name);
	attr.config = strtoull(first_line(path, id, sizeof(id)), NULL, 10);
	if (!attr.config) {
		because(why, "this kernel has no tracepoint %s", name);
		return -ENOENT;
	}
	fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		because(why, "perf_event_open of %s: %s", name, strerror(-err));
		return err;
	}
	if (filter && ioctl(fd, PERF_EVENT_IOC_SET_FILTER, filter)) {
		err = -errno;
		because(why, "tracepoint %s takes no filter \"%s\": %s", name, filter,
			strerror(-err));
		close(fd);
		return err;
	}
	return fd;
}

/* From 0. */
int tracepoint_start(int fd)
{
	if (ioctl(fd, PERF_EVENT_IOC_RESET, 0) || ioctl(fd, PERF_EVENT_IOC_ENABLE, 0))
		return -errno;
	return 0;
}

int tracepoint_stop(int fd, unsigned long long *n)
{
	if (ioctl(fd, PERF_EVENT_IOC_DISABLE, 0))
		return -errno;
	return read(fd, n, sizeof(*n)) == sizeof(*n) ? 0 : -EIO;
}
