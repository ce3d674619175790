// SPDX-License-Identifier: GPL-2.0-only
/* Which faults are not timed, and why. */
#include "fault.h"

/* Why faults of another kind than minor and RWP are not timed. */
static const char *const other_event[NR_EVENTS] = {
	[EVENT_MISSING] = "the data is gone: a missing fault, which copies contents",
	[EVENT_WP] = "traps writes only",
	[EVENT_SIGSEGV] = "a signal, not a userfaultfd event",
	[EVENT_SIGBUS] = "a signal, and no way back",
};

const char *fault_excluded(const struct zap_case *c)
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
