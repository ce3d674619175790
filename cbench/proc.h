/* SPDX-License-Identifier: GPL-2.0-only */
/* Numbers out of /proc and /sys. */
#ifndef ZAPBENCH_PROC_H
#define ZAPBENCH_PROC_H

#include <stddef.h>

#define HUGETLB_DIR "/sys/kernel/mm/hugepages"

const char *first_line(const char *path, char *buf, size_t size);
unsigned long long number_after(const char *path, const char *key);
long long hugetlb_pages(size_t bytes, const char *file);

#endif
