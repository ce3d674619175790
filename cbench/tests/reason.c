// SPDX-License-Identifier: GPL-2.0-only
/* A reason replaces the one before it, and a long one is cut off. */
#include "t.h"

int main(void)
{
	char longer[2 * sizeof(struct reason)];
	struct reason why = { "" };

	because(&why, "%s of %d", "one", 2);
	CHECK_STR(why.text, "one of 2");
	memset(longer, 'x', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = '\0';
	because(&why, "%s", longer);
	CHECK_EQ(strlen(why.text), sizeof(why.text) - 1);
	because(&why, "again");
	CHECK_STR(why.text, "again");
	return 0;
}
