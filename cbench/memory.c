// SPDX-License-Identifier: GPL-2.0-only
/* How much memory a case needs, and whether the machine has it. */

#include "memory.h"
#include "layout.h"
#include "proc.h"
#include "reason.h"
#include "size.h"

static long long case_memory(const struct zap_case *c)
{
	size_t timed = case_slots(c) * (c->range + 2 * (c->middle ? c->page : 0));
	size_t scratch = c->method ? contract_range(c) : 0;
	/* a private mapping holds a second copy of each page at worst */
	bool twice = c->backing->is_private || (c->by == BY_COPY && !c->backing->hugetlb);

	return (long long)MAX(timed, scratch) * (twice ? 2 : 1);
}

long long zapbench_case_memory(const char *case_name)
{
	struct zap_case c;
	struct reason why;

	return case_parse(case_name, &c, &why) ? -EINVAL : case_memory(&c);
}

/* What the machine has too little of; 0 if nothing. */
int machine_lacks(const struct zap_case *c, struct reason *why)
{
	long long need = case_memory(c);
	long long available = number_after("/proc/meminfo", "MemAvailable:") * KIB;
	char page[16];

	if (c->backing->hugetlb) {
		long long pages = (need + c->page - 1) / c->page;
		long long free = hugetlb_pages(c->page, "free_hugepages");

		size_text(c->page, page, sizeof(page));
		if (free < 0)
			because(why, "this machine has no hugetlb pages of %s", page);
		else if (free < pages)
			because(why,
				"hugetlb pool too small: %lld pages of %s needed, "
				"%lld free",
				pages, page, free);
		return free < pages ? -ENOMEM : 0;
	}
	if (need + (long long)(64 * MIB) > available) {
		because(why, "not enough memory: %lld MiB needed, %lld MiB available",
			need / (long long)MIB + 64, available / (long long)MIB);
		return -ENOMEM;
	}
	return 0;
}
