// SPDX-License-Identifier: GPL-2.0-only
/* The side that faults: each thread accesses each page of its part once, timed. */
#include <sched.h>
#include <stdlib.h>
#include <string.h>

#include "fault.h"
#include "workload/crew.h"

/* order=stride: every 16th page, then their neighbours, and so on. */
enum { STRIDE = 16 };

/* How often the watch finds a thread unmoved before it acts, and before it gives up. */
enum { STRANDED_AFTER = 2, LOST_AFTER = 200 };

static void order_ascending(uint32_t *order, size_t first, size_t n)
{
	for (size_t i = 0; i < n; i++)
		order[i] = first + i;
}

static void order_stride(uint32_t *order, size_t first, size_t n)
{
	for (size_t start = 0; start < STRIDE; start++)
		for (size_t i = start; i < n; i += STRIDE)
			*order++ = first + i;
}

/* Fisher and Yates's shuffle. */
static void order_random(uint32_t *order, size_t first, size_t n, uint64_t seed)
{
	order_ascending(order, first, n);
	for (size_t i = n; i > 1; i--) {
		size_t j = mix64(seed + i) % i;
		uint32_t last = order[i - 1];

		order[i - 1] = order[j];
		order[j] = last;
	}
}

static uint64_t first_word(const char *page)
{
	uint64_t word;

	memcpy(&word, page, sizeof(word));
	return word;
}

static void faulter_init(struct faults *f, unsigned int member, uint64_t seed)
{
	struct faulter *t = &f->faulters[member];
	size_t n;

	t->first = f->pages * member / f->nr_threads;
	t->end = f->pages * (member + 1) / f->nr_threads;
	n = t->end - t->first;
	atomic_init(&t->at, SIZE_MAX);
	t->cpu = place_cpu(f, member);
	if (f->r->c->order == ORDER_RANDOM)
		order_random(f->order + t->first, t->first, n, mix64(seed + member));
	else if (f->r->c->order == ORDER_STRIDE)
		order_stride(f->order + t->first, t->first, n);
	else
		order_ascending(f->order + t->first, t->first, n);
	for (size_t i = t->first; i < t->end; i++)
		t->expected += first_word(region_content(f->r, f->base + i * f->page));
}

int faulters_init(struct faults *f, uint64_t seed)
{
	f->faulters = aligned_alloc(64, f->nr_threads * sizeof(*f->faulters));
	f->order = malloc(f->pages * sizeof(*f->order));
	f->ends = malloc(f->pages * sizeof(*f->ends));
	if (!f->faulters || !f->order || !f->ends)
		return -ENOMEM;
	memset(f->faulters, 0, f->nr_threads * sizeof(*f->faulters));
	memset(f->ends, 0, f->pages * sizeof(*f->ends));
	for (unsigned int i = 0; i < f->nr_threads; i++)
		faulter_init(f, i, seed);
	return 0;
}

void faulters_free(struct faults *f)
{
	free(f->faulters);
	free(f->order);
	free(f->ends);
}

/* ---- delivery=sigbus: the faulting thread resolves ---- */

static _Thread_local struct {
	struct faults *f;
	unsigned int member;
} faulting;

static void on_sigbus(int sig, siginfo_t *info, void *context)
{
	struct faults *f = faulting.f;
	size_t page = f ? ((char *)info->si_addr - f->base) / f->page : 0;
	struct handler_counts *n;
	const struct uffd *u;
	struct answer *a;
	int err, saved = errno;

	if (!f || page >= f->pages) {
		signal(sig, SIG_DFL); /* not ours: fault again, and die of it */
		return;
	}
	a = &f->shared->answers[page];
	n = &f->shared->handler[faulting.member];
	u = uffd_of(f, page);
	if (stamped(f, page))
		a->read = a->turn = clock_now(f->o);
	atomic_fetch_add_explicit(&a->events, 1, memory_order_relaxed);
	err = answer_fault(f, u, n, f->base + page * f->page, UFFD_PAGEFAULT_FLAG_MINOR);
	if (stamped(f, page))
		a->done = clock_now(f->o);
	atomic_fetch_add_explicit(&a->done_events, 1, memory_order_release);
	if (err) {
		atomic_store(&n->err, err);
		/* or the access would end here again, for ever */
		uffd_unregister(u, f->base, f->pages * f->page);
	}
	errno = saved;
}

