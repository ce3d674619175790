// SPDX-License-Identifier: GPL-2.0-only
/* The side that resolves faults: threads that read a userfaultfd and answer. */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
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
		place_note(h->cpu, &h->counts->strayed);
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

int handler_threads_start(struct faults *f)
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
				       .epoll = -1,
				       .cpu = place_cpu(f, f->nr_threads + i) };
		if (f->r->c->delivery == DELIVERY_EPOLL)
			err = open_epoll(h);
		if (!err)
			err = -pthread_create(&h->thread, NULL, handler_main, h);
		f->running += !err;
		if (err && h->epoll >= 0)
			close(h->epoll);
		if (!err)
			err = place_thread(f, h->thread, f->nr_threads + i);
	}
	return err;
}

/* A thread may be on its way into read(2) just now: knock until it has seen it. */
void handler_threads_stop(struct faults *f)
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
