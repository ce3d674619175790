/* SPDX-License-Identifier: GPL-2.0-only */
/* What the machine is. */
#ifndef ZAPBENCH_CONTEXT_H
#define ZAPBENCH_CONTEXT_H

#include "options.h"

int record_context(const struct options *o);

#endif
