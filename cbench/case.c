// SPDX-License-Identifier: GPL-2.0-only
/* Names of cases: workload/method/backing/pagesize/rangesize[/key=value...]. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "reason.h"
#include "size.h"
#include "workload.h"

const struct zapbench_page_size zapbench_page_sizes[] = {
	{ "4k", "base page of x86-64 and most others", 4 * KIB },
	{ "16k", "mTHP, or base page of some arm64", 16 * KIB },
	{ "32k", "mTHP", 32 * KIB },
	{ "64k", "mTHP, base page or hugetlb of arm64", 64 * KIB },
	{ "128k", "mTHP", 128 * KIB },
	{ "256k", "mTHP", 256 * KIB },
	{ "512k", "mTHP", 512 * KIB },
	{ "1m", "mTHP", MIB },
	{ "2m", "PMD: THP and hugetlb", 2 * MIB },
	{ "32m", "hugetlb of arm64 (contiguous PMDs), PMD with 16K pages", 32 * MIB },
	{ "512m", "PMD with 64K pages: THP and hugetlb", 512 * MIB },
	{ "1g", "PUD: hugetlb", GIB },
};
const unsigned int zapbench_nr_page_sizes = ARRAY_SIZE(zapbench_page_sizes);

#define WORKLOAD_ROW(name) &workload_##name,
const struct zapbench_workload *const zapbench_workloads[] = { WORKLOADS(WORKLOAD_ROW) };
const unsigned int zapbench_nr_workloads = ARRAY_SIZE(zapbench_workloads);

#define FIND(table, nr, name_)                                                           \
	({                                                                               \
		__typeof__(&(table)[0]) found = NULL;                                    \
		for (unsigned int i = 0; i < (nr) && !found; i++)                        \
			if (!strcmp((table)[i].name, (name_)))                           \
				found = &(table)[i];                                     \
		found;                                                                   \
	})

static const struct zapbench_workload *find_workload(const char *name)
{
	for (unsigned int i = 0; i < zapbench_nr_workloads; i++)
		if (!strcmp(zapbench_workloads[i]->name, name))
			return zapbench_workloads[i];
	return NULL;
}

/* 0: none of the axis's words. */
static unsigned int word_number(const struct zapbench_axis *axis, const char *word)
{
	for (unsigned int n = 1; n < ARRAY_SIZE(axis->words); n++)
		if (axis->words[n] && !strcmp(axis->words[n], word))
			return n;
	return 0;
}

static int not_one_of(const struct zapbench_axis *axis, struct reason *why)
{
	char words[sizeof(why->text)] = "";
	size_t len = 0;

	for (unsigned int n = 1; n < ARRAY_SIZE(axis->words) && len < sizeof(words); n++)
		if (axis->words[n])
			len += snprintf(words + len, sizeof(words) - len, " %s",
					axis->words[n]);
	because(why, "%s takes one of:%s", axis->name, words);
	return -EINVAL;
}

/* -ERANGE: the axis takes a number, and not this one. */
static int parse_axis(struct zap_case *c, char *text, struct reason *why)
{
	char *value = strchr(text, '='), *end;
	const struct zapbench_axis *axis;
	unsigned long n;

	if (value)
		*value++ = '\0';
	axis = FIND(zapbench_axes, zapbench_nr_axes, text);
	if (!axis || !value) {
		because(why, "no such axis: %s", text);
		return -EINVAL;
	}
	n = axis->max ? strtoul(value, &end, 10) : word_number(axis, value);
	if (axis->max &&
	    (*value < '0' || *value > '9' || *end || n < 1 || n > axis->max)) {
		because(why, "%s takes a number from 1 to %u", text, axis->max);
		return -ERANGE;
	}
	if (!n)
		return not_one_of(axis, why);
	*(unsigned int *)((char *)c + axis->offset) = n;
	return 0;
}

static int parse_names(struct zap_case *c, char **part, struct reason *why)
{
	c->workload = find_workload(part[0]);
	c->method = FIND(zapbench_methods, zapbench_nr_methods, part[1]);
	c->backing = FIND(zapbench_backings, zapbench_nr_backings, part[2]);
	c->page = size_parse(part[3]);
	c->range = size_parse(part[4]);
	if (!c->workload)
		because(why, "no such workload: %s", part[0]);
	else if (!c->method && strcmp(part[1], "-"))
		because(why, "no such method: %s", part[1]);
	else if (!c->backing)
		because(why, "no such backing: %s", part[2]);
	else if (!FIND(zapbench_page_sizes, zapbench_nr_page_sizes, part[3]))
		because(why, "no such page size: %s", part[3]);
	else if (!c->range || c->range > GIB * 64)
		because(why, "not a range size (4k to 64g): %s", part[4]);
	else if (c->range % c->page)
		because(why, "the range is not a multiple of the page size");
	else if (c->workload->uses_method && !c->method)
		because(why, "the workload needs a method");
	else if (!c->workload->uses_method && c->method)
		because(why, "the workload has no method: write -");
	else
		return 0;
	return -EINVAL;
}

/* Parses a name into *c; otherwise -EINVAL or -ERANGE with the reason in why. */
int case_parse(const char *name, struct zap_case *c, struct reason *why)
{
	char copy[sizeof(c->name)], *rest = copy, *part[5], *axis;
	int err;

	memset(c, 0, sizeof(*c));
	if (strlen(name) >= sizeof(copy)) {
		because(why, "name too long");
		return -EINVAL;
	}
	strcpy(c->name, name);
	strcpy(copy, name);
	for (unsigned int i = 0; i < ARRAY_SIZE(part); i++) {
		part[i] = strsep(&rest, "/");
		if (!part[i]) {
			because(why, "not workload/method/backing/pagesize/rangesize");
			return -EINVAL;
		}
	}
	err = parse_names(c, part, why);
	while (!err && (axis = strsep(&rest, "/")))
		err = parse_axis(c, axis, why);
	if (!err && c->scatter > c->range / c->page) {
		because(why, "more scattered pages than the range holds");
		err = -EINVAL;
	}
	return err;
}
