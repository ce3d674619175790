// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which combinations cannot be had on any kernel, and why.  What a given
 * kernel lacks is not here: that is probed.
 */
#include <string.h>

#include "exclude.h"
#include "reason.h"
#include "size.h"

struct exclusion {
	const char *workload; /* NULL: any */
	const char *method;
	const char *backing;
	const char *reason;
};

static const struct exclusion exclusions[] = {
	{ NULL, "madv_zap", "anon", "EINVAL: nothing behind it to fault back" },
	{ NULL, "madv_zap", "hugetlb-private",
	  "EINVAL: private hugetlb pages could not be told from the file's" },
	{ NULL, "dontunmap", "hugetlb", "EINVAL: MREMAP_DONTUNMAP refuses hugetlb" },
	{ NULL, "dontunmap", "hugetlb-private",
	  "EINVAL: MREMAP_DONTUNMAP refuses hugetlb" },
	{ NULL, "guard_toggle", "hugetlb", "EINVAL: no guard regions on hugetlb" },
	{ NULL, "guard_toggle", "hugetlb-private",
	  "EINVAL: no guard regions on hugetlb" },
	{ NULL, "guard", "hugetlb", "EINVAL: no guard regions on hugetlb" },
	{ NULL, "guard", "hugetlb-private", "EINVAL: no guard regions on hugetlb" },
	{ NULL, "punch_hole", "anon", "there is no file to punch" },
	{ NULL, "madv_remove", "anon", "EINVAL: there is no file to punch" },
	{ NULL, "madv_remove", "shmem-private", "EACCES: needs a shared mapping" },
	{ NULL, "madv_remove", "hugetlb-private", "EACCES: needs a shared mapping" },
	{ NULL, "rwp", "file", "EINVAL: userfaultfd takes no plain file" },
	{ NULL, "uffd_wp", "file", "EINVAL: userfaultfd takes no plain file" },
	{ NULL, "poison", "file", "EINVAL: userfaultfd takes no plain file" },
	{ NULL, "poison", "anon", "needs a registration, and keeps nothing of it" },
	{ "cycle", "poison", NULL,
	  "nothing takes a poison marker back and keeps the page" },
	{ "minor_fault", NULL, "file", "userfaultfd has no minor mode for plain files" },
	{ "minor_fault", NULL, "anon",
	  "userfaultfd has no minor mode for anonymous memory" },
	{ "continue", NULL, "file", "userfaultfd has no minor mode for plain files" },
	{ "continue", NULL, "anon",
	  "userfaultfd has no minor mode for anonymous memory" },
};

static const char *page_excluded(const struct zap_case *c)
{
	const struct zapbench_backing *b = c->backing;

	if (b->hugetlb)
		return c->page > base_page()
			       ? NULL
			       : "hugetlb pages are larger than the base page";
	if (c->page < base_page())
		return "smaller than this machine's base page";
	if (c->page == base_page())
		return NULL;
	if (strcmp(b->name, "shmem") && strcmp(b->name, "tmpfs"))
		return "large folios are measured on shmem and tmpfs";
	if (c->page > pmd_size())
		return "larger than a PMD: hugetlb only";
	if (c->page < pmd_size() && strcmp(b->name, "shmem"))
		return "mTHP is measured on shmem";
	return NULL;
}

/* Why faults of another kind than minor and RWP are not timed. */
static const char *const other_event[NR_EVENTS] = {
	[EVENT_MISSING] = "the data is gone: a missing fault, which copies contents",
	[EVENT_WP] = "traps writes only",
	[EVENT_SIGSEGV] = "a signal, not a userfaultfd event",
	[EVENT_SIGBUS] = "a signal, and no way back",
};

#define FIELD(name) offsetof(struct zap_case, name)
#define METHODS_ALONE "zap cycle contract"

/* The workloads that an axis belongs to. */
static const struct {
	size_t offset;
	const char *workloads;
	const char *reason;
} axis_owners[] = {
	{ FIELD(scatter), METHODS_ALONE, "scatter= belongs to zap and cycle" },
	{ FIELD(fresh), METHODS_ALONE, "state= belongs to zap and cycle" },
	{ FIELD(events), METHODS_ALONE, "events= belongs to zap and cycle" },
	{ FIELD(middle), METHODS_ALONE, "position= belongs to zap and cycle" },
	{ FIELD(spin), "zap cycle continue empty contract",
	  "minor_fault has threads enough: siblings= belongs to the others" },
	{ FIELD(by), "continue", "by= belongs to the workload continue" },
	{ FIELD(step), "continue", "step= belongs to the workload continue" },
	{ FIELD(wp), "continue", "wp= belongs to the workload continue" },
	{ FIELD(no_wake), "continue", "wake= belongs to the workload continue" },
	{ FIELD(threads), "minor_fault continue",
	  "threads= belongs to minor_fault and continue" },
	{ FIELD(handlers), "minor_fault", "handlers= belongs to minor_fault" },
	{ FIELD(uffd_each), "minor_fault", "uffd= belongs to minor_fault" },
	{ FIELD(delivery), "minor_fault", "delivery= belongs to minor_fault" },
	{ FIELD(batch), "minor_fault", "batch= belongs to minor_fault" },
	{ FIELD(write), "minor_fault", "access= belongs to minor_fault" },
	{ FIELD(order), "minor_fault", "order= belongs to minor_fault" },
	{ FIELD(processes), "minor_fault", "topology= belongs to minor_fault" },
	{ FIELD(place), "minor_fault", "place= belongs to minor_fault" },
	{ FIELD(no_stamps), "minor_fault", "stamps= belongs to minor_fault" },
	{ FIELD(check), "empty minor_fault",
	  "check= belongs to the workloads empty and minor_fault" },
};

