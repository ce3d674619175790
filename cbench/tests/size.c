// SPDX-License-Identifier: GPL-2.0-only
/* Sizes survive being written, and what is none is refused. */
#include "t.h"

static void survives(size_t bytes, const char *text)
{
	char buf[16];

	CHECK_STR(size_text(bytes, buf, sizeof(buf)), text);
	CHECK_EQ(size_parse(text), bytes);
}

int main(void)
{
	static const char *const none[] = { "",
					    "k",
					    "0k",
					    "4",
					    "4K",
					    "-4k",
					    "+4k",
					    " 4k",
					    "4kb",
					    "4.5m",
					    "1t",
					    "1024k",
					    "99999999999999999999k" };

	survives(4 * KIB, "4k");
	survives(1023 * KIB, "1023k");
	survives(2 * MIB, "2m");
	survives(1023 * MIB, "1023m");
	survives(64 * GIB, "64g");
	for (unsigned int i = 0; i < ARRAY_SIZE(none); i++)
		if (size_parse(none[i]))
			t_end(T_FAILED, "\"%s\" passes for a size", none[i]);
	CHECK_EQ(pmd_size() % base_page(), 0);
	CHECK(pmd_size() > base_page());
	return 0;
}
