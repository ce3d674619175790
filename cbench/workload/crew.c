// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that do the same, each its part, at the same time.  They live as long
 * as the case; a pass starts them together and takes the time from the first
 * that begins to the last that ends.
 */
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "crew.h"
#include "proc.h"
#include "timing.h"

struct member {
	struct crew *crew;
	pthread_t thread;
	atomic_int tid;
	uint64_t begin, end;
};

struct crew {
	const struct options *o;
	crew_work *work;
	void *arg;
	unsigned int n;
	bool yield; /* more threads than CPUs: do not spin */
	pthread_mutex_t lock;
	pthread_cond_t started;
	unsigned long passes; /* started so far */
	bool quit;
	atomic_uint ready, left;
	sem_t ended;
	struct member member[];
};

/*
 * Threads are woken one after another; those that came wait for the last.  It
 * may have been put on the CPU of one that waits: let it have that in the end.
 */
static void meet(struct crew *crew)
{
	unsigned int turns = 0;

	atomic_fetch_add(&crew->ready, 1);
	while (atomic_load_explicit(&crew->ready, memory_order_acquire) < crew->n)
		if (crew->yield || ++turns > 1000)
			sched_yield();
}

/* Waits for the next pass; false: there is none. */
static bool wait_for_pass(struct crew *crew, unsigned long done)
{
	bool quit;

	pthread_mutex_lock(&crew->lock);
	while (crew->passes == done && !crew->quit)
		pthread_cond_wait(&crew->started, &crew->lock);
	quit = crew->quit;
	pthread_mutex_unlock(&crew->lock);
	return !quit;
}

static void *member_main(void *arg)
{
	struct member *m = arg;
	struct crew *crew = m->crew;

	atomic_store(&m->tid, gettid());
	for (unsigned long done = 0; wait_for_pass(crew, done); done++) {
		meet(crew);
		m->begin = clock_now(crew->o);
		crew->work(crew->arg, m - crew->member);
		m->end = clock_now(crew->o);
		if (atomic_fetch_sub(&crew->left, 1) == 1)
			sem_post(&crew->ended);
	}
	return NULL;
}

static void tell(struct crew *crew, bool quit)
{
	pthread_mutex_lock(&crew->lock);
	crew->quit = quit;
	crew->passes++;
	pthread_cond_broadcast(&crew->started);
	pthread_mutex_unlock(&crew->lock);
}

/* Between passes only.  NULL is allowed. */
void crew_stop(struct crew *crew)
{
	if (!crew)
		return;
	tell(crew, true);
	for (unsigned int i = 0; i < crew->n; i++)
		pthread_join(crew->member[i].thread, NULL);
	pthread_cond_destroy(&crew->started);
	pthread_mutex_destroy(&crew->lock);
	sem_destroy(&crew->ended);
	free(crew);
}

/* NULL: out of memory or threads. */
struct crew *crew_start(unsigned int n, const struct options *o, crew_work *work,
			void *arg)
{
	struct crew *crew = calloc(1, sizeof(*crew) + n * sizeof(crew->member[0]));

	if (!crew)
		return NULL;
	crew->o = o;
	crew->work = work;
	crew->arg = arg;
	crew->yield = (long)n > sysconf(_SC_NPROCESSORS_ONLN);
	pthread_mutex_init(&crew->lock, NULL);
	pthread_cond_init(&crew->started, NULL);
	sem_init(&crew->ended, 0, 0);
	for (; crew->n < n; crew->n++) {
		struct member *m = &crew->member[crew->n];

		m->crew = crew;
		if (pthread_create(&m->thread, NULL, member_main, m)) {
			crew_stop(crew);
			return NULL;
		}
	}
	return crew;
}

/*
 * Lets every thread work once; returns the time it took all of them.  Looks
 * after them with watch(), if any, each time WATCH_MS have passed.
 */
uint64_t crew_pass(struct crew *crew, crew_watch *watch)
{
	uint64_t begin = UINT64_MAX, end = 0;

	atomic_store(&crew->ready, 0);
	atomic_store(&crew->left, crew->n);
	tell(crew, false);
	for (;;) {
		struct timespec until;

		clock_gettime(CLOCK_MONOTONIC, &until);
		until.tv_nsec += WATCH_MS * 1000000L;
		until.tv_sec += until.tv_nsec / 1000000000;
		until.tv_nsec %= 1000000000;
		if (!sem_clockwait(&crew->ended, CLOCK_MONOTONIC, &until))
			break;
		if (errno == ETIMEDOUT && watch)
			watch(crew->arg);
	}
	/* orders what all of them did, the semaphore only what the last one did */
	if (atomic_load(&crew->left))
		abort();
	for (unsigned int i = 0; i < crew->n; i++) {
		begin = MIN(begin, crew->member[i].begin);
		end = MAX(end, crew->member[i].end);
	}
	return end - begin;
}

pthread_t crew_thread(const struct crew *crew, unsigned int member)
{
	return crew->member[member].thread;
}

/* Does the thread sleep?  proc(5): the state follows the name, in parentheses. */
bool crew_sleeps(const struct crew *crew, unsigned int member)
{
	char path[64], line[256];
	const char *state;

	snprintf(path, sizeof(path), "/proc/self/task/%d/stat",
		 atomic_load(&crew->member[member].tid));
	first_line(path, line, sizeof(line));
	state = strrchr(line, ')');
	return state && (state[2] == 'S' || state[2] == 'D');
}
