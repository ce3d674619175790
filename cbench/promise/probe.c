// SPDX-License-Identifier: GPL-2.0-only
#include <sys/mman.h>

#include "probe.h"
#include "access.h"
#include "patience.h"

/* Drops the whole range; an error is in note. */
int probe_drop(struct region *r, struct reason *note)
{
	int err = drop_patiently(r, &r->ops[0]);

	if (err == -ETIME)
		because(note, "the call did not return within %d ms", PATIENCE_MS);
	else if (err)
		because(note, "the call failed: %s", strerror(-err));
	return err;
}

int probe_drop_part(struct region *r, char *addr, size_t len)
{
	return r->method->drop(r->method, r, addr, len);
}

int probe_event(struct region *r, char *addr, bool write)
{
	return access_once(&r->uffd, r->granule, addr, write);
}

/* Does an access meet what it has to? */
int probe_meets(struct region *r, char *addr, bool write, int wanted, struct reason *note)
{
	int event = probe_event(r, addr, write);

	if (event < 0)
		return event;
	because(note, "an access then met %s", zapbench_event_name(event));
	return event == wanted;
}

/* The page that carries what is to be kept: not the first of the region. */
char *probe_page(const struct region *r)
{
	return r->ops[0].addr + (r->ops[0].len > r->granule ? r->granule : 0);
}

/* A page with others on both sides. */
char *probe_middle(const struct region *r)
{
	return r->ops[0].addr + r->ops[0].len / r->page / 2 * r->page;
}

/* Writes neither the file's byte nor the zero of a page that was lost. */
char probe_mark(char *page)
{
	return *page = *page ^ (*page == 2 ? 4 : 2);
}

int probe_register(struct region *r, uint64_t mode)
{
	int err = region_unregister_all(r);

	return err ? err : region_register_all(r, mode);
}

/* Lifts what hides the page itself, PROT_NONE or a guard; maps nothing. */
void probe_uncover(struct region *r)
{
	const struct op *op = &r->ops[0];

	if (r->method->event != EVENT_SIGSEGV)
		return;
	mprotect(op->addr, op->len, PROT_READ | PROT_WRITE);
	madvise(op->addr, op->len, MADV_GUARD_REMOVE);
}
