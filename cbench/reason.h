/* SPDX-License-Identifier: GPL-2.0-only */
/* Why something cannot be, or is not as it has to be: words for a record. */
#ifndef ZAPBENCH_REASON_H
#define ZAPBENCH_REASON_H

struct reason {
	char text[200];
};

void because(struct reason *why, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

#endif
