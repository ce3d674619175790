// SPDX-License-Identifier: GPL-2.0-only
/* Whose reading of the clock it is, when threads are interrupted on their way to it. */
#include "plugin/pending.h"
#include "t.h"

int main(void)
{
	struct pending p = { .n = 0 };

	pending_add(&p, 1, 0x1000, 100);
	CHECK_EQ(pending_take(&p, 104).site, 1);
	CHECK_EQ(p.n, 0);
	CHECK_EQ(pending_take(&p, 105).site, 0); /* by no call that was seen */

	/* one is interrupted, another comes and goes */
	pending_add(&p, 1, 0x1000, 200);
	pending_add(&p, 2, 0x2000, 1000);
	CHECK_EQ(pending_take(&p, 1004).stack, 0x2000);
	CHECK_EQ(pending_take(&p, 1500).stack, 0x1000);

	/* two are interrupted: which of them goes on? */
	pending_add(&p, 1, 0x1000, 2000);
	pending_add(&p, 2, 0x2000, 3000);
	CHECK_EQ(pending_take(&p, 4000).site, 0);

	/* those that never read it are forgotten */
	for (unsigned int i = 0; i < 3 * PENDING; i++)
		pending_add(&p, 3, 0x3000, 10000 + 100 * i);
	CHECK_EQ(p.n, PENDING);
	CHECK_EQ(pending_take(&p, 10000 + 100 * (3 * PENDING - 1) + 4).site, 3);
	return 0;
}
