// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract of a method on a backing: the end states and every promise, on
 * a small region of their own, written as one record.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "contract.h"
#include "endstate.h"
#include "promise/need.h"
#include "promise/probe.h"
#include "record.h"
#include "region.h"
#include "size.h"
#include "state.h"
#include "tally.h"
#include "workload.h"

/* What a check found: all that comes back from another process. */
struct finding {
	int held;
	struct reason note;
	struct tally tally;
};

static void in_region(struct zap_case *c, const struct options *o,
		      const struct zapbench_promise *p, struct finding *found)
{
	struct region r;
	int err = region_create(&r, c, o, &found->note);

	r.tally = &found->tally;
	found->held = err ? NOT_TRIED : p->check(&r, &found->note);
	region_destroy(&r);
}

static void in_own_process(struct zap_case *c, const struct options *o,
			   const struct zapbench_promise *p, struct finding *found)
{
	struct finding there = { .held = NOT_TRIED };
	int ends[2];
	pid_t pid;

	because(&found->note, "no process for it: %s", strerror(errno));
	found->held = NOT_TRIED;
	if (pipe2(ends, O_CLOEXEC))
		return;
	pid = fork();
	if (!pid) {
		in_region(c, o, p, &there);
		_exit(write(ends[1], &there, sizeof(there)) != sizeof(there));
	}
	close(ends[1]);
	if (pid > 0 && read(ends[0], &there, sizeof(there)) == sizeof(there))
		*found = there;
	close(ends[0]);
	if (pid > 0)
		waitpid(pid, NULL, 0);
}

static struct finding check_promise(struct zap_case *c, const struct options *o,
				    const struct zapbench_promise *p, bool promised)
{
	struct finding found = { .held = NOT_TRIED };
	int lacks = promise_lacks(p, c, o, promised, &found.note);
	size_t range = c->range;

	if (lacks) {
		found.held = lacks;
		return found;
	}
	c->events = p->events && c->backing->uffd_minor && c->method->reg_mode;
	c->range = promise_range(p, c);
	(p->own_process ? in_own_process : in_region)(c, o, p, &found);
	c->range = range;
	c->events = false;
	return found;
}

static void write_tally(struct json *j, const struct tally *tally)
{
	json_open(j, "counts", '{');
	for (unsigned int i = 0; i < NR_LOADS; i++)
		if (tally->calls[i])
			json_int(j, load_calls[i], tally->calls[i]);
	for (unsigned int i = 0; i < NR_COUNTED; i++)
		if (tally->known[i])
			json_int(j, counters[i].name, tally->n[i]);
	json_close(j, '}');
}

static void write_promise(struct json *j, const struct zapbench_promise *p, bool promised,
			  const struct finding *found)
{
	int held = found->held;

	json_open(j, p->name, '{');
	json_raw(j, "promised", promised ? "true" : "false");
	json_raw(j, "held", held < 0 ? "null" : held ? "true" : "false");
	if (held == NOTHING_THERE)
		json_raw(j, "impossible", "true");
	json_str(j, "note", found->note.text);
	if (found->tally.calls[READS])
		write_tally(j, &found->tally);
	json_close(j, '}');
}

static void broken(struct contract *result, const struct zapbench_promise *p, int held,
		   const char *note)
{
	if (result->err)
		return;
	result->err = -EPROTO;
	if (held < 0)
		because(&result->why, "%s, when %s was checked", note, p->name);
	else
		because(&result->why, "promise %s broken%s%s", p->name, *note ? ": " : "",
			note);
}

/* Checks them all; the first broken one is the reason in result. */
static void check_promises(struct json *j, struct zap_case *c, const struct options *o,
			   struct contract *result)
{
	json_open(j, "promises", '{');
	for (unsigned int i = 0; i < zapbench_nr_promises; i++) {
		const struct zapbench_promise *p = &zapbench_promises[i];
		bool promised = c->method->promises >> i & 1, wrong;
		struct finding found;
		int tries = 0;

		do {
			found = check_promise(c, o, p, promised);
			wrong = (promised && !found.held) || found.held == -EPROTO;
		} while (wrong && ++tries < CONTRACT_TRIES);

		write_promise(j, p, promised, &found);
		if (wrong)
			broken(result, p, found.held, found.note.text);
	}
	json_close(j, '}');
}

static int write_contract(struct zap_case *c, const struct options *o, int expected,
			  int event, struct contract *result)
{
	struct json j;
	int err = record_begin(&j, o, "contract");

	if (err)
		return err;
	json_str(&j, "case", c->name);
	record_axes(&j, c);
	json_str(&j, "expected", zapbench_event_name(expected));
	json_str(&j, "event", zapbench_event_name(event));
	check_promises(&j, c, o, result);
	json_raw(&j, "equivalent",
		 !c->method->differs && !result->err ? "true" : "false");
	json_str(&j, "why", result->why.text);
	return json_end(&j, o->out);
}

/* The case of a contract's own region: a small one. */
static struct zap_case contract_case(const struct zap_case *timed)
{
	struct zap_case c = {
		.workload = &workload_contract,
		.method = timed->method,
		.backing = timed->backing,
		.page = timed->page,
		.range = contract_range(timed),
		.scratch = true,
	};
	char page[16], range[16];

	snprintf(c.name, sizeof(c.name), "contract/%s/%s/%s/%s", c.method->name,
		 c.backing->name, size_text(c.page, page, sizeof(page)),
		 size_text(c.range, range, sizeof(range)));
	return c;
}

/*
 * Fills *result: err is 0, -EPROTO for a broken contract, or the errno for
 * which the method, registration or backing is not available (a skip).  A record
 * is written in the first two cases.  Returns -errno if writing it failed.
 */
int contract_check(const struct zap_case *timed, const struct options *o,
		   struct contract *result)
{
	struct zap_case c = contract_case(timed);
	struct region r;
	int event = EVENT_NONE, expected;

	*result = (struct contract){ c.method, c.backing, c.page, 0, { "" } };
	result->err = region_checked(&r, &c, o, 64, &event, &result->why);
	expected = region_expected_event(&r);
	region_destroy(&r);
	if (result->err && result->err != -EPROTO)
		return 0;
	return write_contract(&c, o, expected, event, result);
}

/*
 * Does the kernel refuse what the tables say that it refuses?  0 if so, -EPROTO if
 * not, else the errno of what keeps us from asking; the words are in why.
 */
int refusal_check(const struct zap_case *timed, const struct options *o,
		  const struct zapbench_refusal *refusal, struct reason *why)
{
	struct zap_case c = contract_case(timed);
	struct region r;
	int err = region_create(&r, &c, o, why);
	bool asked = !err || err == -refusal->error; /* it may refuse to register it */

	if (!err)
		err = r.method->drop(r.method, &r, r.ops[0].addr, r.ops[0].len);
	region_destroy(&r);
	if (!asked)
		return err;
	if (err == -refusal->error) {
		because(why, "%s; as seen", refusal->reason);
		return 0;
	}
	because(why, "%s; but the call said: %s", refusal->reason,
		err ? strerror(-err) : "success");
	return -EPROTO;
}

const struct zapbench_workload workload_contract = {
	.name = "contract",
	.summary = "the promises of a method, checked and not timed",
	.uses_method = true,
};
