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

static const unsigned int wanted[NR_LOADS] = { [READS] = 5, [CONTENDS] = 200 };

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
					 i <= MMAP_READ ? note : &ignored);
	return fds[MMAP_WRITE] < 0 || fds[MMAP_READ] < 0 ? NOT_TRIED : 0;
}

/* Without a time limit: both CPUs are busy, and an emulated one may take a while. */
static int drop(struct region *r)
{
	return probe_drop_part(r, r->ops[0].addr, r->ops[0].len);
}

static bool counts(int i, enum load load, const int *fds)
{
	return fds[i] >= 0 && counters[i].load == load;
}

static int count_call(struct region *r, const int *fds, enum load load,
		      struct tally *tally, struct reason *note)
{
	int err = 0, dropped;

	for (int i = 0; i < NR_COUNTED && !err; i++)
		err = counts(i, load, fds) ? tracepoint_start(fds[i]) : 0;
	dropped = err ? err : drop(r);
	for (int i = 0; i < NR_COUNTED && !err; i++) {
		unsigned long long n = 0;

		err = counts(i, load, fds) ? tracepoint_stop(fds[i], &n) : 0;
		tally->n[i] += load == CONTENDS ? n > 0 : n;
	}
	if (err)
		return CANNOT("the counters failed: %s", strerror(-err));
	return dropped;
}

/* Not the first call: by the second, all that the program itself runs on is mapped. */
static int count_calls(struct region *r, const int *fds, enum load load,
		       struct sibling *other, struct tally *tally, struct reason *note)
{
	int err = drop(r);

	for (; tally->calls[load] < wanted[load] && !err; tally->calls[load]++) {
		err = region_back(r);
		if (other)
			sibling_wait_turn(other);
		if (!err)
			err = count_call(r, fds, load, tally, note);
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

/* The one that reads keeps its CPU in this address space: a flush has to reach it. */
static struct sibling *start_load(const struct region *r, enum load load)
{
	if (load == READS)
		return sibling_spin(r->options->contents, base_page());
	return sibling_contend(region_slot(r, 0) + region_mapping(r)); /* in a hole */
}

/* A thread on another CPU.  NULL: there is one CPU.  In a process that ends with the
 * check.
 */
static struct sibling *busy_neighbour(const struct region *r, enum load load,
				      const cpu_set_t *allowed)
{
	struct sibling *other = NULL;
	int mine = sched_getcpu();

	for (int cpu = 0; cpu < CPU_SETSIZE && !other; cpu++)
		if (CPU_ISSET(cpu, allowed) && cpu != mine && !stay_on(cpu))
			other = start_load(r, load);
	return stay_on(mine) ? NULL : other;
}

static int count_under(enum load load, struct region *r, const int *fds,
		       struct tally *tally, struct reason *note)
{
	cpu_set_t allowed;
	bool known = !sched_getaffinity(0, sizeof(allowed), &allowed);
	struct sibling *other = known ? busy_neighbour(r, load, &allowed) : NULL;
	int err = 0;

	/* without another CPU nobody is interrupted, and nothing is waited for */
	if (other || load == READS)
		err = count_calls(r, fds, load, other, tally, note);
	for (int i = 0; i < NR_COUNTED; i++)
		if (counts(i, load, fds))
			tally->known[i] = other || i <= MMAP_READ;
	sibling_stop(other);
	if (known)
		sched_setaffinity(0, sizeof(allowed), &allowed);
	return err;
}

/*
 * Waiting is counted where the kernel keeps statistics of locks.  That a VMA's own lock
 * is taken has no tracepoint: a call that takes the mmap lock neither way has that, or
 * none.
 */
int takes_no_write_lock(struct region *r, struct reason *note)
{
	struct tally tally = { 0 };
	int fds[NR_COUNTED], err;

	err = open_counters(fds, note);
	if (!err)
		err = count_under(READS, r, fds, &tally, note);
	if (!err && counts(MMAP_WAITED, CONTENDS, fds))
		err = count_under(CONTENDS, r, fds, &tally, note);
	for (int i = 0; i < NR_COUNTED; i++)
		if (fds[i] >= 0)
			close(fds[i]);
	if (err)
		return err;
	because(note, "%u calls: mmap lock %llu times for writing, %llu for reading",
		tally.calls[READS], tally.n[MMAP_WRITE], tally.n[MMAP_READ]);
	*r->tally = tally;
	return !tally.n[MMAP_WRITE];
}
