// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which event does an access raise?  A second thread makes the access; this
 * one sees it end, or sees userfaultfd report it.
 */
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <unistd.h>

#include "access.h"

struct accessor {
	pthread_t thread;
	const struct uffd *uffd;
	size_t granule;
	int request, done; /* eventfds */
	char *addr; /* NULL: end */
	bool write;
	bool pending; /* the thread sleeps in a fault */
	int event;
	struct sigaction segv, bus;
};

/* Signal handlers have no other way to find the thread's own jump buffer. */
static _Thread_local struct {
	sigjmp_buf env;
	bool armed;
} fault;

static void on_fault(int sig)
{
	if (fault.armed)
		siglongjmp(fault.env, sig);
	signal(sig, SIG_DFL); /* not ours: fault again, and die of it */
}

/* Page faults of the calling thread so far, of all kinds. */
long thread_faults(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_minflt + u.ru_majflt;
}

static int access_page(char *addr, bool write)
{
	long before;
	int sig;

	/* in a shared object the first use of this thread's copy may fault */
	fault.armed = false;
	before = thread_faults();
	sig = sigsetjmp(fault.env, 1);
	if (!sig) {
		fault.armed = true;
		if (write)
			__atomic_fetch_or(addr, 0, __ATOMIC_RELAXED);
		else
			*(volatile char *)addr;
	}
	fault.armed = false;
	if (sig)
		return sig == SIGSEGV ? EVENT_SIGSEGV : EVENT_SIGBUS;
	return thread_faults() > before ? EVENT_REFAULT : EVENT_NONE;
}

static void *accessor_main(void *arg)
{
	struct accessor *a = arg;
	uint64_t one = 1, ignored;

	while (read(a->request, &ignored, sizeof(ignored)) == sizeof(ignored) &&
	       a->addr) {
		a->event = access_page(a->addr, a->write);
		if (write(a->done, &one, sizeof(one)) != sizeof(one))
			break;
	}
	return NULL;
}

static void catch_faults(struct sigaction *segv, struct sigaction *bus)
{
	struct sigaction sa = { .sa_handler = on_fault };

	sigaction(SIGSEGV, &sa, segv);
	sigaction(SIGBUS, &sa, bus);
}

static void release_faults(const struct sigaction *segv, const struct sigaction *bus)
{
	sigaction(SIGSEGV, segv, NULL);
	sigaction(SIGBUS, bus, NULL);
}

/* What an access meets where no userfaultfd would report it: nothing else waits. */
int access_by_this_thread(char *addr, bool write)
{
	struct sigaction segv, bus;
	int event;

	catch_faults(&segv, &bus);
	event = access_page(addr, write);
	release_faults(&segv, &bus);
	return event;
}

/* NULL: out of memory, threads or descriptors. */
struct accessor *accessor_start(const struct uffd *u, size_t granule)
{
	struct accessor *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->uffd = u;
	a->granule = granule;
	a->request = eventfd(0, EFD_CLOEXEC);
	a->done = eventfd(0, EFD_CLOEXEC);
	if (a->request < 0 || a->done < 0 ||
	    pthread_create(&a->thread, NULL, accessor_main, a)) {
		close(a->request);
		close(a->done);
		free(a);
		return NULL;
	}
	catch_faults(&a->segv, &a->bus);
	return a;
}

static void submit(struct accessor *a, char *addr, bool write_access)
{
	uint64_t one = 1;

	a->addr = addr;
	a->write = write_access;
	/* an eventfd takes it, or the process is beyond help */
	if (write(a->request, &one, sizeof(one)) != sizeof(one))
		abort();
}

static int classify(uint64_t flags)
{
	if (flags & UFFD_PAGEFAULT_FLAG_MINOR)
		return EVENT_MINOR;
	if (flags & UFFD_PAGEFAULT_FLAG_WP)
		return EVENT_WP;
	if (flags & UFFD_PAGEFAULT_FLAG_RWP)
		return EVENT_RWP;
	return EVENT_MISSING;
}

/* Waits for the access to end, or for userfaultfd to report it. */
static int wait_for(struct accessor *a, bool for_fault, int timeout_ms, int *event)
{
	struct pollfd fds[2] = {
		{ .fd = a->done, .events = POLLIN },
		{ .fd = for_fault ? a->uffd->fd : -1, .events = POLLIN },
	};
	struct uffd_msg msg;
	uint64_t ignored;

	for (;;) {
		int n = poll(fds, 2, timeout_ms);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n == 0)
			return -ETIMEDOUT;
		if (fds[0].revents & POLLIN) {
			a->pending = false;
			if (read(a->done, &ignored, sizeof(ignored)) < 0)
				return -errno;
			*event = a->event; /* the read orders it */
			return 0;
		}
		if (!(fds[1].revents & POLLIN) ||
		    read(a->uffd->fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		if (msg.event == UFFD_EVENT_PAGEFAULT) {
			*event = classify(msg.arg.pagefault.flags);
			return 0;
		}
	}
}

/* An access that does not come on is no state that a page may be in. */
static int in_time(int err)
{
	return err == -ETIMEDOUT ? -EPROTO : err;
}

/*
 * Accesses the page at addr.  *event is what it met; after a userfaultfd event
 * the thread sleeps until the page was resolved: call access_end() then.
 * -EPROTO: it neither ended nor was reported.
 */
int access_begin(struct accessor *a, char *addr, bool write, int *event)
{
	a->pending = true;
	submit(a, addr, write);
	return in_time(wait_for(a, true, 5000, event));
}

static char *granule_of(const struct accessor *a)
{
	return (char *)((uintptr_t)a->addr & ~(a->granule - 1));
}

/* Waits for the access to end.  -EPROTO: it did not. */
int access_end(struct accessor *a)
{
	int event;

	return a->pending ? in_time(wait_for(a, false, 1000, &event)) : 0;
}

/* An access that never ended is woken by taking the registration away. */
void accessor_stop(struct accessor *a)
{
	int event;

	if (a->pending) {
		uffd_unregister(a->uffd, granule_of(a), a->granule);
		uffd_wake(a->uffd, granule_of(a), a->granule);
		wait_for(a, false, 5000, &event);
	}
	submit(a, NULL, false);
	pthread_join(a->thread, NULL);
	release_faults(&a->segv, &a->bus);
	close(a->request);
	close(a->done);
	free(a);
}

/* What does one access of addr meet?  The thread that makes it is let go. */
int access_once(const struct uffd *u, size_t granule, char *addr, bool write)
{
	struct accessor *a = accessor_start(u, granule);
	int event = EVENT_NONE, err;

	if (!a)
		return -ENOMEM;
	err = access_begin(a, addr, write, &event);
	accessor_stop(a);
	return err ? err : event;
}
