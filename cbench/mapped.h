/* SPDX-License-Identifier: GPL-2.0-only */
/* What the page tables and the page cache hold. */
#ifndef ZAPBENCH_MAPPED_H
#define ZAPBENCH_MAPPED_H

#include "layout.h"

/* Bits of an entry of /proc/PID/pagemap. */
#define PAGEMAP_SOFT_DIRTY (1ull << 55)
#define PAGEMAP_UFFD_WP (1ull << 57) /* Linux 5.13 */
#define PAGEMAP_SWAP (1ull << 62) /* markers too */
#define PAGEMAP_PRESENT (1ull << 63)

int mapped_slot_as_requested(const struct region *r, const char *slot,
			     struct reason *why);
int mapped_as_requested(const struct region *r, struct reason *why);
int pagemap_read(const struct region *r, const char *addr, uint64_t *entries, size_t n);
bool page_present(const char *addr);
int vma_count(void);
int vma_has_flag(const char *addr, const char *flag);
int vma_is_registered(const char *addr, uint64_t modes);
int cached_pages(const struct region *r, const char *addr, size_t len, size_t *cached);
long region_blocks(const struct region *r);

#endif
