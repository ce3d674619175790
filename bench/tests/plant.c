// SPDX-License-Identifier: GPL-2.0-only
/*
 * A known regression for the tests of the gate, linked in with
 * -Wl,--wrap=run_ops: whatever is timed takes PLANT_PERCENT percent longer.
 * The empty loop, which is taken off every figure, calls run_ops() from within
 * its own file, where --wrap does not reach: it stays as it is.
 */
#include <stdlib.h>
#include <x86intrin.h>

struct zapbench_method;
struct region;

int __real_run_ops(const struct zapbench_method *m, struct region *r);
int __wrap_run_ops(const struct zapbench_method *m, struct region *r);

static unsigned long percent;

__attribute__((constructor)) static void read_percent(void)
{
	const char *text = getenv("PLANT_PERCENT");

	percent = text ? strtoul(text, NULL, 10) : 0;
}

int __wrap_run_ops(const struct zapbench_method *m, struct region *r)
{
	unsigned long long start = __rdtsc(), end, until;
	int err = __real_run_ops(m, r);

	end = __rdtsc();
	until = end + (end - start) * percent / 100;
	while (__rdtsc() < until)
		;
	return err;
}
