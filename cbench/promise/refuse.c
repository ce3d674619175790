// SPDX-License-Identifier: GPL-2.0-only
/*
 * What has to be refused, as it could be done by halves or not at all: that the
 * call fails is what is promised.
 */
#include <stdio.h>
#include <sys/mman.h>

#include "checks.h"
#include "mapped.h"
#include "probe.h"
#include "size.h"

static int refused(int err, struct reason *note)
{
	because(note, "the call said: %s", err ? strerror(-err) : "success");
	return err != 0;
}

/* mlock() promised that no access faults. */
int refuses_locked(struct region *r, struct reason *note)
{
	const struct op *op = &r->ops[0];
	int err;

	if (mlock(op->addr, op->len))
		return CANNOT("mlock: %s", strerror(errno));
	err = probe_drop_part(r, op->addr, op->len);
	munlock(op->addr, op->len);
	return refused(err, note);
}

/* Part of a hugetlb page, which has no smaller entries: its start or its end. */
int refuses_part(struct region *r, struct reason *note)
{
	char *page = r->ops[0].addr;
	size_t half = r->page / 2;
	int err;

	err = probe_drop_part(r, page, half);
	if (err)
		err = probe_drop_part(r, page + half, half);
	return refused(err, note);
}

/* Anonymous memory in the middle: behind it is nothing that a fault could bring back. */
int refuses_mixed(struct region *r, struct reason *note)
{
	char *middle = probe_middle(r);

	if (mmap(middle, r->page, PROT_READ | PROT_WRITE,
		 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED)
		return CANNOT("mmap: %s", strerror(errno));
	*middle = 1;
	return refused(probe_drop_part(r, r->ops[0].addr, r->ops[0].len), note);
}

/* "[vvar]", if it is memory of a device: since 7.x it has pages that a fault brings back.
 */
static bool find_device(unsigned long *from, unsigned long *to)
{
	FILE *f = fopen("/proc/self/maps", "re");
	bool found = false;
	char line[512];

	while (f && !found && fgets(line, sizeof(line), f))
		found = strstr(line, "[vvar]") && sscanf(line, "%lx-%lx", from, to) == 2;
	if (f)
		fclose(f);
	return found && (vma_has_flag((char *)*from, "pf") == 1 ||
			 vma_has_flag((char *)*from, "io") == 1);
}

/* Memory of a device (VM_PFNMAP, VM_IO): nobody may fill it again. */
int refuses_device(struct region *r, struct reason *note)
{
	unsigned long from, to;

	if (!find_device(&from, &to))
		return CANNOT("no memory of a device is mapped");
	return refused(madvise((void *)from, to - from, r->method->advice) ? -errno : 0,
		       note);
}
