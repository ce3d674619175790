// SPDX-License-Identifier: GPL-2.0-only
/* Runs cases one after another; what goes wrong with one becomes its record. */
#include <stdlib.h>
#include <string.h>

#include "runner.h"
#include "context.h"
#include "contract.h"
#include "endstate.h"
#include "exclude.h"
#include "memory.h"
#include "record.h"
#include "region.h"
#include "size.h"
#include "stop.h"

struct runner {
	const struct options *o;
	struct counts counts;
	struct contract *contracts; /* one per method, backing and page size */
	unsigned int nr_contracts;
};

static int skip(struct runner *run, const char *name, const char *why, int err)
{
	run->counts.skips++;
	return record_trouble(run->o, "skip", name, why, err);
}

static int fail(struct runner *run, const char *name, const char *why, int err)
{
	run->counts.errors++;
	return record_trouble(run->o, "error", name, why, err);
}

static struct contract *find_contract(struct runner *run, const struct zap_case *c)
{
	for (unsigned int i = 0; i < run->nr_contracts; i++) {
		struct contract *k = &run->contracts[i];

		if (k->method == c->method && k->backing == c->backing &&
		    k->page == c->page)
			return k;
	}
	return NULL;
}

/* The contract of the case's method, checked at its first use. */
static int get_contract(struct runner *run, const struct zap_case *c,
			struct contract **out)
{
	struct contract *k = find_contract(run, c);
	int err;

	if (!k) {
		k = realloc(run->contracts, (run->nr_contracts + 1) * sizeof(*k));
		if (!k)
			return -ENOMEM;
		run->contracts = k;
		k += run->nr_contracts++;
		err = contract_check(c, run->o, k);
		if (err)
			return err;
		run->counts.contracts += !k->err || k->err == -EPROTO;
	}
	*out = k;
	return 0;
}

/*
 * Somebody serves the range's userfaultfd, but not where instructions are
 * counted: those are to be one thread's, and nothing reclaims memory there.
 */
static int time_with_siblings(struct region *r, struct timing *t, struct served *served)
{
	bool serve = r->uffd.fd >= 0 && !r->c->workload->handles_faults &&
		     (r->c->events || !r->options->tsc);
	struct sibling *server = serve ? sibling_serve(r) : NULL;
	struct sibling *spinner = NULL;
	int err = serve && !server ? -ENOMEM : 0;

	/* the alias: the range itself would trap the sibling */
	if (!err && r->c->spin &&
	    !(spinner = sibling_spin(r->alias ? r->alias : r->options->contents,
				     MIN(r->len, CONTENT_PAGES * base_page()))))
		err = -ENOMEM;
	if (!err)
		err = r->c->workload->run(r, t);
	sibling_stop(spinner);
	*served = sibling_stop(server);
	return err;
}

/*
 * Whoever sends an event sleeps until it was read.  That is what the method costs where
 * time is taken; where instructions are counted, there is no telling.
 */
static bool counts_idle_time(const struct zap_case *c, int err)
{
	return c->events && err == -EAGAIN;
}

static int time_region(struct runner *run, struct region *r, const struct zap_case *c)
{
	struct served served = { 0 };
	struct timing t;
	int err = timing_init(&t, run->o, c->fresh || !c->workload->uses_method ? 0 : 2);

	if (!err)
		err = region_drop_alias(r);
	if (!err) {
		timing_measure_empty(r, &t);
		err = time_with_siblings(r, &t, &served);
		timing_finish(&t);
	}
	if (interrupted(run->o))
		err = fail(run, c->name, "interrupted", -ECANCELED);
	else if (counts_idle_time(c, err))
		err = skip(run, c->name,
			   "it sleeps until its event is read: idle time counts as "
			   "instructions here",
			   err);
	else if (err)
		err = (err == -EOPNOTSUPP ? skip : fail)(
			run, c->name, *t.why.text ? t.why.text : strerror(-err), err);
	else if (!(err = record_samples(run->o, c, &t, &served)))
		run->counts.samples++;
	timing_free(&t);
	return err;
}

static int time_case(struct runner *run, const struct zap_case *c)
{
	struct contract *k = NULL;
	struct reason why = { "" };
	struct region r;
	int event = -1, err;

	if (c->workload->uses_method) {
		err = get_contract(run, c, &k);
		if (err)
			return err;
		if (k->err == -EPROTO)
			return fail(run, c->name, k->why.text, k->err);
		if (k->err)
			return skip(run, c->name, k->why.text, k->err);
	}
	if (!c->workload->timed || run->o->contract_only)
		return 0;
	/* a few accesses: pagemap is asked about every page */
	err = region_checked(&r, c, run->o, 16, &event, &why);
	if (err)
		/* no event was looked for: the region could not even be made */
		err = (event < 0 ? skip : fail)(run, c->name, why.text, err);
	else
		err = time_region(run, &r, c);
	region_destroy(&r);
	return err;
}

/* A reason of the tables that the kernel contradicts is an error. */
static int ask_refusal(struct runner *run, const struct zap_case *c,
		       const struct zapbench_refusal *refusal)
{
	struct reason why = { "" };
	int err = refusal_check(c, run->o, refusal, &why);

	if (err == -EPROTO)
		return fail(run, c->name, why.text, err);
	return skip(run, c->name, why.text, err ? err : refusal->error);
}

/* Returns -errno only if a record could not be written. */
static int run_case(struct runner *run, const char *name)
{
	const struct zapbench_refusal *refusal;
	const char *excluded;
	struct zap_case c;
	struct reason why;
	int err;

	err = case_parse(name, &c, &why);
	if (err)
		return fail(run, name, why.text, err);
	excluded = case_excluded(&c);
	refusal = case_refusal(&c);
	if (excluded && !refusal)
		return skip(run, name, excluded, 0);
	err = machine_lacks(&c, &why);
	if (err)
		return skip(run, name, why.text, err);
	return refusal ? ask_refusal(run, &c, refusal) : time_case(run, &c);
}

/* Returns the exit status, or -errno if records could not be written. */
int run_cases(const struct options *o, char **cases, unsigned int nr)
{
	struct runner run = { .o = o };
	int err = record_context(o);

	for (unsigned int i = 0; i < nr && !err && !interrupted(o); i++)
		err = run_case(&run, cases[i]);
	if (!err)
		err = record_counts(o, &run.counts);
	free(run.contracts);
	if (err)
		return err;
	return interrupted(o) ? 130 : run.counts.errors ? 1 : 0;
}