static unsigned int field(const struct zap_case *c, size_t offset)
{
	return *(const unsigned int *)((const char *)c + offset);
}

static const char *owner_excluded(const struct zap_case *c)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(axis_owners); i++)
		if (field(c, axis_owners[i].offset) &&
		    !word_number(axis_owners[i].workloads, c->workload->name))
			return axis_owners[i].reason;
	return NULL;
}

static const char *minor_fault_excluded(const struct zap_case *c)
{
	size_t pages = c->range / c->page;

	if (other_event[c->method->event])
		return other_event[c->method->event];
	if (c->write && c->backing->is_private)
		return "a private page that was written is not the file's any more";
	if (c->check && c->check < CHECK_EEXIST)
		return "check= of minor_fault is eexist, strand, contents or surplus";
	if (c->threads > pages || (c->uffd_each && c->handlers > pages))
		return "fewer pages than threads, or than userfaultfds";
	if (c->uffd_each && c->handlers < 2)
		return "uffd=each needs handlers=2 or more";
	if (c->delivery != DELIVERY_SIGBUS)
		return NULL;
	if (c->handlers || c->batch || c->processes || c->check)
		return "delivery=sigbus has no handler: the faulting thread resolves";
	if (c->method->event == EVENT_RWP)
		return "a signal does not say which event it was: minor faults only";
	if (c->place == PLACE_APART && c->threads < 2)
		return "place=apart needs two threads, and here is one";
	return NULL;
}

static const char *continue_excluded(const struct zap_case *c)
{
	bool mode = c->wp || c->no_wake || c->step;

	if (c->by && mode)
		return "step=, wp= and wake= are UFFDIO_CONTINUE's, not by='s";
	if (c->by >= BY_POPULATE_WRITE && c->backing->is_private)
		return "would make pages of its own in a private mapping";
	if (c->step == STEP_2M && (c->range <= 2 * MIB || c->page >= 2 * MIB))
		return "step=2m needs pages smaller than 2 MiB and a larger range";
	if (c->step == STEP_PAGE && c->range == c->page)
		return "step=page needs more than one page";
	if (c->threads > c->range / c->page)
		return "fewer pages than threads";
	return NULL;
}

static const char *axis_excluded(const struct zap_case *c)
{
	const char *reason = owner_excluded(c);

	if (reason)
		return reason;
	if (!strcmp(c->workload->name, "minor_fault"))
		return minor_fault_excluded(c);
	if (!strcmp(c->workload->name, "continue"))
		return continue_excluded(c);
	if (c->check > CHECK_SLEEP)
		return "check= of empty is loop or sleep";
	if (c->events && (!c->backing->uffd_minor || !c->method->reg_mode))
		return "events= needs a range registered with userfaultfd";
	if (c->scatter && c->page == pmd_size() && !c->backing->hugetlb)
		return "single base pages of a THP cannot be dropped one by one";
	return NULL;
}

static bool matches(const char *pattern, const char *name)
{
	return !pattern || (name && !strcmp(pattern, name));
}

/* NULL, or a constant text. */
const char *case_excluded(const struct zap_case *c)
{
	const char *method = c->method ? c->method->name : NULL;
	const char *reason = page_excluded(c);

	if (!reason)
		reason = axis_excluded(c);
	for (unsigned int i = 0; i < ARRAY_SIZE(exclusions) && !reason; i++) {
		const struct exclusion *e = &exclusions[i];

		if (matches(e->workload, c->workload->name) &&
		    matches(e->method, method) && matches(e->backing, c->backing->name))
			reason = e->reason;
	}
	if (!reason && c->method && c->method->loses_data && c->range >= GIB)
		reason = "at this size only methods that keep the data are measured";
	return reason;
}

/* A constant text, never to be freed; case_parse() says more of a wrong name. */
const char *zapbench_excluded(const char *case_name)
{
	struct zap_case c;
	struct reason why;
	int err = case_parse(case_name, &c, &why);

	if (err == -ERANGE)
		return "threads=, handlers= and batch= take 1 to 64, scatter= 1 to 65536";
	return err ? "not the name of a case" : case_excluded(&c);
}
