// SPDX-License-Identifier: GPL-2.0-only
#include "need.h"
#include "layout.h"
#include "probe.h"
#include "size.h"

static bool file(const struct zap_case *c)
{
	return c->backing->has_file;
}

static bool shared(const struct zap_case *c)
{
	return !c->backing->is_private;
}

static bool private(const struct zap_case *c)
{
	return c->backing->is_private;
}

static bool uffd(const struct zap_case *c)
{
	return c->backing->uffd_minor;
}

static bool resolve(const struct zap_case *c)
{
	return !c->method->no_resolve;
}

static bool advice(const struct zap_case *c)
{
	return c->method->advice;
}

static bool kept_data(const struct zap_case *c)
{
	return !c->method->loses_data;
}

static bool hugetlb(const struct zap_case *c)
{
	return c->backing->hugetlb;
}

static bool base_pages(const struct zap_case *c)
{
	return c->page == base_page();
}

static bool large_pages(const struct zap_case *c)
{
	return !base_pages(c);
}

static bool several_pages(const struct zap_case *c)
{
	return contract_range(c) >= 3 * c->page;
}

static const struct {
	bool (*met)(const struct zap_case *c);
	const char *otherwise;
	int unmet;
} needs[] = {
	[NEEDS_FILE] = { file, "no file", NOTHING_THERE },
	[NEEDS_SHARED] = { shared, "a private mapping writes nothing to its file",
			   NOTHING_THERE },
	[NEEDS_PRIVATE] = { private, "a shared mapping has no private pages",
			    NOTHING_THERE },
	[NEEDS_UFFD] = { uffd, "not registered with userfaultfd", NOTHING_THERE },
	[NEEDS_RESOLVE] = { resolve, "no way back to look at the pages", NOT_TRIED },
	[NEEDS_ADVICE] = { advice, "it is not one madvise()", NOTHING_THERE },
	[NEEDS_KEPT_DATA] = { kept_data, "it loses the data itself", NOTHING_THERE },
	[NEEDS_HUGETLB] = { hugetlb, "smaller entries can map part of a page",
			    NOTHING_THERE },
	[NEEDS_BASE_PAGES] = { base_pages, "on base pages only", NOT_TRIED },
	[NEEDS_LARGE_PAGES] = { large_pages, "a base page has no parts", NOTHING_THERE },
	[NEEDS_SEVERAL_PAGES] = { several_pages, "too few pages", NOT_TRIED },
	[NEEDS_WHOLE_TABLE] = { base_pages, "only base pages fill a page table",
				NOTHING_THERE },
};
_Static_assert(ARRAY_SIZE(needs) == NR_NEEDS, "a row for each need");

/* Why the promise, if it is one of the method's, is not checked there; 0: it is. */
int promise_lacks(const struct zapbench_promise *p, const struct zap_case *c,
		  const struct options *o, bool promised, struct reason *note)
{
	if (c->backing->hugetlb && p->not_hugetlb)
		return NOTHING("%s", p->not_hugetlb);
	for (unsigned int i = 0; i < ARRAY_SIZE(needs); i++) {
		if (!(p->needs & NEED(i)) || needs[i].met(c))
			continue;
		because(note, "%s", needs[i].otherwise);
		return needs[i].unmet;
	}
	if (!o->own_machine && p->not_shared_machine)
		return CANNOT("%s", p->not_shared_machine);
	if (!promised && p->not_unpromised)
		return CANNOT("%s", p->not_unpromised);
	return 0;
}

/* The bytes that it is checked on: large pages are dear to make. */
size_t promise_range(const struct zapbench_promise *p, const struct zap_case *c)
{
	if (p->needs & NEED(NEEDS_WHOLE_TABLE))
		return pmd_size();
	if (base_pages(c) || p->needs & NEED(NEEDS_SEVERAL_PAGES))
		return contract_range(c);
	return c->page;
}
