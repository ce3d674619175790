/* SPDX-License-Identifier: GPL-2.0-only */
/* Workload "minor_fault": what its two sides, faulters and handlers, share. */
#ifndef ZAPBENCH_FAULT_H
#define ZAPBENCH_FAULT_H

#include <sched.h>
#include <signal.h>
#include <stdatomic.h>

#include "timing.h"

/*
 * A clock read costs a hundredth of a fault.  The faulters' side reads it once a
 * fault: the end of an access is the start of the next.  The handlers' side
 * stamps the stages of every eighth page.
 */
enum { STAMPED = 8 };

/* What the handlers' side notes of a page. */
struct answer {
	uint64_t read; /* the message was read */
	uint64_t turn; /* it was this message's turn, others of the read came first */
	uint64_t done; /* the ioctl returned */
	atomic_uint events; /* messages read */
	atomic_uint done_events; /* messages whose ioctl returned */
};

/* One handler's counts: nobody else writes them. */
struct handler_counts {
	_Alignas(64) atomic_bool gone; /* has seen `stop` */
	atomic_int err; /* -errno that no fault can be resolved after */
	atomic_int strayed; /* 1 + the CPU it ran on, though pinned to another */
	uint64_t minor, eagain, eexist;
};

/*
 * Before anything is timed all of this is allocated, touched, and shared with
 * the process of the handlers, if they have one.
 */
struct shared {
	atomic_bool stop;
	struct handler_counts handler[MAX_THREADS];
	struct answer answers[]; /* one a page of the case's size */
};

struct faults;

struct handler {
	struct faults *f;
	struct handler_counts *counts;
	const struct uffd *uffd;
	int epoll;
	int cpu; /* that it is pinned to, -1: to none */
	pthread_t thread;
};

/* Where the index of the page that a thread is at is, for the watch. */
struct faulter {
	_Alignas(64) atomic_size_t at; /* SIZE_MAX: at none */
	size_t first, end; /* its part of `order` */
	uint64_t start; /* of its first access */
	uint64_t sum, expected; /* of the first word of each of its pages */
	size_t seen_at; /* by the watch, so many times in a row */
	unsigned int seen;
	int cpu; /* as a handler's */
	atomic_int strayed;
};

struct faults {
	struct region *r;
	const struct options *o;
	char *base;
	size_t page, pages;
	bool stamps;
	bool yield; /* more threads than CPUs: do not spin */
	cpu_set_t allowed; /* CPUs for the threads of place= */
	unsigned int nr_threads, nr_handlers, nr_uffds, batch;
	struct uffd uffd[MAX_THREADS];
	uint64_t features;

	struct shared *shared;
	size_t shared_len;
	struct handler handlers[MAX_THREADS];
	unsigned int running; /* of them, in this process */
	char *other; /* where the handlers map the file */
	pid_t child; /* the handlers' process, 0: threads of this one */
	int down, up; /* pipes to it and from it */
	int socket; /* to it, -1: this kernel has none */
	struct sigaction old_user, old_bus;

	struct faulter *faulters;
	uint32_t *order; /* of the pages */
	uint64_t *ends; /* of the accesses, in that order */
	struct crew *crew;

	uint64_t strandings;
	int err; /* why the faults were let go, unresolved */
	struct reason *why;
};

/* exclude.c */
const char *fault_excluded(const struct zap_case *c);

/* handler.c */
bool stamped(const struct faults *f, size_t page);
int handler_threads_start(struct faults *f);
void handler_threads_stop(struct faults *f);
void handlers_count(const struct faults *f, struct fault_counts *n);
int answer_fault(struct faults *f, const struct uffd *u, struct handler_counts *n,
		 char *page, uint64_t flags);
char *part_start(const struct faults *f, unsigned int part);
size_t part_pages(const struct faults *f, unsigned int part);
const struct uffd *uffd_of(const struct faults *f, size_t page);

/* handler_process.c */
int handlers_fork(struct faults *f);
int handlers_start(struct faults *f);
void handlers_stop(struct faults *f);
int handlers_error(const struct faults *f);

/* place.c */
int place_init(struct faults *f);
int place_cpu(const struct faults *f, unsigned int n);
int place_thread(struct faults *f, pthread_t thread, unsigned int n);
void place_note(int cpu, atomic_int *strayed);
int place_check(struct faults *f);

/* faulter.c */
int faulters_init(struct faults *f, uint64_t seed);
void faulters_free(struct faults *f);
void faulters_work(void *faults, unsigned int member);
void faulters_watch(void *faults);
int faulters_check(struct faults *f);
void sigbus_catch(struct faults *f);
void sigbus_release(struct faults *f);
void faults_let_go(struct faults *f, int err, const char *why);

#endif
