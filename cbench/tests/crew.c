// SPDX-License-Identifier: GPL-2.0-only
/* Eight threads add to what the first one reads after each pass: nobody comes late. */
#include "../workload/crew.h"
#include "t.h"

enum { MEMBERS = 8, TURNS = 1000, PASSES = 100, CREWS = 5 };

static long part[MEMBERS];

static void work(void *arg, unsigned int member)
{
	for (int i = 0; i < TURNS; i++)
		part[member] += *(int *)arg;
}

int main(void)
{
	static const struct options o = { .signal_fd = -1 };
	long passes = 0;
	int one = 1;

	for (int crews = 0; crews < CREWS; crews++) {
		struct crew *crew = crew_start(MEMBERS, &o, work, &one);

		CHECK(crew);
		for (int pass = 0; pass < PASSES; pass++) {
			long sum = 0;

			crew_pass(crew, NULL);
			passes++;
			for (int i = 0; i < MEMBERS; i++)
				sum += part[i];
			CHECK_EQ(sum, MEMBERS * TURNS * passes);
		}
		crew_stop(crew);
	}
	crew_stop(NULL);
	return 0;
}
