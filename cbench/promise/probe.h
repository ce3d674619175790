/* SPDX-License-Identifier: GPL-2.0-only */
/* What checks of promises have in common. */
#ifndef ZAPBENCH_PROBE_H
#define ZAPBENCH_PROBE_H

#include <errno.h>
#include <string.h>

#include "layout.h"
#include "reason.h"

enum { NOT_TRIED = -ENODATA, NOTHING_THERE = -EDOM /* which no call here returns */ };

/* Leave a check: it is not tried, or there is nothing to be lost, and why. */
#define CANNOT(...) (because(note, __VA_ARGS__), NOT_TRIED)
#define NOTHING(...) (because(note, __VA_ARGS__), NOTHING_THERE)

int probe_drop(struct region *r, struct reason *note);
int probe_drop_part(struct region *r, char *addr, size_t len);
int probe_event(struct region *r, char *addr, bool write);
int probe_meets(struct region *r, char *addr, bool write, int wanted,
		struct reason *note);
char *probe_page(const struct region *r);
char *probe_middle(const struct region *r);
char probe_mark(char *page);
int probe_register(struct region *r, uint64_t mode);
void probe_uncover(struct region *r);

#endif
