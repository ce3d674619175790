// SPDX-License-Identifier: GPL-2.0-only
/* Records, version 1: JSON lines, each written by one write(2). */
#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "zapbench.h"

static void separate(struct record *j, const char *key)
{
	fprintf(j->f, "%s", j->first ? "" : ",");
	j->first = false;
	if (key)
		fprintf(j->f, "\"%s\":", key);
}

/* Bytes that are no UTF-8 or no text come out as U+FFFD and \u escapes. */
static void quote(FILE *f, const char *text)
{
	fputc('"', f);
	for (const unsigned char *p = (const unsigned char *)text; *p; p++) {
		if (*p == '"' || *p == '\\')
			fprintf(f, "\\%c", *p);
		else if (*p < 0x20 || *p == 0x7f)
			fprintf(f, "\\u%04x", *p);
		else if (*p < 0x80)
			fputc(*p, f);
		else
			fputs("\\ufffd", f);
	}
	fputc('"', f);
}

void record_str(struct record *j, const char *key, const char *value)
{
	separate(j, key);
	quote(j->f, value);
}

void record_int(struct record *j, const char *key, long long value)
{
	separate(j, key);
	fprintf(j->f, "%lld", value);
}

void record_mask(struct record *j, const char *key, uint64_t value)
{
	separate(j, key);
	fprintf(j->f, "%llu", (unsigned long long)value);
}

void record_raw(struct record *j, const char *key, const char *json)
{
	separate(j, key);
	fputs(json, j->f);
}

void record_open(struct record *j, const char *key, char bracket)
{
	separate(j, key);
	fputc(bracket, j->f);
	j->first = true;
}

void record_close(struct record *j, char bracket)
{
	fputc(bracket, j->f);
	j->first = false;
}

int record_begin(struct record *j, const struct options *o, const char *kind)
{
	*j = (struct record){ .first = true };
	j->f = open_memstream(&j->line, &j->len);
	if (!j->f)
		return -ENOMEM;
	record_open(j, NULL, '{');
	record_int(j, "v", 1);
	record_str(j, "kind", kind);
	record_open(j, "run", '{');
	record_str(j, "kernel", o->kernel);
	record_str(j, "tier", o->tier);
	record_int(j, "boot", o->boot);
	record_close(j, '}');
	return 0;
}

static int write_all(int fd, const char *p, size_t len)
{
	while (len) {
		ssize_t n = write(fd, p, len);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			p += n;
			len -= n;
		}
	}
	return 0;
}

int record_end(struct record *j, int fd)
{
	int err;

	record_close(j, '}');
	fputc('\n', j->f);
	err = fclose(j->f) ? -ENOMEM : write_all(fd, j->line, j->len);
	free(j->line);
	return err;
}

/* The axes of a case, and its name taken apart. */
void record_axes(struct record *j, const struct zap_case *c)
{
	const char *axis = c->name;

	record_str(j, "workload", c->workload->name);
	record_str(j, "method", c->method ? c->method->name : "-");
	record_str(j, "backing", c->backing->name);
	record_int(j, "page_size", c->page);
	record_int(j, "range_size", c->range);
	for (int i = 0; i < 5 && axis; i++) {
		axis = strchr(axis, '/');
		axis = axis ? axis + 1 : NULL;
	}
	record_open(j, "axes", '{');
	while (axis) {
		char text[64];
		size_t len = strcspn(axis, "/");
		char *value;

		snprintf(text, sizeof(text), "%.*s", (int)len, axis);
		value = strchr(text, '=');
		*value++ = '\0';
		record_str(j, text, value);
		axis = axis[len] ? axis + len + 1 : NULL;
	}
	record_close(j, '}');
}

