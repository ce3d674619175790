// SPDX-License-Identifier: GPL-2.0-only
/* The clock, samples and their storage, and the one loop that is timed. */
#include <linux/membarrier.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "timing.h"
#include "stop.h"

uint64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC_RAW, &t);
	return (uint64_t)t.tv_sec * 1000000000 + t.tv_nsec;
}

/*
 * Under "qemu -icount shift=0" the counter of the CPU advances by one for each
 * guest instruction; clock_gettime() would read it through a calibration.
 */
static uint64_t ticks(void)
{
#if defined(__x86_64__)
	unsigned int aux;

	_mm_lfence();
	return __rdtscp(&aux);
#elif defined(__aarch64__)
	uint64_t t;

	__asm__ volatile("isb; mrs %0, cntvct_el0" : "=r"(t));
	return t;
#else
	return now_ns();
#endif
}

uint64_t clock_now(const struct options *o)
{
	return o->tsc ? ticks() : now_ns();
}

/* ---- series: raw values, or a log-linear histogram if there are many ---- */

/*
 * Values below 2^(HIST_BITS + 1) have a bucket each; above, each power of two
 * is cut into 2^HIST_BITS equal ones: at most 1 / 128 relative error.
 */
unsigned int hist_index(uint64_t value)
{
	unsigned int exp;

	if (value < 2u << HIST_BITS)
		return value;
	exp = 63 - __builtin_clzll(value) - HIST_BITS;
	return (exp << HIST_BITS) + (value >> exp);
}

int series_init(struct series *s, const char *name)
{
	*s = (struct series){ .name = name, .min = UINT64_MAX };
	s->raw = calloc(RAW_SAMPLES, sizeof(*s->raw));
	return s->raw ? 0 : -ENOMEM;
}

/* Raw values become a histogram. */
int series_count(struct series *s)
{
	if (s->buckets)
		return 0;
	s->buckets = calloc(HIST_BUCKETS, sizeof(*s->buckets));
	if (!s->buckets)
		return -ENOMEM;
	for (uint64_t i = 0; i < s->n; i++)
		s->buckets[hist_index(s->raw[i])]++;
	return 0;
}

int series_add(struct series *s, uint64_t value)
{
	if (s->n == RAW_SAMPLES && series_count(s))
		return -ENOMEM;
	if (s->buckets)
		s->buckets[hist_index(value)]++;
	else
		s->raw[s->n] = value;
	s->n++;
	s->sum += value;
	s->min = MIN(s->min, value);
	s->max = MAX(s->max, value);
	return 0;
}

void series_free(struct series *s)
{
	free(s->raw);
	free(s->buckets);
}

/* ---- samples ---- */

/* warmup: how many rounds to leave out. */
int timing_init(struct timing *t, const struct options *o, unsigned int warmup)
{
	*t = (struct timing){ .o = o, .warmup = warmup };
	return series_init(&t->total, "total");
}

void timing_free(struct timing *t)
{
	series_free(&t->total);
	for (unsigned int i = 0; i < t->nr_stages; i++)
		series_free(&t->stage[i]);
}

/* Enough samples, or (after five) enough time; and nobody said stop. */
bool timing_more(struct timing *t)
{
	if (!t->deadline_ns)
		t->deadline_ns = now_ns() + (uint64_t)(t->o->max_seconds * 1e9);
	if (interrupted(t->o) || t->total.n >= t->o->samples)
		return false;
	return t->total.n < 5 || now_ns() < t->deadline_ns;
}

static long voluntary_switches(void)
{
	struct rusage u;

	getrusage(RUSAGE_THREAD, &u);
	return u.ru_nvcsw;
}

void timing_before(struct timing *t)
{
	if (!t->total.n)
		t->looked = 0;
	t->switches = t->o->tsc ? voluntary_switches() : 0;
}

/*
 * Takes a sample.  Where the clock counts instructions, an idle CPU counts as
 * well: a thread that slept has measured nothing (-EAGAIN).
 */
int timing_add(struct timing *t, uint64_t start, uint64_t end)
{
	if (t->o->tsc && voluntary_switches() != t->switches) {
		because(&t->why,
			"sample %llu slept: idle time counts as "
			"instructions here",
			(unsigned long long)t->total.n);
		return -EAGAIN;
	}
	return series_add(&t->total, end - start);
}

/* Takes a sample, after the rounds that bring the pages to their steady state. */
int timing_keep(struct timing *t, uint64_t start, uint64_t end)
{
	t->keeping = !t->warmup;
	if (t->warmup) {
		t->warmup--;
		return 0;
	}
	if (!t->total.n)
		t->case_start = start;
	return timing_add(t, start, end);
}

int timing_stages(struct timing *t, const char *const *names, unsigned int n)
{
	int err = 0;

	for (unsigned int i = 0; i < n && !err; i++) {
		err = series_init(&t->stage[i], names[i]);
		t->nr_stages = i + 1;
	}
	return err;
}

/* The stages of a sample that was not kept are not kept either. */
int timing_keep_stage(struct timing *t, unsigned int stage, uint64_t value)
{
	return t->keeping ? series_add(&t->stage[stage], value) : 0;
}

/* Looks at the state that a sample has left, while the clock stands. */
int timing_look(struct timing *t, struct region *r,
		int (*look)(struct region *r, struct reason *why))
{
	uint64_t start = clock_now(t->o);
	struct reason why = { "" };
	int err = look(r, &why);

	t->looked += clock_now(t->o) - start;
	if (err && t->warmup)
		because(&t->why, "%s in a warm-up round", why.text);
	else if (err)
		because(&t->why, "%s after sample %llu", why.text,
			(unsigned long long)t->total.n);
	return err;
}

/*
 * What the whole case cost, first sample to last, the ways back included.  Of
 * the work that the kernel puts off, what was done by then: with several CPUs
 * membarrier() waits for an RCU grace period, with one it returns at once
 * (kernel/sched/membarrier.c).
 */
void timing_finish(struct timing *t)
{
	if (!t->o->tsc || !t->case_start)
		return;
	syscall(SYS_membarrier, MEMBARRIER_CMD_GLOBAL, 0, 0);
	t->case_total = clock_now(t->o) - t->case_start - t->looked;
}

int drop_nothing(const struct zapbench_method *m, struct region *r, char *addr,
		 size_t len)
{
	return 0;
}

/* The loop that is timed, and nothing else in it. */
int run_ops(const struct zapbench_method *m, struct region *r)
{
	for (unsigned int i = 0; i < r->nr_ops; i++) {
		int err = m->drop(m, r, r->ops[i].addr, r->ops[i].len);

		if (err)
			return err;
	}
	return 0;
}

/* The least that a sample of as many no-ops costs: two clock reads, the loop. */
void timing_measure_empty(struct region *r, struct timing *t)
{
	static const struct zapbench_method nothing = { .drop = drop_nothing };

	t->empty = UINT64_MAX;
	for (unsigned int i = 0; i < 32; i++) {
		uint64_t start = clock_now(t->o), end;

		run_ops(&nothing, r);
		end = clock_now(t->o);
		t->empty = MIN(t->empty, end - start);
	}
}
