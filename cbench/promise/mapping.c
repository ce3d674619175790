// SPDX-License-Identifier: GPL-2.0-only
/* What becomes of the mapping, and of what the kernel counts of it. */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "checks.h"
#include "everypage.h"
#include "mapped.h"
#include "probe.h"
#include "proc.h"
#include "sibling.h"
#include "size.h"
#include "state.h"

/* By itself: a method that registers again does not do so here. */
int keeps_registration(struct region *r, struct reason *note)
{
	int err;

	if (r->uffd.fd < 0)
		return NOTHING("not registered with userfaultfd");
	err = r->reg_mode ? 0 : probe_register(r, UFFDIO_REGISTER_MODE_MINOR);
	r->no_reregister = true;
	if (!err)
		err = probe_drop(r, note);
	if (err)
		return err;
	return vma_is_registered(r->base, r->reg_mode);
}

int sends_no_event(struct region *r, struct reason *note)
{
	static const char *const names[] = { "", "FORK", "REMAP", "REMOVE", "UNMAP" };
	char sent[sizeof(note->text)] = "";
	struct sibling *reader;
	uint32_t events;
	size_t len = 0;
	int err;

	if (!r->reg_mode)
		return NOTHING("not registered with userfaultfd");
	reader = sibling_serve(r);
	if (!reader)
		return CANNOT("no thread to read events");
	err = probe_drop(r, note);
	events = sibling_stop(reader).events;
	if (err)
		return err;
	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++)
		if (i && events & 1u << i && len < sizeof(sent))
			len += snprintf(sent + len, sizeof(sent) - len, "%s%s",
					len ? ", " : "sent ", names[i]);
	because(note, "%s", sent);
	return !(events & ~1u);
}

/* All but a page at each end. */
static int drop_inner(struct region *r)
{
	const struct op *op = &r->ops[0];

	return probe_drop_part(r, op->addr + r->page, op->len - 2 * r->page);
}

int keeps_neighbours(struct region *r, struct reason *note)
{
	const struct op *op = &r->ops[0];
	char *neighbours[] = { op->addr, op->addr + r->page - base_page(),
			       op->addr + op->len - r->page,
			       op->addr + op->len - base_page() };
	int err;

	err = drop_inner(r);
	if (err)
		return CANNOT("the call failed: %s", strerror(-err));
	for (unsigned int i = 0; i < ARRAY_SIZE(neighbours); i++) {
		bool write = r->method->write_only;
		int event = probe_event(r, neighbours[i], write);

		/* the first write to a private page is a fault of its own */
		if (event != EVENT_NONE && !(write && event == EVENT_REFAULT)) {
			because(note, "a neighbour met %s", zapbench_event_name(event));
			return 0;
		}
	}
	return 1;
}

int keeps_vmas(struct region *r, struct reason *note)
{
	int before, after, err;

	before = vma_count();
	err = drop_inner(r);
	after = vma_count();
	if (err)
		return CANNOT("the call failed: %s", strerror(-err));
	because(note, "%+d mappings", after - before);
	return before == after;
}

/*
 * Page tables that are freed are made again by the next fault (CONFIG_PT_RECLAIM,
 * 6.14).  On the way, all that a whole one maps is looked at.
 */
int keeps_tables(struct region *r, struct reason *note)
{
	unsigned long long before, after;
	int err;

	before = number_after("/proc/self/status", "VmPTE:");
	err = probe_drop(r, note);
	after = number_after("/proc/self/status", "VmPTE:");
	if (!err)
		err = every_page_traps(r, note);
	if (err)
		return err;
	because(note, "%llu of %llu KiB of page tables", after, before);
	return after >= before;
}

/* Mapped base pages, as the kernel counts them. */
static long count(const struct region *r)
{
	const char *key = r->backing->hugetlb ? "HugetlbPages:" : "VmRSS:";

	return number_after("/proc/self/status", key) * KIB / base_page();
}

/*
 * By how much the count may be off: each CPU holds back up to this many pages
 * (percpu_counter_batch), before 6.2 each thread up to 64 faults.
 */
static long count_slack(const struct region *r)
{
	long batch = MAX(32l, 2 * sysconf(_SC_NPROCESSORS_CONF));

	return r->backing->hugetlb ? 0 : 2 * batch + 128;
}

/* What is not taken off the count adds up, from drop to drop, until it shows. */
int keeps_count(struct region *r, struct reason *note)
{
	long pages = r->len / base_page(), slack = count_slack(r), before, off;
	unsigned int rounds = 2 * slack / pages + 2;
	cpu_set_t was, one;
	int err;

	/* nothing but the range itself is to be mapped and unmapped on the way */
	err = region_drop_alias(r);
	if (err)
		return err;
	/* what other CPUs hold back stays the same */
	CPU_ZERO(&one);
	CPU_SET(sched_getcpu(), &one);
	if (sched_getaffinity(0, sizeof(was), &was) ||
	    sched_setaffinity(0, sizeof(one), &one))
		return CANNOT("cannot stay on one CPU: %s", strerror(errno));
	before = count(r);
	for (unsigned int i = 0; i < rounds && !err; i++) {
		err = probe_drop(r, note);
		if (!err)
			err = region_back(r);
	}
	sched_setaffinity(0, sizeof(was), &was);
	if (err)
		return err;
	off = count(r) - before;
	because(note, "%+ld pages after %u rounds", off, rounds);
	return labs(off) <= slack;
}
