/* SPDX-License-Identifier: GPL-2.0-only */
/* Memory under test, and where its pages are. */
#ifndef ZAPBENCH_LAYOUT_H
#define ZAPBENCH_LAYOUT_H

#include <sys/types.h>

#include "case.h"
#include "options.h"
#include "uffd.h"

struct op {
	char *addr;
	size_t len;
};

struct region {
	const struct zap_case *c;
	const struct zapbench_backing *backing;
	const struct zapbench_method *method;
	const struct options *options;
	size_t page; /* what state M maps */
	size_t granule; /* what one fault or CONTINUE maps */
	size_t len; /* bytes that one operation on a slot drops */
	size_t margin; /* mapped before and after them */
	size_t stride; /* from slot to slot, a hole of at least a page between */
	unsigned int slots;
	char *reserved; /* PROT_NONE all around the slots */
	size_t reserved_len;
	char *base; /* slot 0 */
	int fd; /* -1: anonymous */
	int pagemap; /* /proc/self/pagemap */
	char *alias; /* a second, shared mapping of the file; NULL: none */
	struct uffd uffd;
	uint64_t reg_mode; /* 0: the range is not registered */
	bool no_reregister; /* contract: does the registration survive by itself? */
	struct op *ops; /* one sample */
	unsigned int nr_ops;
	uint64_t seed;
	uint64_t looks; /* at pages at random, so far */
	struct tally *tally; /* contract: where a check counts */
};

/* Prime, so that pages a power of two apart never hold the same bytes. */
#define CONTENT_PAGES 509

unsigned int case_slots(const struct zap_case *c);
size_t contract_range(const struct zap_case *c);

char *region_slot(const struct region *r, unsigned int slot);
size_t region_mapping(const struct region *r);
off_t region_offset(const struct region *r, const char *addr);
bool region_maps_pmd(const struct region *r);
bool region_maps_mthp(const struct region *r);
const char *region_content(const struct region *r, const char *addr);
bool page_is(const struct region *r, const char *page, const char *addr);

int region_mmap(const struct region *r, char *addr, size_t len);
int region_drop_alias(const struct region *r);
int region_register(struct region *r, char *addr, size_t len);
int region_register_all(struct region *r, uint64_t mode);
int region_unregister_all(struct region *r);

#endif
