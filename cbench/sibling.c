// SPDX-License-Identifier: GPL-2.0-only
/* Threads next to the measured one. */
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sibling.h"
#include "size.h"

struct sibling {
	pthread_t thread;
	atomic_bool stop;
	atomic_uint turns; /* of one that reads or contends */
	int wake; /* eventfd */
	const char *addr; /* reads this range, */
	size_t len;
	char *page; /* maps and unmaps this one, */
	const struct region *region; /* or serves this one's descriptor */
	struct served served;
};

/* Keeps this CPU's TLB in use for the address space: shootdowns must reach it. */
static void *spin_main(void *arg)
{
	struct sibling *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		for (size_t i = 0; i < s->len; i += base_page())
			*(const volatile char *)(s->addr + i);
		atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
	}
	return NULL;
}

static bool map_over(char *page, int prot)
{
	return mmap(page, base_page(), prot,
		    MAP_FIXED | MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1,
		    0) == page;
}

/* Takes the locks of the address space, of a VMA and of a page table, for writing too. */
static void *contend_main(void *arg)
{
	struct sibling *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (map_over(s->page, PROT_READ | PROT_WRITE))
			*(volatile char *)s->page = 1;
		map_over(s->page, PROT_NONE);
		atomic_fetch_add_explicit(&s->turns, 1, memory_order_relaxed);
	}
	return NULL;
}

/* Returns when it has taken a turn since: it runs, then, unless it was stopped at once.
 */
void sibling_wait_turn(struct sibling *s)
{
	unsigned int before = atomic_load_explicit(&s->turns, memory_order_relaxed);

	while (atomic_load_explicit(&s->turns, memory_order_relaxed) - before < 2)
		sched_yield();
}

/*
 * Nothing that is timed should fault.  But the kernel may unmap a page that it
 * takes for cold, DAMON's pageout does, and the next touch would wait for ever.
 */
static void serve_fault(const struct region *r, struct served *served,
			const struct uffd_msg *msg)
{
	char *page = (char *)(msg->arg.pagefault.address & ~(r->granule - 1));
	uint64_t flags = msg->arg.pagefault.flags;

	if (flags & UFFD_PAGEFAULT_FLAG_WP) {
		uffd_protect(&r->uffd, page, r->granule, false);
		return;
	}
	if (flags & UFFD_PAGEFAULT_FLAG_RWP) {
		uffd_rwprotect(&r->uffd, page, r->granule, false);
		return;
	}
	if (flags & UFFD_PAGEFAULT_FLAG_MINOR)
		served->minor++;
	else
		served->missing++;
	uffd_continue(&r->uffd, page, r->granule, r->granule);
	uffd_wake(&r->uffd, page, r->granule);
}

/* madvise() and munmap() block until their event was read. */
static void *serve_main(void *arg)
{
	struct sibling *s = arg;
	struct pollfd fds[2] = {
		{ .fd = s->region->uffd.fd, .events = POLLIN },
		{ .fd = s->wake, .events = POLLIN },
	};
	struct uffd_msg msg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (poll(fds, 2, -1) <= 0 || !(fds[0].revents & POLLIN))
			continue;
		if (read(s->region->uffd.fd, &msg, sizeof(msg)) != sizeof(msg))
			continue;
		s->served.events |= 1u << (msg.event - UFFD_EVENT_PAGEFAULT);
		if (msg.event == UFFD_EVENT_PAGEFAULT)
			serve_fault(s->region, &s->served, &msg);
	}
	return NULL;
}

static struct sibling *start(struct sibling init, void *(*thread_main)(void *))
{
	struct sibling *s = malloc(sizeof(*s));

	if (!s)
		return NULL;
	*s = init;
	s->wake = eventfd(0, EFD_CLOEXEC);
	if (s->wake < 0 || pthread_create(&s->thread, NULL, thread_main, s)) {
		close(s->wake);
		free(s);
		return NULL;
	}
	return s;
}

/* Reads len bytes at addr, which must stay mapped, over and over. */
struct sibling *sibling_spin(const char *addr, size_t len)
{
	return start((struct sibling){ .addr = addr, .len = len }, spin_main);
}

/* Maps, writes and unmaps a page of a PROT_NONE mapping, over and over. */
struct sibling *sibling_contend(char *page)
{
	return start((struct sibling){ .page = page }, contend_main);
}

/* Reads the region's userfaultfd: events, and faults, which it resolves. */
struct sibling *sibling_serve(const struct region *r)
{
	return start((struct sibling){ .region = r }, serve_main);
}

/* Returns what it served.  NULL is allowed. */
struct served sibling_stop(struct sibling *s)
{
	struct served served = { 0 };
	uint64_t one = 1;

	if (!s)
		return served;
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
	if (write(s->wake, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_join(s->thread, NULL);
	served = s->served;
	close(s->wake);
	free(s);
	return served;
}
