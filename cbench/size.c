// SPDX-License-Identifier: GPL-2.0-only
/* Sizes of pages, and sizes as text. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "size.h"
#include "zapbench.h"

size_t base_page(void)
{
	return (size_t)sysconf(_SC_PAGESIZE);
}

/* A PMD maps one page of page-table entries of eight bytes each. */
size_t pmd_size(void)
{
	return base_page() / 8 * base_page();
}

/* "64k" to 65536; 0 if it is not a size. */
size_t size_parse(const char *text)
{
	static const char units[] = "kmg";
	const char *unit;
	char *end;
	unsigned long n;

	if (*text < '1' || *text > '9')
		return 0;
	n = strtoul(text, &end, 10);
	if (!*end || end[1] || !(unit = strchr(units, *end)) || n > 1023)
		return 0;
	return n << (10 * (unit - units + 1));
}

const char *size_text(size_t bytes, char *buf, size_t size)
{
	if (bytes >= GIB && bytes % GIB == 0)
		snprintf(buf, size, "%zug", bytes / GIB);
	else if (bytes >= MIB && bytes % MIB == 0)
		snprintf(buf, size, "%zum", bytes / MIB);
	else
		snprintf(buf, size, "%zuk", bytes / KIB);
	return buf;
}
