// SPDX-License-Identifier: GPL-2.0-only
/* Threads beside the measured one. */
#include <poll.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "zapbench.h"

struct sibling {
	pthread_t thread;
	atomic_bool stop;
	int wake; /* eventfd */
	const char *addr; /* reads this range, */
	size_t len;
	const struct uffd *uffd; /* or this descriptor's events */
	uint32_t events; /* bit n: UFFD_EVENT_PAGEFAULT + n was seen */
};

/* Keeps this CPU's TLB in use for the address space: shootdowns must reach it. */
static void *spin_main(void *arg)
{
	struct sibling *s = arg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed))
		for (size_t i = 0; i < s->len; i += base_page())
			*(const volatile char *)(s->addr + i);
	return NULL;
}

/* madvise() and munmap() block until their event was read. */
static void *events_main(void *arg)
{
	struct sibling *s = arg;
	struct pollfd fds[2] = {
		{ .fd = s->uffd->fd, .events = POLLIN },
		{ .fd = s->wake, .events = POLLIN },
	};
	struct uffd_msg msg;

	while (!atomic_load_explicit(&s->stop, memory_order_relaxed)) {
		if (poll(fds, 2, -1) <= 0 || !(fds[0].revents & POLLIN))
			continue;
		if (read(s->uffd->fd, &msg, sizeof(msg)) == sizeof(msg))
			s->events |= 1u << (msg.event - UFFD_EVENT_PAGEFAULT);
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

struct sibling *sibling_read_events(const struct uffd *u)
{
	return start((struct sibling){ .uffd = u }, events_main);
}

/* Returns the events seen.  NULL is allowed. */
uint32_t sibling_stop(struct sibling *s)
{
	uint64_t one = 1;
	uint32_t events;

	if (!s)
		return 0;
	atomic_store_explicit(&s->stop, true, memory_order_relaxed);
	if (write(s->wake, &one, sizeof(one)) != sizeof(one))
		abort();
	pthread_join(s->thread, NULL);
	events = s->events;
	close(s->wake);
	free(s);
	return events;
}
