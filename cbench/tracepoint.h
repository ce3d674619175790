/* SPDX-License-Identifier: GPL-2.0-only */
/* Tracepoints of the kernel, counted for this thread: tracefs and perf_event_open(2). */
#ifndef ZAPBENCH_TRACEPOINT_H
#define ZAPBENCH_TRACEPOINT_H

#include "reason.h"

int tracefs_mount_privately(void);
int tracepoint_open(const char *name, const char *filter, struct reason *why);
int tracepoint_start(int fd);
int tracepoint_stop(int fd, unsigned long long *n);

#endif
