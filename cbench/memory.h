/* SPDX-License-Identifier: GPL-2.0-only */
/* How much memory a case needs. */
#ifndef ZAPBENCH_MEMORY_H
#define ZAPBENCH_MEMORY_H

#include "case.h"

int machine_lacks(const struct zap_case *c, struct reason *why);

#endif
