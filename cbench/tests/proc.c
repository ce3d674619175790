// SPDX-License-Identifier: GPL-2.0-only
/* Numbers out of files that are there, not there, and empty. */
#include <unistd.h>

#include "../proc.h"
#include "t.h"

int main(void)
{
	static const char text[] = "First: of all\nMemory:      4096 kB\nLast: 7";
	char path[] = "/tmp/zapbench-proc-XXXXXX", buf[64], small[6];
	int fd = mkstemp(path);

	CHECK(fd >= 0);
	CHECK_EQ(number_after(path, "Memory:"), 0);
	CHECK_STR(first_line(path, buf, sizeof(buf)), "");
	CHECK_EQ(write(fd, text, strlen(text)), strlen(text));
	CHECK_EQ(number_after(path, "Memory:"), 4096);
	CHECK_EQ(number_after(path, "Last:"), 7);
	CHECK_EQ(number_after(path, "emory:"), 0);
	CHECK_STR(first_line(path, buf, sizeof(buf)), "First: of all");
	CHECK_STR(first_line(path, small, sizeof(small)), "First");
	CHECK(!unlink(path));
	CHECK_EQ(number_after(path, "Memory:"), 0);
	CHECK_STR(first_line(path, buf, sizeof(buf)), "");
	CHECK_EQ(hugetlb_pages(3 * KIB, "free_hugepages"), -1);
	return 0;
}
