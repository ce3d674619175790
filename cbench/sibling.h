/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads next to the measured one. */
#ifndef ZAPBENCH_SIBLING_H
#define ZAPBENCH_SIBLING_H

#include "layout.h"

struct sibling;

struct served {
	uint32_t events; /* bit n: UFFD_EVENT_PAGEFAULT + n was seen */
	long minor, missing; /* faults */
};

struct sibling *sibling_spin(const char *addr, size_t len);
struct sibling *sibling_contend(char *page);
void sibling_wait_turn(struct sibling *s);
struct sibling *sibling_serve(const struct region *r);
struct served sibling_stop(struct sibling *s);

#endif
