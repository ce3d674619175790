/* SPDX-License-Identifier: GPL-2.0-only */
/* Sizes of pages, and sizes as text. */
#ifndef ZAPBENCH_SIZE_H
#define ZAPBENCH_SIZE_H

#include <stddef.h>

size_t base_page(void);
size_t pmd_size(void);
size_t size_parse(const char *text);
const char *size_text(size_t bytes, char *buf, size_t size);

#endif
