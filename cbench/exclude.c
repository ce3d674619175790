// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which combinations no kernel has, and why, as the rows of the
 * tables say.  What a given kernel lacks is not here: that is probed.
 */
#include <string.h>

#include "exclude.h"
#include "promise/need.h"
#include "promise/probe.h"
#include "reason.h"
#include "size.h"
#include "workload.h"

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
	if (!b->thp)
		return "large folios are measured on shmem and tmpfs";
	if (c->page > pmd_size())
		return "larger than a PMD: hugetlb only";
	if (c->page < pmd_size() && !b->mthp)
		return "mTHP is measured on shmem";
	return NULL;
}

static bool takes(const struct zapbench_workload *w, const struct zapbench_axis *axis)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(axis->workloads); i++)
		if (axis->workloads[i] == w)
			return true;
	return false;
}

static const char *axis_excluded(const struct zap_case *c)
{
	for (unsigned int i = 0; i < zapbench_nr_axes; i++) {
		const struct zapbench_axis *axis = &zapbench_axes[i];

		if (*(const unsigned int *)((const char *)c + axis->offset) &&
		    !takes(c->workload, axis))
			return axis->foreign;
	}
	if (c->events && (!c->backing->uffd_minor || !c->method->reg_mode))
		return "events= needs a range registered with userfaultfd";
	if (c->scatter && c->page == pmd_size() && !c->backing->hugetlb)
		return "single base pages of a THP cannot be dropped one by one";
	return NULL;
}

static const struct zapbench_refusal *find_refusal(const struct zap_case *c)
{
	const struct zapbench_method *m = c->method;

	for (unsigned int i = 0; m && i < ARRAY_SIZE(m->refusals); i++)
		if (m->refusals[i].of && m->refusals[i].of(c))
			return &m->refusals[i];
	return NULL;
}

static const char *method_excluded(const struct zap_case *c)
{
	const struct zapbench_refusal *refusal = find_refusal(c);

	return refusal ? refusal->reason : NULL;
}

static const char *need_excluded(const struct zap_case *c)
{
	const struct zapbench_workload *w = c->workload;

	if (w->needs_resolve && c->method->no_resolve)
		return c->method->no_resolve;
	if (w->needs_minor && !c->backing->uffd_minor)
		return c->backing->has_file
			       ? "userfaultfd has no minor mode for plain files"
			       : "userfaultfd has no minor mode for anonymous memory";
	if (c->method && c->method->loses_data && c->range >= GIB)
		return "at this size only methods that keep the data are measured";
	return NULL;
}

/* NULL, or a constant text. */
const char *case_excluded(const struct zap_case *c)
{
	const char *reason = page_excluded(c);

	if (!reason)
		reason = axis_excluded(c);
	if (!reason && c->workload->excluded)
		reason = c->workload->excluded(c);
	if (!reason)
		reason = method_excluded(c);
	return reason ? reason : need_excluded(c);
}

/*
 * Where the tables say that the kernel refuses a method's backing, a contract asks
 * it: what it has to say to that.  NULL: it is not asked.
 */
const struct zapbench_refusal *case_refusal(const struct zap_case *c)
{
	const struct zapbench_refusal *refusal = find_refusal(c);

	if (c->workload != &workload_contract || !refusal || !refusal->error)
		return NULL;
	return page_excluded(c) || axis_excluded(c) ? NULL : refusal;
}

int zapbench_refused(const char *case_name)
{
	const struct zapbench_refusal *refusal;
	struct zap_case c;
	struct reason why;

	if (case_parse(case_name, &c, &why))
		return 0;
	refusal = case_refusal(&c);
	return refusal ? refusal->error : 0;
}

_Static_assert(MAX_THREADS == 64 && MAX_BATCH == 64 && MAX_SCATTER == 65536,
	       "zapbench_excluded() says so");

bool zapbench_nothing_there(const char *case_name, const char *promise)
{
	struct options o = { .own_machine = true };
	struct reason why;
	struct zap_case c;

	if (case_parse(case_name, &c, &why))
		return false;
	for (unsigned int i = 0; i < zapbench_nr_promises; i++) {
		const struct zapbench_promise *p = &zapbench_promises[i];

		if (!strcmp(p->name, promise))
			return promise_lacks(p, &c, &o, true, &why) == NOTHING_THERE;
	}
	return false;
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
