// SPDX-License-Identifier: GPL-2.0-only
/*
 * Where the handlers live: in this process, or (topology=process) in one of their
 * own, which gets the userfaultfds over a UNIX socket and maps the file elsewhere.
 */
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

static int send_uffds(struct faults *f)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_THREADS)] = { 0 }, byte = 0;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = CMSG_SPACE(sizeof(int) * f->nr_uffds) };
	struct cmsghdr *c = CMSG_FIRSTHDR(&msg);

	c->cmsg_level = SOL_SOCKET;
	c->cmsg_type = SCM_RIGHTS;
	c->cmsg_len = CMSG_LEN(sizeof(int) * f->nr_uffds);
	for (unsigned int i = 0; i < f->nr_uffds; i++)
		memcpy(CMSG_DATA(c) + i * sizeof(int), &f->uffd[i].fd, sizeof(int));
	return sendmsg(f->socket, &msg, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int receive_uffds(struct faults *f)
{
	char control[CMSG_SPACE(sizeof(int) * MAX_THREADS)], byte;
	struct iovec iov = { &byte, 1 };
	struct msghdr msg = { .msg_iov = &iov,
			      .msg_iovlen = 1,
			      .msg_control = control,
			      .msg_controllen = sizeof(control) };
	struct cmsghdr *c;

	if (recvmsg(f->socket, &msg, MSG_CMSG_CLOEXEC) != 1)
		return -EPIPE;
	c = CMSG_FIRSTHDR(&msg);
	if (!c || c->cmsg_len != CMSG_LEN(sizeof(int) * f->nr_uffds))
		return -EPROTO;
	for (unsigned int i = 0; i < f->nr_uffds; i++)
		memcpy(&f->uffd[i].fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
	return 0;
}

/* Where the kernel has no sockets: pidfd_getfd(2), Linux 5.6. */
static int take_uffds(struct faults *f, const int *fds)
{
	int parent = syscall(SYS_pidfd_open, getppid(), 0);
	int err = parent < 0 ? -errno : 0;

	for (unsigned int i = 0; i < f->nr_uffds && !err; i++) {
		f->uffd[i].fd = syscall(SYS_pidfd_getfd, parent, fds[i], 0);
		err = f->uffd[i].fd < 0 ? -errno : 0;
	}
	close(parent);
	return err;
}

/* The parent says which descriptors it has opened since. */
static int get_uffds(struct faults *f)
{
	int fds[MAX_THREADS];
	ssize_t len = f->nr_uffds * sizeof(fds[0]);

	if (read(f->down, fds, len) != len)
		return -EPIPE;
	return f->socket >= 0 ? receive_uffds(f) : take_uffds(f, fds);
}

/* The file, mapped by the handlers' process too, and somewhere else. */
static int map_elsewhere(struct faults *f)
{
	struct region *r = f->r;
	size_t len = f->pages * f->page;
	char *other;

	munmap(r->reserved, r->reserved_len);
	other = mmap(NULL, len, PROT_READ | PROT_WRITE, MAP_SHARED, r->fd, 0);
	if (other == MAP_FAILED)
		return -errno;
	f->other = other;
	for (size_t i = 0; i < len; i += r->granule)
		*(volatile char *)(other + i);
	return 0;
}

/* Answers with 0 or an errno, then serves until the parent closes its end. */
static void child_main(struct faults *f)
{
	int err = map_elsewhere(f);
	unsigned char byte;

	if (!err)
		err = get_uffds(f);
	if (!err)
		err = handler_threads_start(f);
	byte = -err;
	if (write(f->up, &byte, 1) == 1)
		while (read(f->down, &byte, 1) < 0 && errno == EINTR)
			;
	handler_threads_stop(f);
}

/* Both ends of two pipes and, where the kernel has them, of a pair of sockets. */
static int open_ends(struct faults *f, struct faults *child)
{
	int down[2], up[2], sockets[2] = { -1, -1 };

	if (pipe2(down, O_CLOEXEC))
		return -errno;
	if (pipe2(up, O_CLOEXEC)) {
		close(down[0]);
		close(down[1]);
		return -errno;
	}
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets))
		sockets[0] = sockets[1] = -1;
	f->down = down[1];
	f->up = up[0];
	f->socket = sockets[0];
	child->down = down[0];
	child->up = up[1];
	child->socket = sockets[1];
	return 0;
}

static void close_ends(struct faults *f)
{
	close(f->down);
	close(f->up);
	if (f->socket >= 0)
		close(f->socket);
}

/* Forks while there is one thread: the others would not live in the child. */
int handlers_fork(struct faults *f)
{
	struct faults child = *f;
	pid_t parent = getpid();
	int err = open_ends(f, &child);

	if (err)
		return err;
	f->child = fork();
	if (f->child) {
		err = -errno;
		close_ends(&child);
		if (f->child > 0)
			return 0;
		close_ends(f);
		f->child = 0;
		return err;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		close_ends(f);
		close(f->o->out); /* its reader waits for its end */
		child_main(&child);
	}
	_exit(0);
}

int handlers_start(struct faults *f)
{
	ssize_t len = f->nr_uffds * sizeof(int);
	int fds[MAX_THREADS], err = 0;
	unsigned char byte;

	if (f->r->c->delivery == DELIVERY_SIGBUS)
		return 0;
	if (!f->child)
		return handler_threads_start(f);
	for (unsigned int i = 0; i < f->nr_uffds; i++)
		fds[i] = f->uffd[i].fd;
	if (write(f->down, fds, len) != len)
		return -EPIPE;
	if (f->socket >= 0)
		err = send_uffds(f);
	if (!err && read(f->up, &byte, 1) != 1)
		err = -EPIPE;
	return err ? err : -byte;
}

/* -errno of one that can resolve no more, or -ESRCH: their process died. */
int handlers_error(const struct faults *f)
{
	struct pollfd p = { .fd = f->up, .events = POLLIN };

	for (unsigned int i = 0; i < MAX_THREADS; i++)
		if (atomic_load(&f->shared->handler[i].err))
			return atomic_load(&f->shared->handler[i].err);
	return f->child && poll(&p, 1, 0) > 0 ? -ESRCH : 0;
}

void handlers_stop(struct faults *f)
{
	if (f->r->c->delivery == DELIVERY_SIGBUS)
		return;
	if (!f->child) {
		handler_threads_stop(f);
		return;
	}
	close_ends(f);
	while (waitpid(f->child, NULL, 0) < 0 && errno == EINTR)
		;
}
