// SPDX-License-Identifier: GPL-2.0-only
/*
 * The side that resolves faults: threads of this process, or of one of their
 * own that gets the userfaultfd over a UNIX socket and maps the file elsewhere.
 */
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fault.h"

/* Part n of the range belongs to userfaultfd n. */
static size_t part_first(const struct faults *f, unsigned int part)
{
	return f->pages * part / f->nr_uffds;
}

char *part_start(const struct faults *f, unsigned int part)
{
	return f->base + part_first(f, part) * f->page;
}

size_t part_pages(const struct faults *f, unsigned int part)
{
	return part_first(f, part + 1) - part_first(f, part);
}

const struct uffd *uffd_of(const struct faults *f, size_t page)
{
	unsigned int part = 0;

	while (page >= part_first(f, part + 1))
		part++;
	return &f->uffd[part];
}

bool stamped(const struct faults *f, size_t page)
{
	return f->stamps && page % STAMPED == 0;
}

/* ---- one fault ---- */

static int unprotect(const struct uffd *u, char *page, size_t len)
{
	return uffd_rwprotect(u, page, len, false);
}

/*
 * Maps the page and wakes who waits for it.  Of EEXIST one cannot know that
 * somebody was woken: another resolved the page, and may have left that to us.
 */
static int continue_page(struct faults *f, const struct uffd *u, struct handler_counts *n,
			 char *page, uint64_t mode)
{
	bool existed = false;

	for (size_t done = 0; done < f->page;) {
		struct uffdio_continue arg = {
			.range = { (uintptr_t)page + done, f->page - done },
			.mode = mode,
		};

		if (!ioctl(u->fd, UFFDIO_CONTINUE, &arg))
			break;
		if (errno != EEXIST && errno != EAGAIN)
			return -errno;
		if (errno == EAGAIN)
			n->eagain++;
		existed |= errno == EEXIST;
		if (arg.mapped > 0)
			done += arg.mapped;
		else if (errno == EEXIST)
			done += f->r->granule;
	}
	if (existed) {
		n->eexist++;
		uffd_wake(u, page, f->page);
	}
	return 0;
}

/* check=: what a handler must not do, so that the checks can be seen to work. */
static uint64_t do_wrong(struct faults *f, const struct uffd *u, char *page)
{
	size_t len = f->page;
	char *next = page + len;

	switch (f->r->c->check) {
	case CHECK_EEXIST:
		uffd_continue_mode(u, page, len, f->r->granule,
				   UFFDIO_CONTINUE_MODE_DONTWAKE);
		break;
	case CHECK_STRAND:
		return UFFDIO_CONTINUE_MODE_DONTWAKE;
	case CHECK_CONTENTS:
		f->other[page - f->base + len - 1] ^= 1;
		break;
	case CHECK_SURPLUS:
		if (next < f->base + f->pages * len)
			uffd_continue(u, next, len, f->r->granule);
		break;
	}
	return 0;
}

/* Resolves one fault; -errno: it cannot be. */
int answer_fault(struct faults *f, const struct uffd *u, struct handler_counts *n,
		 char *page, uint64_t flags)
{
	uint64_t mode = f->r->c->check ? do_wrong(f, u, page) : 0;

	if (flags & UFFD_PAGEFAULT_FLAG_RWP)
		return unprotect(u, page, f->page);
	n->minor += !!(flags & UFFD_PAGEFAULT_FLAG_MINOR);
	return continue_page(f, u, n, page, mode);
}

/* ---- messages ---- */

static void wait_nothing(struct handler *h)
{
	(void)h;
}

static void wait_poll(struct handler *h)
{
	struct pollfd p = { .fd = h->uffd->fd, .events = POLLIN };

	poll(&p, 1, -1);
}

static void wait_epoll(struct handler *h)
{
	struct epoll_event event;

	epoll_wait(h->epoll, &event, 1, -1);
}

static void wait_busy(struct handler *h)
{
	if (h->f->yield)
		sched_yield();
}

/* How a handler waits before it reads; a blocking read waits by itself. */
static const struct {
	bool blocking;
	void (*wait)(struct handler *h);
} deliveries[] = {
	[DELIVERY_READ] = { true, wait_nothing },
	[DELIVERY_POLL] = { false, wait_poll },
	[DELIVERY_EPOLL] = { false, wait_epoll },
	[DELIVERY_BUSY] = { false, wait_busy },
};

static void handle(struct handler *h, const struct uffd_msg *msg, uint64_t read_at)
{
	struct faults *f = h->f;
	size_t page = (msg->arg.pagefault.address - (uintptr_t)f->base) / f->page;
	struct answer *a = &f->shared->answers[page];
	int err;

	if (stamped(f, page)) {
		a->turn = clock_now(f->o);
		a->read = read_at ? read_at : a->turn;
	}
	atomic_fetch_add_explicit(&a->events, 1, memory_order_relaxed);
	err = answer_fault(f, h->uffd, h->counts, f->base + page * f->page,
			   msg->arg.pagefault.flags);
	if (stamped(f, page))
		a->done = clock_now(f->o);
	/* the other side reads the stamps when it sees this */
	atomic_fetch_add_explicit(&a->done_events, 1, memory_order_release);
	if (err)
		atomic_store(&h->counts->err, err);
}

