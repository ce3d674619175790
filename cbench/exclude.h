/* SPDX-License-Identifier: GPL-2.0-only */
/* Which cases no kernel can have. */
#ifndef ZAPBENCH_EXCLUDE_H
#define ZAPBENCH_EXCLUDE_H

#include "case.h"

const char *case_excluded(const struct zap_case *c);
const struct zapbench_refusal *case_refusal(const struct zap_case *c);

#endif
