// SPDX-License-Identifier: GPL-2.0-only
/*
 * The axes of a case: /key=value.  To add one: a field of struct zap_case, with
 * an enum next to it if it takes several words, and a row here.
 */
#include "case.h"
#include "workload.h"

#define AXIS(axis, field) .name = axis, .offset = offsetof(struct zap_case, field)

/* Who takes an axis, and what is said of it to the others. */
#define BELONGS(axis, to) .foreign = axis "= belongs to " to
#define METHODS_ALONE(axis)                                                              \
	.workloads = { &workload_zap, &workload_cycle, &workload_contract },             \
	BELONGS(axis, "zap and cycle")
#define CONTINUE_ALONE(axis)                                                             \
	.workloads = { &workload_continue }, BELONGS(axis, "the workload continue")
#define MINOR_FAULT_ALONE(axis)                                                          \
	.workloads = { &workload_minor_fault }, BELONGS(axis, "minor_fault")

const struct zapbench_axis zapbench_axes[] = {
	{
		AXIS("scatter", scatter),
		.summary = "drop N single pages spread over the range, not the whole of "
			   "it",
		.max = MAX_SCATTER,
		METHODS_ALONE("scatter"),
	},
	{
		AXIS("state", fresh),
		.summary = "pages made anew before each sample; default: steady state",
		.words = { [true] = "fresh" },
		METHODS_ALONE("state"),
	},
	{
		AXIS("events", events),
		.summary = "userfaultfd's REMOVE, UNMAP and REMAP events asked for and "
			   "read",
		.words = { [true] = "on" },
		METHODS_ALONE("events"),
	},
	{
		AXIS("siblings", spin),
		.summary = "a second thread reads the range all the time",
		.words = { [true] = "spin" },
		.workloads = { &workload_zap, &workload_cycle, &workload_continue,
			       &workload_empty, &workload_contract },
		.foreign =
			"minor_fault has threads enough: siblings= belongs to the others",
	},
	{
		AXIS("position", middle),
		.summary = "in the middle of a larger mapping; default: a mapping of its "
			   "own",
		.words = { [true] = "middle" },
		METHODS_ALONE("position"),
	},
	{
		AXIS("by", by),
		.summary = "continue only: what maps the pages; copy: UFFDIO_COPY into "
			   "an empty file, the cost of the contents included; default: "
			   "UFFDIO_CONTINUE",
		.words = { [BY_POPULATE] = "populate",
			   [BY_POPULATE_SINGLE] = "populate-single",
			   [BY_POPULATE_WRITE] = "populate-write",
			   [BY_COPY] = "copy" },
		CONTINUE_ALONE("by"),
	},
	{
		AXIS("step", step),
		.summary = "continue only: one call a page, or a 2 MiB; default: one a "
			   "range",
		.words = { [STEP_PAGE] = "page", [STEP_2M] = "2m" },
		CONTINUE_ALONE("step"),
	},
	{
		AXIS("wp", wp),
		.summary = "continue only: UFFDIO_CONTINUE_MODE_WP",
		.words = { [true] = "on" },
		CONTINUE_ALONE("wp"),
	},
	{
		AXIS("wake", no_wake),
		.summary = "continue only: UFFDIO_CONTINUE_MODE_DONTWAKE",
		.words = { [true] = "off" },
		CONTINUE_ALONE("wake"),
	},
	{
		AXIS("threads", threads),
		.summary = "threads that fault, or that continue, each its part of the "
			   "range; default: 1",
		.max = MAX_THREADS,
		.workloads = { &workload_minor_fault, &workload_continue },
		BELONGS("threads", "minor_fault and continue"),
	},
	{
		AXIS("handlers", handlers),
		.summary = "minor_fault only: threads that resolve faults; default: 1",
		.max = MAX_THREADS,
		MINOR_FAULT_ALONE("handlers"),
	},
	{
		AXIS("uffd", uffd_each),
		.summary = "minor_fault only: a userfaultfd for each handler; default: "
			   "one for all",
		.words = { [true] = "each" },
		MINOR_FAULT_ALONE("uffd"),
	},
	{
		AXIS("delivery", delivery),
		.summary = "minor_fault only: how a handler learns of a fault; sigbus: "
			   "none does, the faulting thread resolves; default: blocking "
			   "read",
		.words = { [DELIVERY_POLL] = "poll",
			   [DELIVERY_EPOLL] = "epoll",
			   [DELIVERY_BUSY] = "busy",
			   [DELIVERY_SIGBUS] = "sigbus" },
		MINOR_FAULT_ALONE("delivery"),
	},
	{
		AXIS("batch", batch),
		.summary = "minor_fault only: messages that one read may return; "
			   "default: 1",
		.max = MAX_BATCH,
		MINOR_FAULT_ALONE("batch"),
	},
	{
		AXIS("access", write),
		.summary = "minor_fault only: what faults; default: a read",
		.words = { [true] = "write" },
		MINOR_FAULT_ALONE("access"),
	},
	{
		AXIS("order", order),
		.summary = "minor_fault only: of the pages; default: ascending",
		.words = { [ORDER_RANDOM] = "random", [ORDER_STRIDE] = "stride" },
		MINOR_FAULT_ALONE("order"),
	},
	{
		AXIS("topology", processes),
		.summary = "minor_fault only: handlers in a process of their own, which "
			   "maps the file elsewhere; default: threads of one process",
		.words = { [true] = "process" },
		MINOR_FAULT_ALONE("topology"),
	},
	{
		AXIS("place", place),
		.summary = "minor_fault only: CPUs of the threads; same: one for all; "
			   "apart: the first thread that faults on the first, and so on, "
			   "then the handlers, from the first again where CPUs are few; "
			   "default: as the scheduler likes",
		.words = { [PLACE_SAME] = "same", [PLACE_APART] = "apart" },
		MINOR_FAULT_ALONE("place"),
	},
	{
		AXIS("stamps", no_stamps),
		.summary = "minor_fault only: time whole passes, not single faults",
		.words = { [true] = "off" },
		MINOR_FAULT_ALONE("stamps"),
	},
	{
		AXIS("check", check),
		.summary = "empty only: spend a known time or number of instructions; "
			   "minor_fault only: a handler that does something wrong",
		.words = { [CHECK_LOOP] = "loop",
			   [CHECK_SLEEP] = "sleep",
			   [CHECK_EEXIST] = "eexist",
			   [CHECK_STRAND] = "strand",
			   [CHECK_CONTENTS] = "contents",
			   [CHECK_SURPLUS] = "surplus" },
		.workloads = { &workload_empty, &workload_minor_fault },
		BELONGS("check", "the workloads empty and minor_fault"),
	},
};
const unsigned int zapbench_nr_axes = ARRAY_SIZE(zapbench_axes);
