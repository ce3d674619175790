/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * One file, one test: it exits with 0, with 1 at the first check that does not
 * hold, or with 77 where the machine lacks what it needs, and says why.
 */
#ifndef ZAPBENCH_T_H
#define ZAPBENCH_T_H

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../options.h"
#include "../reason.h"
#include "../region.h"
#include "../size.h"

enum { T_FAILED = 1, T_SKIPPED = 77 };

#define CHECK(condition)                                                                 \
	do {                                                                             \
		if (!(condition))                                                        \
			t_end(T_FAILED, "%s:%d: %s", __FILE__, __LINE__, #condition);    \
	} while (0)

#define CHECK_EQ(got, wanted)                                                            \
	do {                                                                             \
		long long got_ = (got), wanted_ = (wanted);                              \
		if (got_ != wanted_)                                                     \
			t_end(T_FAILED, "%s:%d: %s is %lld, not %lld", __FILE__,         \
			      __LINE__, #got, got_, wanted_);                            \
	} while (0)

#define CHECK_STR(got, wanted)                                                           \
	do {                                                                             \
		const char *got_ = (got), *wanted_ = (wanted);                           \
		if (strcmp(got_, wanted_))                                               \
			t_end(T_FAILED, "%s:%d: %s is \"%s\", not \"%s\"", __FILE__,     \
			      __LINE__, #got, got_, wanted_);                            \
	} while (0)

__attribute__((noreturn, format(printf, 2, 3))) static inline void
t_end(int status, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	putchar('\n');
	exit(status);
}

/* What the program's main() sets up for a region; free the contents. */
static inline struct options t_options(unsigned int samples)
{
	char *contents = malloc(CONTENT_PAGES * base_page());

	CHECK(contents);
	for (size_t i = 0; i < CONTENT_PAGES * base_page() / sizeof(uint64_t); i++)
		((uint64_t *)(void *)contents)[i] = mix64(i);
	return (struct options){ .samples = samples,
				 .max_seconds = 1,
				 .contents = contents,
				 .signal_fd = -1 };
}

/* A region in state M; skips where the machine has none such. */
static inline void t_region(struct region *r, struct zap_case *c, const struct options *o,
			    const char *name)
{
	struct reason why = { "" };

	if (case_parse(name, c, &why))
		t_end(T_FAILED, "%s: %s", name, why.text);
	if (region_create(r, c, o, &why))
		t_end(T_SKIPPED, "%s: %s", name, why.text);
}

#endif
