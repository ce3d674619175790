// SPDX-License-Identifier: GPL-2.0-only
/*
 * What the page tables and the page cache hold, as /proc says: proc(5),
 * Documentation/admin-guide/mm/pagemap.rst.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "mapped.h"
#include "reason.h"
#include "size.h"

#define PAGEMAP_PFN ((1ull << 55) - 1)
#define KPF_THP 22
#define KPF_COMPOUND_HEAD 15
#define KPF_COMPOUND_TAIL 16

/* ---- /proc/self/smaps ---- */

static bool smaps_header(const char *line, uintptr_t *start)
{
	unsigned long from, to;

	if (sscanf(line, "%lx-%lx ", &from, &to) != 2)
		return false;
	*start = from;
	return true;
}

/* Finds key in the entry of the mapping that starts at addr. */
static int smaps_find(const char *addr, const char *key, char *value, size_t size)
{
	FILE *f = fopen("/proc/self/smaps", "re");
	bool inside = false, found = false;
	char line[512];
	uintptr_t start;

	if (!f)
		return -errno;
	while (!found && fgets(line, sizeof(line), f)) {
		if (smaps_header(line, &start)) {
			inside = start == (uintptr_t)addr;
		} else if (inside && !strncmp(line, key, strlen(key))) {
			snprintf(value, size, "%s", line + strlen(key));
			found = true;
		}
	}
	fclose(f);
	return found ? 0 : -ENOENT;
}

static size_t smaps_kib(const char *addr, const char *key)
{
	char value[128];

	if (smaps_find(addr, key, value, sizeof(value)))
		return 0;
	return strtoul(value, NULL, 10) * KIB;
}

/* 1 if the mapping that starts at addr shows the two-letter flag, 0 if not. */
int vma_has_flag(const char *addr, const char *flag)
{
	char value[512];
	int err = smaps_find(addr, "VmFlags:", value, sizeof(value));

	if (err)
		return err;
	for (char *rest = value, *word; (word = strsep(&rest, " \n"));)
		if (!strcmp(word, flag))
			return 1;
	return 0;
}

/* VmFlags of proc(5), one for each registration mode. */
static const struct {
	uint64_t mode;
	const char *flag;
} vm_flags[] = {
	{ UFFDIO_REGISTER_MODE_MISSING, "um" },
	{ UFFDIO_REGISTER_MODE_WP, "uw" },
	{ UFFDIO_REGISTER_MODE_MINOR, "ui" },
	{ UFFDIO_REGISTER_MODE_RWP, "ur" },
};

/* 1 if the mapping that starts at addr is registered in each of the modes, 0 if not. */
int vma_is_registered(const char *addr, uint64_t modes)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(vm_flags); i++) {
		int has = modes & vm_flags[i].mode ? vma_has_flag(addr, vm_flags[i].flag)
						   : 1;

		if (has <= 0)
			return has;
	}
	return 1;
}

int vma_count(void)
{
	FILE *f = fopen("/proc/self/maps", "re");
	char line[512];
	int n = 0;

	if (!f)
		return -errno;
	while (fgets(line, sizeof(line), f))
		n += !!strchr(line, '\n');
	fclose(f);
	return n;
}

/* ---- pagemap and kpageflags ---- */

static int read_entries(const char *path, uint64_t index, uint64_t *entries, size_t n)
{
	size_t bytes = n * sizeof(*entries);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t got;

	if (fd < 0)
		return -errno;
	got = pread(fd, entries, bytes, index * sizeof(*entries));
	close(fd);
	return got == (ssize_t)bytes ? 0 : -EIO;
}

static int pagemap_entry(const char *addr, uint64_t *entry)
{
	return read_entries("/proc/self/pagemap", (uintptr_t)addr / base_page(), entry,
			    1);
}

/* The entries of n base pages, by the descriptor that the region keeps open for it. */
int pagemap_read(const struct region *r, const char *addr, uint64_t *entries, size_t n)
{
	ssize_t bytes = n * sizeof(*entries), got;

	got = pread(r->pagemap, entries, bytes,
		    (uintptr_t)addr / base_page() * sizeof(*entries));
	return got == bytes ? 0 : got < 0 ? -errno : -EIO;
}

