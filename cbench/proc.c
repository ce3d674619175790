// SPDX-License-Identifier: GPL-2.0-only
/* Numbers out of /proc and /sys. */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proc.h"
#include "zapbench.h"

/* The first line of a file, without its end; "" if it cannot be read. */
const char *first_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* The number after key in a "key: value" file; 0 if there is none. */
unsigned long long number_after(const char *path, const char *key)
{
	char line[512];
	FILE *f = fopen(path, "re");
	unsigned long long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			n = strtoull(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return n;
}

/* free or total pages of a hugetlb size; -1 if the machine lacks the size */
long long hugetlb_pages(size_t bytes, const char *file)
{
	char path[160], value[32];

	snprintf(path, sizeof(path), HUGETLB_DIR "/hugepages-%zukB/%s", bytes / KIB,
		 file);
	if (!*first_line(path, value, sizeof(value)))
		return -1;
	return atoll(value);
}
