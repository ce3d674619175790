/* SPDX-License-Identifier: GPL-2.0-only */
/* Runs cases one after another. */
#ifndef ZAPBENCH_RUNNER_H
#define ZAPBENCH_RUNNER_H

#include "options.h"

int run_cases(const struct options *o, char **cases, unsigned int nr);

#endif
