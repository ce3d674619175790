/* SPDX-License-Identifier: GPL-2.0-only */
/* A run that is told to stop. */
#ifndef ZAPBENCH_STOP_H
#define ZAPBENCH_STOP_H

#include <signal.h>

#include "options.h"

void take_signals(struct options *o, sigset_t *old);
void give_signals_back(struct options *o, const sigset_t *old);
bool interrupted(const struct options *o);

#endif
