/* SPDX-License-Identifier: GPL-2.0-only */
/* Where the kernel's functions begin, and what is special of some: a file that is read.
 */
#ifndef ZAPBENCH_PLUGIN_FUNCTIONS_H
#define ZAPBENCH_PLUGIN_FUNCTIONS_H

#include <stdint.h>

enum function_kind {
	FUNCTION_ROOT = 1, /* call paths begin here */
	FUNCTION_EXCEPTION = 2, /* what it interrupts goes on after it */
	FUNCTION_FAULT = 4, /* what it interrupts was begun and not done */
	FUNCTION_BLOCKS = 8, /* is jumped into, not only to its first instruction */
};

struct function {
	uint64_t address;
	uint64_t kind;
};

/* In ascending order; the last one is where the text ends. */
struct functions {
	uint64_t n;
	struct function *all;
};

int functions_read(struct functions *f, const char *path);
uint64_t function_of(const struct functions *f, uint64_t address);

enum { NO_FUNCTION = -1 };

#endif
