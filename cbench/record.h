/* SPDX-License-Identifier: GPL-2.0-only */
/* Records: lines of JSON, see bench/zapbench/schema/. */
#ifndef ZAPBENCH_RECORD_H
#define ZAPBENCH_RECORD_H

#include "json.h"
#include "sibling.h"
#include "timing.h"

struct counts {
	unsigned int samples, contracts, skips, errors;
};

int record_begin(struct json *j, const struct options *o, const char *kind);
void record_axes(struct json *j, const struct zap_case *c);
int record_samples(const struct options *o, const struct zap_case *c, struct timing *t,
		   const struct served *served);
int record_counts(const struct options *o, const struct counts *n);
int record_trouble(const struct options *o, const char *kind, const char *case_name,
		   const char *reason, int err);

#endif
