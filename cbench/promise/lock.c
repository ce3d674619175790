// SPDX-License-Identifier: GPL-2.0-only
/* How calls lock the address space, and whom they interrupt. */
#include <sched.h>
#include <unistd.h>

#include "checks.h"
#include "tally.h"
#include "probe.h"
#include "sibling.h"
#include "size.h"
#include "state.h"
#include "tracepoint.h"

enum { CALLS = 5 };

/* Without the tracepoint of the mmap lock nothing is counted; others may be missing. */
static int open_counters(int *fds, struct reason *note)
{
	struct reason ignored;
	int err = tracefs_mount_privately();

	for (int i = 0; i < NR_COUNTED; i++)
		fds[i] = -1;
	if (err && err != -ENOENT)
		return CANNOT("tracefs could not be mounted: %s", strerror(-err));
	for (int i = 0; i < NR_COUNTED; i++)
		fds[i] = tracepoint_open(counters[i].tracepoint, counters[i].filter,
					 i == TLB_IPIS ? &ignored : note);
	return fds[MMAP_WRITE] < 0 || fds[MMAP_READ] < 0 ? NOT_TRIED : 0;
}

/* Without a time limit: both CPUs are busy, and an emulated one may take a while. */
static int drop(struct region *r)
{
	return probe_drop_part(r, r->ops[0].addr, r->ops[0].len);
}

static int count_call(struct region *r, const int *fds, struct tally *tally,
		      struct reason *note)
{
	int err = 0, dropped;

	for (int i = 0; i < NR_COUNTED && !err; i++)
		err = fds[i] < 0 ? 0 : tracepoint_start(fds[i]);
	dropped = err ? err : drop(r);
	for (int i = 0; i < NR_COUNTED && !err; i++) {
		unsigned long long n = 0;

		err = fds[i] < 0 ? 0 : tracepoint_stop(fds[i], &n);
		tally->n[i] += n;
	}
	if (err)
		return CANNOT("the counters failed: %s", strerror(-err));
	return dropped;
}

/* Not the first call: by the second, all that the program itself runs on is mapped. */
static int count_calls(struct region *r, const int *fds, struct sibling *other,
		       struct tally *tally, struct reason *note)
{
	int err = drop(r);

	for (; tally->calls < CALLS && !err; tally->calls++) {
		err = region_back(r);
		if (other)
			sibling_wait_turn(other);
		if (!err)
			err = count_call(r, fds, tally, note);
	}
	return err && err != NOT_TRIED ? CANNOT("a call failed: %s", strerror(-err))
				       : err;
}

static int stay_on(int cpu)
{
	cpu_set_t one;

	CPU_ZERO(&one);
	CPU_SET(cpu, &one);
	return sched_setaffinity(0, sizeof(one), &one);
}

/*
 * A thread that keeps another CPU in this address space, so that a flush has to reach it.
 * NULL: there is one CPU.  In a process that ends with the check.
 */
static struct sibling *busy_neighbour(const struct region *r)
{
	struct sibling *other = NULL;
	int mine = sched_getcpu();
	cpu_set_t allowed;

	if (sched_getaffinity(0, sizeof(allowed), &allowed))
		return NULL;
	for (int cpu = 0; cpu < CPU_SETSIZE && !other; cpu++)
		if (CPU_ISSET(cpu, &allowed) && cpu != mine && !stay_on(cpu))
			other = sibling_spin(r->options->contents, base_page());
	return stay_on(mine) ? NULL : other;
}

/*
 * A VMA's own lock has no tracepoint: a call that takes the mmap lock neither way has
 * that, or none.
 */
int takes_no_write_lock(struct region *r, struct reason *note)
{
	struct tally tally = { 0 };
	struct sibling *other = NULL;
	int fds[NR_COUNTED], err;

	err = open_counters(fds, note);
	if (!err)
		other = busy_neighbour(r);
	if (!err)
		err = count_calls(r, fds, other, &tally, note);
	for (int i = 0; i < NR_COUNTED; i++) {
		tally.known[i] = fds[i] >= 0 && (other || i != TLB_IPIS);
		if (fds[i] >= 0)
			close(fds[i]);
	}
	sibling_stop(other);
	if (err)
		return err;
	because(note, "%u calls: mmap lock %llu times for writing, %llu for reading",
		tally.calls, tally.n[MMAP_WRITE], tally.n[MMAP_READ]);
	*r->tally = tally;
	return !tally.n[MMAP_WRITE];
}