/* The calling thread reads pages too, between the passes. */
void sigbus_catch(struct faults *f)
{
	struct sigaction sa = { .sa_sigaction = on_sigbus, .sa_flags = SA_SIGINFO };

	faulting.f = f;
	faulting.member = 0;
	sigaction(SIGBUS, &sa, &f->old_bus);
}

void sigbus_release(struct faults *f)
{
	sigaction(SIGBUS, &f->old_bus, NULL);
	faulting.f = NULL;
}

/* ---- a pass ---- */

static uint64_t touch(char *page, bool write)
{
	if (write)
		return __atomic_fetch_or((uint64_t *)page, 0, __ATOMIC_RELAXED);
	return *(volatile uint64_t *)page;
}

void faulters_work(void *faults, unsigned int member)
{
	struct faults *f = faults;
	struct faulter *t = &f->faulters[member];
	bool write = f->r->c->write;
	uint64_t sum = 0;

	faulting.f = f;
	faulting.member = member;
	place_note(t->cpu, &t->strayed);
	t->start = clock_now(f->o);
	for (size_t i = t->first; i < t->end; i++) {
		size_t page = f->order[i];

		atomic_store_explicit(&t->at, page, memory_order_relaxed);
		sum += touch(f->base + page * f->page, write);
		if (f->stamps)
			f->ends[i] = clock_now(f->o);
	}
	atomic_store_explicit(&t->at, SIZE_MAX, memory_order_relaxed);
	t->sum = sum;
	place_note(t->cpu, &t->strayed);
}

/* ---- the watch ---- */

/* Gives up: without a registration every access ends, resolved or not. */
void faults_let_go(struct faults *f, int err, const char *why)
{
	if (!f->err) {
		f->err = err;
		because(f->why, "%s: %s", why, strerror(-err));
	}
	for (unsigned int i = 0; i < f->nr_uffds; i++) {
		size_t len = part_pages(f, i) * f->page;

		uffd_unregister(&f->uffd[i], part_start(f, i), len);
		/* UNREGISTER wakes only those that wait for a missing page */
		uffd_wake(&f->uffd[i], part_start(f, i), len);
	}
}

/* Was its page resolved, and does the thread sleep all the same? */
static bool stranded(const struct faults *f, unsigned int member, size_t page)
{
	struct answer *a = &f->shared->answers[page];
	unsigned int events = atomic_load(&a->events);

	return events && events == atomic_load(&a->done_events) &&
	       crew_sleeps(f->crew, member);
}

static void look_after(struct faults *f, unsigned int member)
{
	struct faulter *t = &f->faulters[member];
	size_t page = atomic_load_explicit(&t->at, memory_order_relaxed);

	if (page != t->seen_at || page == SIZE_MAX)
		t->seen = 0;
	t->seen_at = page;
	if (page == SIZE_MAX || ++t->seen < STRANDED_AFTER)
		return;
	if (t->seen >= LOST_AFTER)
		faults_let_go(f, -ETIMEDOUT, "a fault was not resolved");
	else if (stranded(f, member, page)) {
		f->strandings++;
		uffd_wake(uffd_of(f, page), f->base + page * f->page, f->page);
	}
}

static void look_at_handlers(struct faults *f)
{
	int err = handlers_error(f);

	if (err)
		faults_let_go(f, err,
			      err == -ESRCH ? "the handlers' process died"
					    : "a fault cannot be resolved");
}

void faulters_watch(void *faults)
{
	struct faults *f = faults;

	look_at_handlers(f);
	for (unsigned int i = 0; i < f->nr_threads; i++)
		look_after(f, i);
}

/* ---- after a pass ---- */

/* Every page's first word was read; the watch may not have run. */
int faulters_check(struct faults *f)
{
	look_at_handlers(f);
	for (unsigned int i = 0; i < f->nr_threads && !f->err; i++) {
		if (f->faulters[i].sum == f->faulters[i].expected)
			continue;
		f->err = -EPROTO;
		because(f->why, "thread %u read other bytes", i);
	}
	return f->err;
}
