// SPDX-License-Identifier: GPL-2.0-only
/*
 * Which combinations cannot be had on any kernel, and why.  What a given
 * kernel lacks is not here: that is probed.
 */
#include <string.h>

#include "zapbench.h"

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

static const char *axis_excluded(const struct zap_case *c)
{
	bool uffd = c->backing->uffd_minor;

	if (c->by && strcmp(c->workload->name, "continue"))
		return "by= belongs to the workload continue";
	if (c->check && strcmp(c->workload->name, "empty"))
		return "check= belongs to the workload empty";
	if ((c->scatter || c->fresh || c->events || c->middle) && !c->method)
		return "the axis needs a method";
	if (c->events && (!uffd || !c->method->reg_mode))
		return "events= needs a range registered with userfaultfd";
	if (c->scatter && c->page == pmd_size() && !c->backing->hugetlb)
		return "single base pages of a THP cannot be dropped one by one";
	return NULL;
}

static bool matches(const char *pattern, const char *name)
{
	return !pattern || (name && !strcmp(pattern, name));
}

static const char *case_excluded(const struct zap_case *c)
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
	char why[160];

	if (case_parse(case_name, &c, why, sizeof(why)))
		return "not the name of a case";
	return case_excluded(&c);
}

long long zapbench_case_memory(const char *case_name)
{
	struct zap_case c;
	char why[160];
	size_t timed, scratch;

	if (case_parse(case_name, &c, why, sizeof(why)))
		return -EINVAL;
	timed = case_slots(&c) * (c.range + 2 * (c.middle ? c.page : 0));
	scratch = c.method ? contract_range(&c) : 0;
	/* a private mapping holds a second copy of each page at worst */
	return (long long)MAX(timed, scratch) * (c.backing->is_private ? 2 : 1);
}
