// SPDX-License-Identifier: GPL-2.0-only
/* What the range holds besides its pages. */
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "checks.h"
#include "mapped.h"
#include "probe.h"
#include "state.h"

int keeps_wp(struct region *r, struct reason *note)
{
	int err;

	if (!(r->uffd.features & UFFD_FEATURE_WP_HUGETLBFS_SHMEM))
		return NOTHING("this kernel has no uffd-wp on files");
	if (r->method->reg_mode & UFFDIO_REGISTER_MODE_RWP) {
		because(note, "RWP and WP registrations exclude each other");
		return 0;
	}
	err = probe_register(r, UFFDIO_REGISTER_MODE_WP);
	if (!err)
		err = uffd_protect(&r->uffd, probe_page(r), r->granule, true);
	if (err)
		return CANNOT("cannot write-protect: %s", strerror(-err));
	err = probe_drop(r, note);
	if (err)
		return err;
	probe_uncover(r);
	return probe_meets(r, probe_page(r), true, EVENT_WP, note);
}

int keeps_poison(struct region *r, struct reason *note)
{
	int err;

	if (!(r->uffd.features & UFFD_FEATURE_POISON))
		return NOTHING("this kernel has no UFFDIO_POISON");
	err = r->reg_mode ? 0 : probe_register(r, UFFDIO_REGISTER_MODE_MINOR);
	if (!err && madvise(probe_page(r), r->granule, MADV_DONTNEED))
		err = -errno;
	if (!err)
		err = uffd_poison(&r->uffd, probe_page(r), r->granule);
	if (err)
		return CANNOT("cannot poison: %s", strerror(-err));
	err = probe_drop(r, note);
	if (err)
		return err;
	probe_uncover(r);
	return probe_meets(r, probe_page(r), false, EVENT_SIGBUS, note);
}

int keeps_guard(struct region *r, struct reason *note)
{
	int err;

	if (r->method->event == EVENT_SIGSEGV)
		return CANNOT("its own signal hides the guard's");
	if (madvise(probe_page(r), r->granule, MADV_GUARD_INSTALL))
		return NOTHING("no guard regions on this backing or kernel");
	err = probe_drop(r, note);
	if (err)
		return err;
	return probe_meets(r, probe_page(r), false, EVENT_SIGSEGV, note);
}

static void on_broken(int sig)
{
}

/* The caller is told of the memory that it breaks by a SIGBUS. */
static int break_memory(char *page, size_t len)
{
	struct sigaction sa = { .sa_handler = on_broken }, old;
	int err;

	sigaction(SIGBUS, &sa, &old);
	err = madvise(page, len, MADV_HWPOISON) ? -errno : 0;
	sigaction(SIGBUS, &old, NULL);
	return err;
}

/* MADV_HWPOISON: what memory failure leaves where the broken page was mapped. */
int keeps_hwpoison(struct region *r, struct reason *note)
{
	char *page = probe_page(r);
	int err, event;

	err = break_memory(page, r->granule);
	if (err)
		return CANNOT("MADV_HWPOISON: %s", strerror(-err));
	event = probe_event(r, page, false);
	if (event != EVENT_SIGBUS)
		return CANNOT("an access met %s before the call",
			      event < 0 ? "nothing" : zapbench_event_name(event));
	err = probe_drop(r, note);
	if (err)
		return err;
	probe_uncover(r);
	return probe_meets(r, page, false, EVENT_SIGBUS, note);
}

static int clear_soft_dirty(void)
{
	int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
	int err = fd >= 0 && write(fd, "4", 1) == 1 ? 0 : -errno;

	if (fd >= 0)
		close(fd);
	return err;
}

static bool is_soft_dirty(const struct region *r, const char *page)
{
	uint64_t entry = 0;

	return !pagemap_read(r, page, &entry, 1) && entry & PAGEMAP_SOFT_DIRTY;
}

/*
 * Documentation/admin-guide/mm/soft-dirty.rst: does who looks for written pages while
 * they trap still find the one?  In a process of its own: all that a process writes
 * after it cleared the bits faults once.
 */
int keeps_soft_dirty(struct region *r, struct reason *note)
{
	char *page = probe_page(r);
	bool was_clear;
	int err;

	err = clear_soft_dirty();
	was_clear = !is_soft_dirty(r, page);
	probe_mark(page);
	if (err || !was_clear || !is_soft_dirty(r, page))
		return NOTHING("no soft-dirty bits on this backing or kernel");
	err = probe_drop(r, note);
	return err ? err : is_soft_dirty(r, page);
}
