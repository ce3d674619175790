/* SPDX-License-Identifier: GPL-2.0-only */
/* What the check of a promise needs of the case that it is made on. */
#ifndef ZAPBENCH_NEED_H
#define ZAPBENCH_NEED_H

#include "case.h"
#include "options.h"
#include "reason.h"

enum need {
	NEEDS_FILE,
	NEEDS_SHARED,
	NEEDS_PRIVATE,
	NEEDS_UFFD,
	NEEDS_RESOLVE,
	NEEDS_ADVICE,
	NEEDS_KEPT_DATA,
	NEEDS_HUGETLB,
	NEEDS_BASE_PAGES,
	NEEDS_LARGE_PAGES,
	NEEDS_SEVERAL_PAGES,
	NEEDS_WHOLE_TABLE,
	NR_NEEDS
};

#define NEED(x) (1ull << (x))

int promise_lacks(const struct zapbench_promise *p, const struct zap_case *c,
		  const struct options *o, bool promised, struct reason *note);
size_t promise_range(const struct zapbench_promise *p, const struct zap_case *c);

#endif