static void *handler_main(void *arg)
{
	struct handler *h = arg;
	struct faults *f = h->f;
	struct uffd_msg msgs[MAX_BATCH];
	void (*wait)(struct handler *h) = deliveries[f->r->c->delivery].wait;

	while (!atomic_load_explicit(&f->shared->stop, memory_order_relaxed)) {
		uint64_t read_at;
		ssize_t n;

		wait(h);
		n = read(h->uffd->fd, msgs, f->batch * sizeof(msgs[0]));
		if (n <= 0)
			continue;
		/* of a single message, its turn is as good */
		read_at = n > (ssize_t)sizeof(msgs[0]) && f->stamps ? clock_now(f->o) : 0;
		for (size_t i = 0; i < n / sizeof(msgs[0]); i++)
			if (msgs[i].event == UFFD_EVENT_PAGEFAULT)
				handle(h, &msgs[i], read_at);
	}
	atomic_store(&h->counts->gone, true);
	return NULL;
}

/* ---- threads ---- */

static int open_epoll(struct handler *h)
{
	/* EPOLLEXCLUSIVE would wake one of them; this is what most programs do */
	struct epoll_event event = { .events = EPOLLIN };

	h->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (h->epoll < 0 || epoll_ctl(h->epoll, EPOLL_CTL_ADD, h->uffd->fd, &event))
		return -errno;
	return 0;
}

static int start_threads(struct faults *f)
{
	int err = 0;

	for (unsigned int i = 0; i < f->nr_uffds; i++) {
		int flags = fcntl(f->uffd[i].fd, F_GETFL);
		int nonblock = deliveries[f->r->c->delivery].blocking ? 0 : O_NONBLOCK;

		if (fcntl(f->uffd[i].fd, F_SETFL, (flags & ~O_NONBLOCK) | nonblock))
			return -errno;
	}
	for (unsigned int i = 0; i < f->nr_handlers && !err; i++) {
		struct handler *h = &f->handlers[i];

		*h = (struct handler){ .f = f,
				       .counts = &f->shared->handler[i],
				       .uffd = &f->uffd[i % f->nr_uffds],
				       .epoll = -1 };
		if (f->r->c->delivery == DELIVERY_EPOLL)
			err = open_epoll(h);
		if (!err)
			err = -pthread_create(&h->thread, NULL, handler_main, h);
		f->running += !err;
		if (err && h->epoll >= 0)
			close(h->epoll);
	}
	return err;
}

/* A thread may be on its way into read(2) just now: knock until it has seen it. */
static void stop_threads(struct faults *f)
{
	atomic_store(&f->shared->stop, true);
	for (unsigned int i = 0; i < f->running; i++) {
		struct handler *h = &f->handlers[i];

		while (!atomic_load(&h->counts->gone)) {
			pthread_kill(h->thread, SIGUSR1);
			usleep(100);
		}
		pthread_join(h->thread, NULL);
		if (h->epoll >= 0)
			close(h->epoll);
	}
}

/* ---- a process of their own ---- */

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

/* Answers with 0 or an errno, then serves until the socket says or is closed. */
static void child_main(struct faults *f)
{
	int err = map_elsewhere(f);
	char byte;

	if (!err)
		err = receive_uffds(f);
	if (!err)
		err = start_threads(f);
	byte = -err;
	if (write(f->socket, &byte, 1) == 1)
		while (read(f->socket, &byte, 1) < 0 && errno == EINTR)
			;
	stop_threads(f);
}

/* Forks while there is one thread: the others would not live in the child. */
int handlers_fork(struct faults *f)
{
	pid_t parent = getpid();
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends))
		return -errno;
	f->child = fork();
	if (f->child) {
		int err = errno;

		close(ends[1]);
		f->socket = ends[0];
		if (f->child > 0)
			return 0;
		f->child = 0;
		return -err;
	}
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent) {
		close(ends[0]);
		close(f->o->out); /* its reader waits for its end */
		f->socket = ends[1];
		child_main(f);
	}
	_exit(0);
}

int handlers_start(struct faults *f)
{
	char byte;
	int err;

	if (f->r->c->delivery == DELIVERY_SIGBUS)
		return 0;
	if (!f->child)
		return start_threads(f);
	err = send_uffds(f);
	if (!err && read(f->socket, &byte, 1) != 1)
		err = -EPIPE;
	return err ? err : -(int)byte;
}

/* -errno of one that can resolve no more, or -ESRCH: their process died. */
int handlers_error(const struct faults *f)
{
	struct pollfd p = { .fd = f->socket, .events = POLLIN };

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
		stop_threads(f);
		return;
	}
	close(f->socket);
	while (waitpid(f->child, NULL, 0) < 0 && errno == EINTR)
		;
}

/* Adds what all handlers counted so far. */
void handlers_count(const struct faults *f, struct fault_counts *n)
{
	for (unsigned int i = 0; i < MAX_THREADS; i++) {
		const struct handler_counts *h = &f->shared->handler[i];

		n->minor += h->minor;
		n->eagain += h->eagain;
		n->eexist += h->eexist;
	}
}