bool page_present(const char *addr)
{
	uint64_t entry = 0;

	return !pagemap_entry(addr, &entry) && entry & PAGEMAP_PRESENT;
}

/* Is the page at addr the head of a large folio of just this many base pages? */
static int folio_is(const char *addr, size_t pages, struct reason *why)
{
	uint64_t entry = 0, flags[512 + 1];
	int err = pagemap_entry(addr, &entry);
	size_t tails = 0;

	if (!err && !(entry & PAGEMAP_PFN)) {
		because(why, "verifying the folio size needs root (/proc/kpageflags)");
		return -EPERM;
	}
	if (!err)
		err = read_entries("/proc/kpageflags", entry & PAGEMAP_PFN, flags,
				   pages + 1);
	if (err) {
		because(why, "cannot read the folio size: %s", strerror(-err));
		return err;
	}
	while (tails + 1 <= pages && flags[tails + 1] & (1ull << KPF_COMPOUND_TAIL))
		tails++;
	if (!(flags[0] & (1ull << KPF_COMPOUND_HEAD)) || tails + 1 != pages) {
		because(why,
			"folios of %zu base pages were made, not of %zu: is "
			"hugepages-%zukB/shmem_enabled set to advise?",
			tails + 1, pages, pages * base_page() / KIB);
		return -ENOTSUP;
	}
	return 0;
}

/* ---- the mapped size ---- */

/* 0 if the slot is mapped by pages of the size asked for. */
int mapped_slot_as_requested(const struct region *r, const char *slot, struct reason *why)
{
	size_t len = region_mapping(r);
	uint64_t first = 0, last = 0;

	pagemap_entry(slot, &first);
	pagemap_entry(slot + len - base_page(), &last);
	if (!(first & last & PAGEMAP_PRESENT)) {
		because(why, "the range is not mapped after each page was read");
		return -EPROTO;
	}
	if (r->backing->hugetlb || r->page == base_page()) {
		size_t kernel = smaps_kib(slot, "KernelPageSize:");
		size_t huge = smaps_kib(slot, "ShmemPmdMapped:") +
			      smaps_kib(slot, "FilePmdMapped:") +
			      smaps_kib(slot, "AnonHugePages:");

		if (kernel == r->page && !huge)
			return 0;
		because(why, "mapped by pages of %zu KiB, %zu KiB of them by PMDs",
			kernel / KIB, huge / KIB);
		return -ENOTSUP;
	}
	if (region_maps_pmd(r)) {
		size_t huge = smaps_kib(slot, "ShmemPmdMapped:");

		if (huge == len)
			return 0;
		because(why,
			"only %zu of %zu KiB are mapped by PMDs: are "
			"transparent_hugepage/enabled and hugepages-%zukB/shmem_enabled "
			"at least madvise and advise?",
			huge / KIB, len / KIB, r->page / KIB);
		return -ENOTSUP;
	}
	for (size_t i = 0; i < len; i += r->page) {
		int err = folio_is(slot + i, r->page / base_page(), why);

		if (err)
			return err;
	}
	return 0;
}

/* 0 if every slot is; else -errno with the reason in why. */
int mapped_as_requested(const struct region *r, struct reason *why)
{
	int err = 0;

	for (unsigned int i = 0; i < r->slots && !err; i++)
		err = mapped_slot_as_requested(r, region_slot(r, i), why);
	return err;
}

/* ---- the page cache ---- */

/* How many of the range's base pages the file's page cache holds. */
int cached_pages(const struct region *r, const char *addr, size_t len, size_t *cached)
{
	size_t pages = len / base_page();
	unsigned char *vec = malloc(pages);
	int err = 0;

	*cached = 0;
	if (!vec)
		return -ENOMEM;
	/* mincore(2) of a shared mapping asks the page cache, not the page table */
	if (mincore(r->alias + region_offset(r, addr), len, vec))
		err = -errno;
	for (size_t i = 0; i < pages && !err; i++)
		*cached += vec[i] & 1;
	free(vec);
	return err;
}

/* 512-byte blocks that the file occupies, or -errno. */
long region_blocks(const struct region *r)
{
	struct stat st;

	return fstat(r->fd, &st) ? -errno : (long)st.st_blocks;
}