static void write_histogram(struct record *j, const char *key, const struct series *s)
{
	record_open(j, key, '{');
	record_int(j, "bits", HIST_BITS);
	record_int(j, "min", s->min);
	record_int(j, "max", s->max);
	record_int(j, "sum", s->sum);
	record_int(j, "count", s->n);
	record_open(j, "buckets", '[');
	for (unsigned int i = 0; i < HIST_BUCKETS; i++) {
		if (!s->buckets[i])
			continue;
		record_open(j, NULL, '[');
		record_int(j, NULL, i);
		record_int(j, NULL, s->buckets[i]);
		record_close(j, ']');
	}
	record_close(j, ']');
	record_close(j, '}');
}

static void write_series(struct record *j, const char *key, const struct series *s)
{
	record_open(j, key, '[');
	for (uint64_t i = 0; i < s->n; i++)
		record_int(j, NULL, s->raw[i]);
	record_close(j, ']');
}

/* Raw where each value has its stages and is raw itself. */
static void write_stages(struct record *j, struct timing *t)
{
	bool raw = !t->total.buckets && t->stage[0].n == t->total.n;

	if (!t->nr_stages || !t->stage[0].n)
		return;
	record_open(j, raw ? "stages" : "stage_histograms", '{');
	for (unsigned int i = 0; i < t->nr_stages; i++)
		if (raw)
			write_series(j, t->stage[i].name, &t->stage[i]);
		else if (!series_count(&t->stage[i]))
			write_histogram(j, t->stage[i].name, &t->stage[i]);
	record_close(j, '}');
}

static void write_faults(struct record *j, const struct fault_counts *f)
{
	if (!f->pages)
		return;
	record_open(j, "faults", '{');
	record_int(j, "pages", f->pages);
	record_int(j, "faults", f->faults);
	record_int(j, "repeated", f->repeated);
	record_int(j, "strandings", f->strandings);
	record_int(j, "eexist", f->eexist);
	record_int(j, "eagain", f->eagain);
	record_int(j, "wall", f->wall);
	record_raw(j, "oversubscribed", f->oversubscribed ? "true" : "false");
	record_close(j, '}');
}

int record_samples(const struct options *o, const struct zap_case *c, struct timing *t,
		   const struct served *served)
{
	struct record j;
	int err = record_begin(&j, o, "samples");

	if (err)
		return err;
	record_str(&j, "case", c->name);
	record_axes(&j, c);
	record_int(&j, "rep", 0);
	record_str(&j, "unit", o->tsc ? "instructions" : "ns");
	record_int(&j, "ops_per_sample", t->ops);
	record_int(&j, "pages_per_op", t->pages_per_op);
	record_int(&j, "minor_faults", served->minor + (long long)t->faults.minor);
	record_int(&j, "missing_faults", served->missing);
	record_int(&j, "empty", t->empty);
	if (t->total.buckets)
		write_histogram(&j, "histogram", &t->total);
	else
		write_series(&j, "values", &t->total);
	write_stages(&j, t);
	write_faults(&j, &t->faults);
	if (t->case_total) {
		record_open(&j, "case_total", '{');
		record_int(&j, "value", t->case_total);
		record_int(&j, "ops", t->total.n * t->ops);
		record_close(&j, '}');
	}
	return record_end(&j, o->out);
}

/* kind: "skip" or "error". */
int record_trouble(const struct options *o, const char *kind, const char *case_name,
		   const char *reason, int err)
{
	struct record j;
	int failed = record_begin(&j, o, kind);

	if (failed)
		return failed;
	record_str(&j, "case", case_name);
	record_str(&j, "reason", reason);
	record_int(&j, "errno", err < 0 ? -err : err);
	return record_end(&j, o->out);
}

int record_counts(const struct options *o, const struct counts *n)
{
	struct record j;
	int err = record_begin(&j, o, "end");

	if (err)
		return err;
	record_int(&j, "samples", n->samples);
	record_int(&j, "contracts", n->contracts);
	record_int(&j, "skips", n->skips);
	record_int(&j, "errors", n->errors);
	return record_end(&j, o->out);
}
