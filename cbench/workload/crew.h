/* SPDX-License-Identifier: GPL-2.0-only */
/* Threads that do the same, each its part, at the same time. */
#ifndef ZAPBENCH_WORKLOAD_CREW_H
#define ZAPBENCH_WORKLOAD_CREW_H

#include <pthread.h>

#include "options.h"
#include "zapbench.h"

struct crew;
typedef void crew_work(void *arg, unsigned int member);
typedef void crew_watch(void *arg);

/* How long the threads of a pass are left alone before somebody looks after them. */
enum { WATCH_MS = 50 };

struct crew *crew_start(unsigned int n, const struct options *o, crew_work *work,
			void *arg);
uint64_t crew_pass(struct crew *crew, crew_watch *watch);
bool crew_sleeps(const struct crew *crew, unsigned int member);
pthread_t crew_thread(const struct crew *crew, unsigned int member);
void crew_stop(struct crew *crew);

#endif
