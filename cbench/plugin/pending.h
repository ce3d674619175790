/* SPDX-License-Identifier: GPL-2.0-only */
/* Calls of the function that reads the clock, until it does: whose reading it is. */
#ifndef ZAPBENCH_PLUGIN_PENDING_H
#define ZAPBENCH_PLUGIN_PENDING_H

#include <stdint.h>

/* So many threads may be on their way; more are taken for ended. */
enum { PENDING = 16 };

/* user: how many user instructions had run. */
struct call {
	uint64_t site, stack, user;
};

struct pending {
	struct call calls[PENDING];
	unsigned int n;
};

void pending_add(struct pending *p, uint64_t site, uint64_t stack, uint64_t user);
struct call pending_take(struct pending *p, uint64_t user);

#endif
