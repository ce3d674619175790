/* SPDX-License-Identifier: GPL-2.0-only */
/* What a run was asked for. */
#ifndef ZAPBENCH_OPTIONS_H
#define ZAPBENCH_OPTIONS_H

#include "zapbench.h"

struct options {
	int out;
	unsigned int samples;
	double max_seconds;
	uint64_t seed;
	const char *contents; /* what the pages hold: CONTENT_PAGES of them */
	bool tsc;
	bool contract_only;
	bool own_machine; /* nobody else's: memory may be broken, swap switched on */
	const char *kernel;
	const char *tier;
	int boot;
	const char *start; /* when the boot began, as the host has it; NULL: not told */
	const char *qemu; /* NULL: none that we were told of */
	unsigned int memory; /* MiB of the virtual machine */
	const char *dir;
	const char *tmpfs;
	int signal_fd; /* -1: signals are somebody else's */
	int argc;
	char **argv;
};

#endif
