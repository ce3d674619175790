// SPDX-License-Identifier: GPL-2.0-only
/*
 * The contract of a method on a backing: the end states and every promise, on
 * a small region of their own, written as one record.
 */
#include <stdio.h>

#include "contract.h"
#include "endstate.h"
#include "record.h"
#include "region.h"
#include "size.h"
#include "state.h"
#include "workload.h"

static int in_region(struct zap_case *c, const struct options *o, bool events,
		     int (*check)(struct region *r, struct reason *note),
		     struct reason *note)
{
	struct region r;
	int err;

	c->events = events;
	err = region_create(&r, c, o, note);
	if (!err)
		err = check(&r, note);
	else
		err = -ENODATA;
	region_destroy(&r);
	return err;
}

static void write_promise(struct json *j, const struct zapbench_promise *p, bool promised,
			  int held, const char *note)
{
	json_open(j, p->name, '{');
	json_raw(j, "promised", promised ? "true" : "false");
	json_raw(j, "held", held < 0 ? "null" : held ? "true" : "false");
	json_str(j, "note", note);
	json_close(j, '}');
}

/* Checks them all; the first broken one is the reason in result. */
static void check_promises(struct json *j, struct zap_case *c, const struct options *o,
			   struct contract *result)
{
	json_open(j, "promises", '{');
	for (unsigned int i = 0; i < zapbench_nr_promises; i++) {
		const struct zapbench_promise *p = &zapbench_promises[i];
		bool promised = c->method->promises >> i & 1;
		bool events = p->events && c->backing->uffd_minor && c->method->reg_mode;
		struct reason note = { "" };
		int held, tries = 0;

		do {
			held = in_region(c, o, events, p->check, &note);
		} while (promised && !held && ++tries < CONTRACT_TRIES);

		write_promise(j, p, promised, held, note.text);
		if (promised && held == 0 && !result->err) {
			result->err = -EPROTO;
			because(&result->why, "promise %s broken%s%s", p->name,
				*note.text ? ": " : "", note.text);
		}
	}
	c->events = false;
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

/*
 * Fills *result: err is 0, -EPROTO for a broken contract, or the errno for
 * which the method, registration or backing is not available (a skip).  A record
 * is written in the first two cases.  Returns -errno if writing it failed.
 */
int contract_check(const struct zap_case *timed, const struct options *o,
		   struct contract *result)
{
	struct zap_case c = {
		.workload = &workload_contract,
		.method = timed->method,
		.backing = timed->backing,
		.page = timed->page,
		.range = contract_range(timed),
		.scratch = true,
	};
	struct region r;
	int event = EVENT_NONE, expected;
	char page[16], range[16];

	*result = (struct contract){ c.method, c.backing, c.page, 0, { "" } };
	snprintf(c.name, sizeof(c.name), "contract/%s/%s/%s/%s", c.method->name,
		 c.backing->name, size_text(c.page, page, sizeof(page)),
		 size_text(c.range, range, sizeof(range)));
	result->err = region_checked(&r, &c, o, SIZE_MAX, &event, &result->why);
	expected = region_expected_event(&r);
	region_destroy(&r);
	if (result->err && result->err != -EPROTO)
		return 0;
	return write_contract(&c, o, expected, event, result);
}

const struct zapbench_workload workload_contract = {
	.name = "contract",
	.summary = "the promises of a method, checked and not timed",
	.uses_method = true,
};
