/* SPDX-License-Identifier: GPL-2.0-only */
/* Which event does an access raise? */
#ifndef ZAPBENCH_ACCESS_H
#define ZAPBENCH_ACCESS_H

#include "uffd.h"

struct accessor;

struct accessor *accessor_start(const struct uffd *u, size_t granule);
void accessor_stop(struct accessor *a);
int access_begin(struct accessor *a, char *addr, bool write, int *event);
int access_end(struct accessor *a);
int access_once(const struct uffd *u, size_t granule, char *addr, bool write);
int access_by_this_thread(char *addr, bool write);
long thread_faults(void);

#endif
