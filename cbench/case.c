// SPDX-License-Identifier: GPL-2.0-only
/* Names of cases: workload/method/backing/pagesize/rangesize[/key=value...]. */
#include <stdlib.h>
#include <string.h>

#include "case.h"
#include "minor_fault/minor_fault.h"
#include "reason.h"
#include "size.h"
#include "workload/workload.h"

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

const struct zapbench_axis zapbench_axes[] = {
	{ "scatter", "drop N single pages spread over the range, not the whole of it",
	  "N" },
	{ "state", "pages made anew before each sample; default: steady state", "fresh" },
	{ "events", "userfaultfd's REMOVE, UNMAP and REMAP events asked for and read",
	  "on" },
	{ "siblings", "a second thread reads the range all the time", "spin" },
	{ "position", "in the middle of a larger mapping; default: a mapping of its own",
	  "middle" },
	{ "by",
	  "continue only: what maps the pages; copy: UFFDIO_COPY into an empty file, the "
	  "cost of the contents included; default: UFFDIO_CONTINUE",
	  "populate populate-single populate-write copy" },
	{ "step", "continue only: one call a page, or a 2 MiB; default: one a range",
	  "page 2m" },
	{ "wp", "continue only: UFFDIO_CONTINUE_MODE_WP", "on" },
	{ "wake", "continue only: UFFDIO_CONTINUE_MODE_DONTWAKE", "off" },
	{ "threads",
	  "threads that fault, or that continue, each its part of the range; default: 1",
	  "N" },
	{ "handlers", "minor_fault only: threads that resolve faults; default: 1", "N" },
	{ "uffd",
	  "minor_fault only: a userfaultfd for each handler; default: one for all",
	  "each" },
	{ "delivery",
	  "minor_fault only: how a handler learns of a fault; sigbus: none does, the "
	  "faulting thread resolves; default: blocking read",
	  "poll epoll busy sigbus" },
	{ "batch", "minor_fault only: messages that one read may return; default: 1",
	  "N" },
	{ "access", "minor_fault only: what faults; default: a read", "write" },
	{ "order", "minor_fault only: of the pages; default: ascending",
	  "random stride" },
	{ "topology",
	  "minor_fault only: handlers in a process of their own, which maps the file "
	  "elsewhere; default: threads of one process",
	  "process" },
	{ "place",
	  "minor_fault only: CPUs of the threads; same: one for all; apart: the first "
	  "thread "
	  "that faults on the first, and so on, then the handlers, from the first again "
	  "where "
	  "CPUs are few; default: as the scheduler likes",
	  "same apart" },
	{ "stamps", "minor_fault only: time whole passes, not single faults", "off" },
	{ "check",
	  "empty only: spend a known time or number of instructions; minor_fault only: a "
	  "handler that does something wrong",
	  "loop sleep eexist strand contents surplus" },
};
const unsigned int zapbench_nr_axes = ARRAY_SIZE(zapbench_axes);

/* Where a case keeps an axis, and how large its number may be (0: a word). */
static const struct {
	size_t offset;
	unsigned int max;
} axis_fields[] = {
	{ offsetof(struct zap_case, scatter), 65536 },
	{ offsetof(struct zap_case, fresh), 0 },
	{ offsetof(struct zap_case, events), 0 },
	{ offsetof(struct zap_case, spin), 0 },
	{ offsetof(struct zap_case, middle), 0 },
	{ offsetof(struct zap_case, by), 0 },
	{ offsetof(struct zap_case, step), 0 },
	{ offsetof(struct zap_case, wp), 0 },
	{ offsetof(struct zap_case, no_wake), 0 },
	{ offsetof(struct zap_case, threads), MAX_THREADS },
	{ offsetof(struct zap_case, handlers), MAX_THREADS },
	{ offsetof(struct zap_case, uffd_each), 0 },
	{ offsetof(struct zap_case, delivery), 0 },
	{ offsetof(struct zap_case, batch), MAX_BATCH },
	{ offsetof(struct zap_case, write), 0 },
	{ offsetof(struct zap_case, order), 0 },
	{ offsetof(struct zap_case, processes), 0 },
	{ offsetof(struct zap_case, place), 0 },
	{ offsetof(struct zap_case, no_stamps), 0 },
	{ offsetof(struct zap_case, check), 0 },
};
_Static_assert(ARRAY_SIZE(axis_fields) == ARRAY_SIZE(zapbench_axes), "row for row");

const struct zapbench_workload zapbench_workloads[] = {
	{ .name = "empty",
	  .summary = "nothing, in the same loop: the harness's own share",
	  .timed = true,
	  .run = workload_empty },
	{ .name = "zap",
	  .summary = "mapped to trapping: the calls alone",
	  .uses_method = true,
	  .timed = true,
	  .run = workload_zap },
	{ .name = "cycle",
	  .summary = "mapped to trapping to resolved and read",
	  .uses_method = true,
	  .timed = true,
	  .run = workload_cycle },
	{ .name = "continue",
	  .summary = "UFFDIO_CONTINUE of the whole range, against populating it",
	  .timed = true,
	  .run = workload_continue },
	{ .name = "minor_fault",
	  .summary = "one access of a trapping page, in the thread that faults",
	  .uses_method = true,
	  .timed = true,
	  .handles_faults = true,
	  .run = workload_minor_fault },
	{ .name = "contract",
	  .summary = "the promises of a method, checked and not timed",
	  .uses_method = true },
};
const unsigned int zapbench_nr_workloads = ARRAY_SIZE(zapbench_workloads);

#define FIND(table, nr, name_)                                                           \
	({                                                                               \
		__typeof__(&(table)[0]) found = NULL;                                    \
		for (unsigned int i = 0; i < (nr) && !found; i++)                        \
			if (!strcmp((table)[i].name, (name_)))                           \
				found = &(table)[i];                                     \
		found;                                                                   \
	})

/* Which of the words of values is value, from 1?  0: none. */
unsigned int word_number(const char *values, const char *value)
{
	size_t len = strlen(value);

	for (unsigned int n = 1; len; n++) {
		size_t word = strcspn(values, " ");

		if (word == len && !strncmp(values, value, len))
			return n;
		if (!values[word])
			break;
		values += word + 1;
	}
	return 0;
}

/* -ERANGE: the axis takes a number, and not this one. */
static int parse_axis(struct zap_case *c, char *text, struct reason *why)
{
	char *value = strchr(text, '='), *end;
	const struct zapbench_axis *axis;
	unsigned int max, *field;
	unsigned long n;

	if (value)
		*value++ = '\0';
	axis = FIND(zapbench_axes, zapbench_nr_axes, text);
	if (!axis || !value) {
		because(why, "no such axis: %s", text);
		return -EINVAL;
	}
	field = (unsigned int *)((char *)c + axis_fields[axis - zapbench_axes].offset);
	max = axis_fields[axis - zapbench_axes].max;
	n = max ? strtoul(value, &end, 10) : word_number(axis->values, value);
	if (max && (*value < '0' || *value > '9' || *end || n < 1 || n > max)) {
		because(why, "%s takes a number from 1 to %u", text, max);
		return -ERANGE;
	}
	if (!n) {
		because(why, "%s takes one of: %s", text, axis->values);
		return -EINVAL;
	}
	*field = n;
	return 0;
}

static int parse_names(struct zap_case *c, char **part, struct reason *why)
{
	c->workload = FIND(zapbench_workloads, zapbench_nr_workloads, part[0]);
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

const struct zapbench_workload *workload_contract(void)
{
	return FIND(zapbench_workloads, zapbench_nr_workloads, "contract");
}
