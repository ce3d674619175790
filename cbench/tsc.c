// SPDX-License-Identifier: GPL-2.0-only
/*
 * The frequency of the time stamp counter, which TCG shows its guests unscaled.  A
 * microvm has no second clock that a guest could calibrate it by under emulation:
 * told nothing, it takes the counter for broken and counts time in ticks of 10 ms.
 */
#include <time.h>
#ifdef __x86_64__
#include <x86intrin.h>
#endif

#include "timing.h"

#ifdef __x86_64__
enum { TRIES = 20, APART_NS = 50000000 };

struct reading {
	uint64_t ns2; /* twice the time */
	uint64_t count; /* the counter then */
};

/* From the try that was interrupted least. */
static struct reading read_counter(void)
{
	uint64_t shortest = UINT64_MAX;
	struct reading best = { 0 };

	for (unsigned int i = 0; i < TRIES; i++) {
		uint64_t before = now_ns(), count = __rdtsc(), after = now_ns();

		if (after - before >= shortest)
			continue;
		shortest = after - before;
		best = (struct reading){ before + after, count };
	}
	return best;
}

unsigned long zapbench_tsc_khz(void)
{
	const struct timespec apart = { .tv_nsec = APART_NS };
	struct reading first = read_counter(), second;

	nanosleep(&apart, NULL);
	second = read_counter();
	return (second.count - first.count) * 2e6 / (second.ns2 - first.ns2) + 0.5;
}
#else
unsigned long zapbench_tsc_khz(void)
{
	return 0;
}
#endif
