// SPDX-License-Identifier: GPL-2.0-only
/* process_madvise(2) on another process, which maps the same. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "checks.h"
#include "mapped.h"
#include "probe.h"
#include "size.h"
#include "state.h"

/* The other process: it maps the range, and then waits for its end. */
struct other {
	pid_t pid;
	int mapped, end; /* pipes: it writes, it reads */
	int pidfd, pagemap;
};

static void other_main(const struct region *r, int mapped, int end)
{
	char c = 0;

	region_touch(r, r->ops[0].addr, r->ops[0].len);
	if (write(mapped, &c, 1) == 1 && read(end, &c, 1) > 0)
		_exit(0);
	_exit(1);
}

static int other_start(const struct region *r, struct other *p)
{
	int mapped[2], end[2];
	char c, path[64];

	if (pipe2(mapped, O_CLOEXEC))
		return -errno;
	if (pipe2(end, O_CLOEXEC)) {
		close(mapped[0]);
		close(mapped[1]);
		return -errno;
	}
	p->pid = fork();
	if (!p->pid) {
		close(mapped[0]);
		close(end[1]);
		other_main(r, mapped[1], end[0]);
	}
	close(mapped[1]);
	close(end[0]);
	p->mapped = mapped[0];
	p->end = end[1];
	if (p->pid < 0 || read(p->mapped, &c, 1) != 1)
		return -EAGAIN;
	snprintf(path, sizeof(path), "/proc/%d/pagemap", p->pid);
	p->pagemap = open(path, O_RDONLY | O_CLOEXEC);
	p->pidfd = syscall(SYS_pidfd_open, p->pid, 0);
	return p->pagemap < 0 || p->pidfd < 0 ? -errno : 0;
}

static void other_end(struct other *p)
{
	int fds[] = { p->mapped, p->end, p->pidfd, p->pagemap };

	for (unsigned int i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (p->pid > 0)
		waitpid(p->pid, NULL, 0);
}

/* How many of its pages are mapped there: of hugetlb pages, the first base page. */
static size_t other_maps(const struct region *r, const struct other *p)
{
	const struct op *op = &r->ops[0];
	size_t n = 0;

	for (size_t at = 0; at < op->len; at += r->granule) {
		uint64_t entry = 0;
		off_t index = (uintptr_t)(op->addr + at) / base_page();

		if (pread(p->pagemap, &entry, sizeof(entry), index * sizeof(entry)) > 0)
			n += entry & PAGEMAP_PRESENT ? 1 : 0;
	}
	return n;
}

static int advise(const struct region *r, const struct other *p, struct reason *note)
{
	const struct op *op = &r->ops[0];
	struct iovec range = { op->addr, op->len };
	size_t pages = op->len / r->granule, left;
	ssize_t done;

	if (other_maps(r, p) != pages)
		return CANNOT("the other process could not map the range");
	done = syscall(SYS_process_madvise, p->pidfd, &range, 1, r->method->advice, 0);
	if (done < 0 && errno == EPERM)
		return CANNOT("process_madvise: needs CAP_SYS_NICE");
	left = other_maps(r, p);
	because(note, "%s, %zu of %zu pages mapped there",
		done < 0 ? strerror(errno) : "success", left, pages);
	return done == (ssize_t)op->len && !left;
}

int takes_remote(struct region *r, struct reason *note)
{
	struct other p = { .mapped = -1, .end = -1, .pidfd = -1, .pagemap = -1 };
	int err;

	if (!r->method->advice) {
		because(note, "it is not one madvise()");
		return 0;
	}
	err = other_start(r, &p);
	if (err)
		because(note, "no other process: %s", strerror(-err));
	else
		err = advise(r, &p, note);
	other_end(&p);
	return err;
}
