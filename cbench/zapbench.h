/* SPDX-License-Identifier: GPL-2.0-only */
/* What every file needs: cdef.h, the types in it, and a few macros. */
#ifndef ZAPBENCH_H
#define ZAPBENCH_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cdef.h"

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to) (((x) + (to) - 1) / (to) * (to))

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

static inline uint64_t mix64(uint64_t x)
{
	/* splitmix64's finaliser (Steele, Lea and Flood, 2014) */
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

#endif
