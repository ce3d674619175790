// SPDX-License-Identifier: GPL-2.0-only
/*
 * place=: on which CPUs the threads of workload "minor_fault" run.  Threads are
 * numbered: the faulters, then the handlers.  Only threads that end with the
 * case are pinned, so there is nothing to put back.
 */
#include <pthread.h>
#include <string.h>
#include <unistd.h>

#include "fault.h"

/* The nth CPU of the set, which holds more than n. */
static int nth_cpu(const cpu_set_t *set, unsigned int n)
{
	int cpu = 0;

	for (; !CPU_ISSET(cpu, set) || n--; cpu++)
		;
	return cpu;
}

/* How many CPUs the case's threads have for themselves. */
static unsigned int place_cpus(const struct faults *f)
{
	if (f->r->c->place == PLACE_SAME)
		return 1;
	return f->r->c->place ? (unsigned int)CPU_COUNT(&f->allowed)
			      : (unsigned int)sysconf(_SC_NPROCESSORS_ONLN);
}

/* Before any thread starts.  -EOPNOTSUPP: there is but one CPU to use. */
int place_init(struct faults *f)
{
	if (f->r->c->place && sched_getaffinity(0, sizeof(f->allowed), &f->allowed))
		return -errno;
	f->yield = f->nr_threads + f->nr_handlers > place_cpus(f);
	if (f->r->c->place != PLACE_APART || CPU_COUNT(&f->allowed) > 1)
		return 0;
	because(f->why, "place=apart needs two CPUs, and this process may use one only");
	return -EOPNOTSUPP;
}

/* Where thread n belongs; -1: anywhere. */
int place_cpu(const struct faults *f, unsigned int n)
{
	if (!f->r->c->place)
		return -1;
	if (f->r->c->place == PLACE_SAME)
		n = 0;
	return nth_cpu(&f->allowed, n % CPU_COUNT(&f->allowed));
}

/* sched_setaffinity(2): when it has returned, the thread runs nowhere else. */
int place_thread(struct faults *f, pthread_t thread, unsigned int n)
{
	int cpu = place_cpu(f, n), err;
	cpu_set_t set;

	if (cpu < 0)
		return 0;
	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	err = pthread_setaffinity_np(thread, sizeof(set), &set);
	if (err)
		because(f->why, "thread %u cannot be pinned to CPU %d: %s", n, cpu,
			strerror(err));
	return -err;
}

/* By the thread itself: notes where it is, if that is not the CPU it belongs to. */
void place_note(int cpu, atomic_int *strayed)
{
	int here = cpu < 0 ? cpu : sched_getcpu();

	if (here != cpu)
		atomic_store_explicit(strayed, here + 1, memory_order_relaxed);
}

/*
 * After a pass.  The kernel moves a pinned thread when its CPU goes offline, or
 * when another process sets its affinity.
 */
int place_check(struct faults *f)
{
	for (unsigned int n = 0; n < f->nr_threads + f->nr_handlers; n++) {
		bool handler = n >= f->nr_threads;
		unsigned int i = handler ? n - f->nr_threads : n;
		int at = atomic_load(handler ? &f->shared->handler[i].strayed
					     : &f->faulters[i].strayed);

		if (!at)
			continue;
		because(f->why,
			"%s %u was pinned to CPU %d and ran on CPU %d: keep other "
			"programs "
			"from moving threads",
			handler ? "handler" : "faulting thread", i, place_cpu(f, n),
			at - 1);
		return -EPROTO;
	}
	return 0;
}
