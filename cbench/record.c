// SPDX-License-Identifier: GPL-2.0-only
/* Records, version 1: JSON lines, each written by one write(2). */
#include <stdio.h>
#include <string.h>

#include "record.h"

int record_begin(struct json *j, const struct options *o, const char *kind)
{
	int err = json_begin(j);

	if (err)
		return err;
	json_int(j, "v", 1);
	json_str(j, "kind", kind);
	json_open(j, "run", '{');
	json_str(j, "kernel", o->kernel);
	json_str(j, "tier", o->tier);
	json_int(j, "boot", o->boot);
	json_close(j, '}');
	return 0;
}

/* The axes of a case, and its name taken apart. */
void record_axes(struct json *j, const struct zap_case *c)
{
	const char *axis = c->name;

	json_str(j, "workload", c->workload->name);
	json_str(j, "method", c->method ? c->method->name : "-");
	json_str(j, "backing", c->backing->name);
	json_int(j, "page_size", c->page);
	json_int(j, "range_size", c->range);
	for (int i = 0; i < 5 && axis; i++) {
		axis = strchr(axis, '/');
		axis = axis ? axis + 1 : NULL;
	}
	json_open(j, "axes", '{');
	while (axis) {
		char text[64];
		size_t len = strcspn(axis, "/");
		char *value;

		snprintf(text, sizeof(text), "%.*s", (int)len, axis);
		value = strchr(text, '=');
		*value++ = '\0';
		json_str(j, text, value);
		axis = axis[len] ? axis + len + 1 : NULL;
	}
	json_close(j, '}');
}

static void write_histogram(struct json *j, const char *key, const struct series *s)
{
	json_open(j, key, '{');
	json_int(j, "bits", HIST_BITS);
	json_int(j, "min", s->min);
	json_int(j, "max", s->max);
	json_int(j, "sum", s->sum);
	json_int(j, "count", s->n);
	json_open(j, "buckets", '[');
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		if (!s->buckets[i])
			continue;
		json_open(j, NULL, '[');
		json_int(j, NULL, i);
		json_int(j, NULL, s->buckets[i]);
		json_close(j, ']');
	}
	json_close(j, ']');
	json_close(j, '}');
}

static void write_series(struct json *j, const char *key, const struct series *s)
{
	json_open(j, key, '[');
	for (uint64_t i = 0; i < s->n; i++)
		json_int(j, NULL, s->raw[i]);
	json_close(j, ']');
}

/* Raw where each value has its stages and is raw itself. */
static void write_stages(struct json *j, struct timing *t)
{
	bool raw = !t->total.buckets && t->stage[0].n == t->total.n;

	if (!t->nr_stages || !t->stage[0].n)
		return;
	json_open(j, raw ? "stages" : "stage_histograms", '{');
	for (unsigned int i = 0; i < t->nr_stages; i++)
		if (raw)
			write_series(j, t->stage[i].name, &t->stage[i]);
		else if (!series_count(&t->stage[i]))
			write_histogram(j, t->stage[i].name, &t->stage[i]);
	json_close(j, '}');
}

static void write_faults(struct json *j, const struct fault_counts *f)
{
	if (!f->pages)
		return;
	json_open(j, "faults", '{');
	json_int(j, "pages", f->pages);
	json_int(j, "faults", f->faults);
	json_int(j, "repeated", f->repeated);
	json_int(j, "strandings", f->strandings);
	json_int(j, "eexist", f->eexist);
	json_int(j, "eagain", f->eagain);
	json_int(j, "wall", f->wall);
	json_raw(j, "oversubscribed", f->oversubscribed ? "true" : "false");
	json_close(j, '}');
}

int record_samples(const struct options *o, const struct zap_case *c, struct timing *t,
		   const struct served *served)
{
	struct json j;
	int err = record_begin(&j, o, "samples");

	if (err)
		return err;
	json_str(&j, "case", c->name);
	record_axes(&j, c);
	json_int(&j, "rep", 0);
	json_str(&j, "unit", o->tsc ? "instructions" : "ns");
	json_int(&j, "ops_per_sample", t->ops);
	json_int(&j, "pages_per_op", t->pages_per_op);
	json_int(&j, "minor_faults", served->minor + (long long)t->faults.minor);
	json_int(&j, "missing_faults", served->missing);
	json_int(&j, "empty", t->empty);
	if (t->total.buckets)
		write_histogram(&j, "histogram", &t->total);
	else
		write_series(&j, "values", &t->total);
	write_stages(&j, t);
	write_faults(&j, &t->faults);
	if (t->case_total) {
		json_open(&j, "case_total", '{');
		json_int(&j, "value", t->case_total);
		json_int(&j, "ops", t->total.n * t->ops);
		json_close(&j, '}');
	}
	return json_end(&j, o->out);
}

/* kind: "skip" or "error". */
int record_trouble(const struct options *o, const char *kind, const char *case_name,
		   const char *reason, int err)
{
	struct json j;
	int failed = record_begin(&j, o, kind);

	if (failed)
		return failed;
	json_str(&j, "case", case_name);
	json_str(&j, "reason", reason);
	json_int(&j, "errno", err < 0 ? -err : err);
	return json_end(&j, o->out);
}

int record_counts(const struct options *o, const struct counts *n)
{
	struct json j;
	int err = record_begin(&j, o, "end");

	if (err)
		return err;
	json_int(&j, "samples", n->samples);
	json_int(&j, "contracts", n->contracts);
	json_int(&j, "skips", n->skips);
	json_int(&j, "errors", n->errors);
	return json_end(&j, o->out);
}
