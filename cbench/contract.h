/* SPDX-License-Identifier: GPL-2.0-only */
/* Promises, checked. */
#ifndef ZAPBENCH_CONTRACT_H
#define ZAPBENCH_CONTRACT_H

#include "case.h"
#include "options.h"
#include "reason.h"

struct contract {
	const struct zapbench_method *method;
	const struct zapbench_backing *backing;
	size_t page;
	int err; /* 0: held; -ENOTSUP: not on this kernel; else broken */
	struct reason why;
};

int contract_check(const struct zap_case *c, const struct options *o,
		   struct contract *result);
int refusal_check(const struct zap_case *c, const struct options *o,
		  const struct zapbench_refusal *refusal, struct reason *why);

#endif
