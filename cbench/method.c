// SPDX-License-Identifier: GPL-2.0-only
/*
 * The ways to drop translations.  To add one: a function here, unless one
 * madvise() does it, and a row in zapbench_methods[].  What a row promises is
 * checked before anything is timed.
 */
#include <fcntl.h>
#include <sys/mman.h>

#include "layout.h"
#include "promise.h"
#include "size.h"

/* ---- M to T ---- */

static int drop_advice(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len)
{
	return madvise(addr, len, m->advice) ? -errno : 0;
}

static int drop_remap(const struct zapbench_method *m, struct region *r, char *addr,
		      size_t len)
{
	int err;

	if (munmap(addr, len))
		return -errno;
	err = region_mmap(r, addr, len);
	return err ? err : region_register(r, addr, len);
}

static int drop_overmap(const struct zapbench_method *m, struct region *r, char *addr,
			size_t len)
{
	int err = region_mmap(r, addr, len);

	return err ? err : region_register(r, addr, len);
}

static int drop_punch_hole(const struct zapbench_method *m, struct region *r, char *addr,
			   size_t len)
{
	return fallocate(r->fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			 region_offset(r, addr), len)
		       ? -errno
		       : 0;
}

/* The page-table entries move to the copy and die with it; see mremap(2). */
static int drop_dontunmap(const struct zapbench_method *m, struct region *r, char *addr,
			  size_t len)
{
	void *copy = mremap(addr, len, len, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);

	if (copy == MAP_FAILED)
		return -errno;
	return munmap(copy, len) ? -errno : 0;
}

static int drop_guard_toggle(const struct zapbench_method *m, struct region *r,
			     char *addr, size_t len)
{
	if (madvise(addr, len, MADV_GUARD_INSTALL))
		return -errno;
	return madvise(addr, len, MADV_GUARD_REMOVE) ? -errno : 0;
}

static int drop_rwp(const struct zapbench_method *m, struct region *r, char *addr,
		    size_t len)
{
	return uffd_rwprotect(&r->uffd, addr, len, true);
}

static int drop_uffd_wp(const struct zapbench_method *m, struct region *r, char *addr,
			size_t len)
{
	return uffd_protect(&r->uffd, addr, len, true);
}

static int drop_mprotect(const struct zapbench_method *m, struct region *r, char *addr,
			 size_t len)
{
	return mprotect(addr, len, PROT_NONE) ? -errno : 0;
}

/* UFFDIO_POISON on a page that is mapped is EEXIST: drop it first. */
static int drop_poison(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len)
{
	if (madvise(addr, len, MADV_DONTNEED))
		return -errno;
	return uffd_poison(&r->uffd, addr, len);
}

/* ---- T to R: the cheapest bulk call ---- */

static int resolve_mapping(const struct zapbench_method *m, struct region *r, char *addr,
			   size_t len)
{
	if (!r->backing->has_file)
		return 0; /* the data is written through the mapping */
	if (r->reg_mode)
		return uffd_continue(&r->uffd, addr, len, r->granule);
	return madvise(addr, len, MADV_POPULATE_READ) ? -errno : 0;
}

/* On a PMD-mapped THP the protection is a cleared PMD: map it again. */
static int resolve_rwp(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len)
{
	int err = uffd_rwprotect(&r->uffd, addr, len, false);

	if (!err && region_maps_pmd(r))
		err = resolve_mapping(m, r, addr, len);
	return err;
}

static int resolve_uffd_wp(const struct zapbench_method *m, struct region *r, char *addr,
			   size_t len)
{
	return uffd_protect(&r->uffd, addr, len, false);
}

static int resolve_mprotect(const struct zapbench_method *m, struct region *r, char *addr,
			    size_t len)
{
	return mprotect(addr, len, PROT_READ | PROT_WRITE) ? -errno : 0;
}

static int resolve_guard(const struct zapbench_method *m, struct region *r, char *addr,
			 size_t len)
{
	if (madvise(addr, len, MADV_GUARD_REMOVE))
		return -errno;
	return resolve_mapping(m, r, addr, len);
}

/* ---- what no kernel takes ---- */

static bool without_file(const struct zap_case *c)
{
	return !c->backing->has_file;
}

static bool plain_file(const struct zap_case *c)
{
	return c->backing->has_file && !c->backing->uffd_minor;
}

static bool private_file(const struct zap_case *c)
{
	return c->backing->has_file && c->backing->is_private;
}

static bool hugetlb(const struct zap_case *c)
{
	return c->backing->hugetlb;
}

static bool private_hugetlb(const struct zap_case *c)
{
	return c->backing->hugetlb && c->backing->is_private;
}

/* See region_maps_pmd(). */
static bool thp(const struct zap_case *c)
{
	return c->page == pmd_size() && !c->backing->hugetlb;
}

#define MINOR UFFDIO_REGISTER_MODE_MINOR
#define MISSING UFFDIO_REGISTER_MODE_MISSING
#define WP UFFDIO_REGISTER_MODE_WP
#define RWP UFFDIO_REGISTER_MODE_RWP

/*
 * MADV_ZAP promises all; the others what their manual pages let one count on.
 * What a method keeps without having promised it shows in the contract too.
 *
 * Locks and holes are those of mm/madvise.c, mm/mmap.c, mm/mremap.c,
 * mm/mprotect.c, mm/userfaultfd.c, mm/shmem.c and fs/userfaultfd.c of Linux 6.12
 * and 7.3.
 */
const struct zapbench_method zapbench_methods[] = {
	{
		.name = "madv_zap",
		.summary = "madvise(MADV_ZAP)",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		/* a page of a file that was written is soft-dirty by its entry alone */
		.promises = PROMISE_ALL & ~PROMISE(KEEPS_SOFT_DIRTY),
		.drop = drop_advice,
		.advice = MADV_ZAP,
		.resolve = resolve_mapping,
		.calls = 1,
		.lock = "mmap_lock for reading; 7.3 series: the VMA's own",
		.hole = "none",
		.refusals = { { without_file, "EINVAL: nothing behind it to fault back",
				EINVAL },
			      { private_hugetlb,
				"EINVAL: private hugetlb pages could not be "
				"told from the file's",
				EINVAL } },
	},
	{
		.name = "dontneed",
		.summary = "madvise(MADV_DONTNEED)",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		.promises = PROMISE_FILE | PROMISE_REGISTRATION | PROMISE_PLACE |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_advice,
		.advice = MADV_DONTNEED,
		.resolve = resolve_mapping,
		.calls = 1,
		.lock = "mmap_lock for reading; 7.3: the VMA's own if unregistered",
		.hole = "none",
	},
	{
		.name = "remap",
		.summary = "munmap, mmap, UFFDIO_REGISTER",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		.promises = PROMISE_FILE | PROMISE_NEIGHBOURS,
		.drop = drop_remap,
		.resolve = resolve_mapping,
		.calls = 3,
		.needs_file = true,
		.needs_uffd = true,
		.lock = "mmap_lock for writing, three times",
		.hole = "no mapping after munmap, another may take its place; no trap "
			"before UFFDIO_REGISTER",
	},
	{
		.name = "overmap",
		.summary = "mmap(MAP_FIXED) over it, UFFDIO_REGISTER",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		.promises = PROMISE_FILE | PROMISE_NEIGHBOURS,
		.drop = drop_overmap,
		.resolve = resolve_mapping,
		.calls = 2,
		.needs_file = true,
		.needs_uffd = true,
		.lock = "mmap_lock for writing, twice",
		.hole = "no trap before UFFDIO_REGISTER",
	},
	{
		.name = "punch_hole",
		.summary = "fallocate(PUNCH_HOLE|KEEP_SIZE)",
		.differs = "loses the data",
		.event = EVENT_MISSING,
		.reg_mode = MISSING,
		.loses_data = true,
		.promises = PROMISE_REGISTRATION | PROMISE(KEEPS_VMAS) |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_punch_hole,
		.resolve = resolve_mapping,
		.calls = 1,
		.needs_file = true,
		.lock = "the file's inode lock",
		.hole = "the data is gone until it is written back",
		.refusals = { { without_file, "there is no file to punch" } },
	},
	{
		.name = "madv_remove",
		.summary = "madvise(MADV_REMOVE)",
		.differs = "loses the data",
		.event = EVENT_MISSING,
		.reg_mode = MISSING,
		.loses_data = true,
		.promises = PROMISE_REGISTRATION | PROMISE(KEEPS_VMAS) |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_advice,
		.advice = MADV_REMOVE,
		.resolve = resolve_mapping,
		.calls = 1,
		.lock = "mmap_lock for reading, dropped for the file's inode lock",
		.hole = "the data is gone until it is written back",
		.refusals = { { without_file, "EINVAL: there is no file to punch",
				EINVAL },
			      { private_file, "EACCES: needs a shared mapping",
				EACCES } },
	},
	{
		.name = "dontunmap",
		.summary = "mremap(MREMAP_DONTUNMAP), munmap of the moved copy",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		.promises = PROMISE_FILE | PROMISE_REGISTRATION | PROMISE_NEIGHBOURS,
		.drop = drop_dontunmap,
		.resolve = resolve_mapping,
		.calls = 2,
		.lock = "mmap_lock for writing, twice",
		.hole = "none",
		.refusals = { { hugetlb, "EINVAL: MREMAP_DONTUNMAP refuses hugetlb",
				EINVAL } },
	},
	{
		.name = "guard_toggle",
		.summary = "MADV_GUARD_INSTALL, MADV_GUARD_REMOVE",
		.event = EVENT_MINOR,
		.reg_mode = MINOR,
		.promises = PROMISE_FILE | PROMISE_REGISTRATION | PROMISE_PLACE |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_guard_toggle,
		.resolve = resolve_mapping,
		.calls = 2,
		.lock = "mmap_lock for reading, twice; 7.3 series: the VMA's own",
		.hole = "SIGSEGV between the two calls",
		.refusals = { { hugetlb, "EINVAL: no guard regions on hugetlb",
				EINVAL } },
	},
	{
		.name = "rwp",
		.summary = "UFFDIO_RWPROTECT: protect, do not drop",
		.event = EVENT_RWP,
		.shown = SHOWN_PROTECTED,
		.reg_mode = RWP | MINOR,
		.features = UFFD_FEATURE_RWP,
		.promises = PROMISE_FILE | PROMISE_COW | PROMISE_REGISTRATION |
			    PROMISE_PLACE | PROMISE_NO_WRITE_LOCK,
		.drop = drop_rwp,
		.resolve = resolve_rwp,
		.calls = 1,
		.needs_uffd = true,
		.lock = "mmap_lock for reading",
		.hole = "none",
		.refusals = { { plain_file, "EINVAL: userfaultfd takes no plain file",
				EINVAL } },
	},
	{
		.name = "rwp_only",
		.summary = "UFFDIO_RWPROTECT, not registered for minor faults",
		.event = EVENT_RWP,
		.shown = SHOWN_PROTECTED,
		.reg_mode = RWP,
		.features = UFFD_FEATURE_RWP,
		.promises =
			PROMISE_FILE | PROMISE_COW | PROMISE_REGISTRATION | PROMISE_PLACE,
		.drop = drop_rwp,
		.resolve = resolve_rwp,
		.calls = 1,
		.needs_uffd = true,
		.lock = "mmap_lock for reading",
		.hole = "none",
		.refusals = { { plain_file, "EINVAL: userfaultfd takes no plain file",
				EINVAL },
			      { thp, "a PMD is cleared (7.3): without MINOR nothing "
				     "traps" } },
	},
	{
		.name = "uffd_wp",
		.summary = "UFFDIO_WRITEPROTECT",
		.differs = "traps writes only",
		.event = EVENT_WP,
		.shown = SHOWN_PROTECTED,
		.reg_mode = WP,
		.write_only = true,
		.features = UFFD_FEATURE_WP_HUGETLBFS_SHMEM,
		.promises = PROMISE_FILE | PROMISE_COW | PROMISE_REGISTRATION |
			    PROMISE_PLACE | PROMISE_NO_WRITE_LOCK,
		.drop = drop_uffd_wp,
		.resolve = resolve_uffd_wp,
		.calls = 1,
		.needs_uffd = true,
		.lock = "mmap_lock for reading",
		.hole = "none; reads pass",
		.refusals = { { plain_file, "EINVAL: userfaultfd takes no plain file",
				EINVAL } },
	},
	{
		.name = "mprotect",
		.summary = "mprotect(PROT_NONE)",
		.differs = "a signal, not a userfaultfd event",
		.event = EVENT_SIGSEGV,
		.shown = SHOWN_NOT,
		.promises = PROMISE_FILE | PROMISE_COW | PROMISE_REGISTRATION |
			    PROMISE_NEIGHBOURS,
		.drop = drop_mprotect,
		.resolve = resolve_mprotect,
		.calls = 1,
		.lock = "mmap_lock for writing",
		.hole = "none; a signal, not an event",
	},
	{
		.name = "guard",
		.summary = "MADV_GUARD_INSTALL",
		.differs = "a signal, not a userfaultfd event",
		.event = EVENT_SIGSEGV,
		.shown = SHOWN_MARKER,
		.promises = PROMISE_FILE | PROMISE_REGISTRATION | PROMISE_PLACE |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_advice,
		.advice = MADV_GUARD_INSTALL,
		.resolve = resolve_guard,
		.calls = 1,
		.lock = "mmap_lock for reading; 7.3: the VMA's own",
		.hole = "none; a signal, not an event",
		.refusals = { { hugetlb, "EINVAL: no guard regions on hugetlb",
				EINVAL } },
	},
	{
		.name = "poison",
		.summary = "MADV_DONTNEED, UFFDIO_POISON",
		.differs = "a signal, and no way back",
		.event = EVENT_SIGBUS,
		.shown = SHOWN_MARKER,
		.reg_mode = MINOR,
		.no_resolve = "nothing takes a poison marker back and keeps the page",
		.features = UFFD_FEATURE_POISON,
		.promises = PROMISE_FILE | PROMISE_REGISTRATION | PROMISE_PLACE |
			    PROMISE_NO_WRITE_LOCK,
		.drop = drop_poison,
		.calls = 2,
		.needs_uffd = true,
		.lock = "mmap_lock for reading, then the VMA's own",
		.hole = "a minor fault between the two calls",
		.refusals = { { plain_file, "ENOENT: userfaultfd takes no plain file",
				ENOENT },
			      { without_file,
				"needs a registration, and keeps nothing of it" } },
	},
};
const unsigned int zapbench_nr_methods = ARRAY_SIZE(zapbench_methods);

static const char *const event_names[] = {
	[EVENT_NONE] = "none",	     [EVENT_REFAULT] = "refault", [EVENT_MINOR] = "minor",
	[EVENT_MISSING] = "missing", [EVENT_WP] = "wp",		  [EVENT_RWP] = "rwp",
	[EVENT_SIGSEGV] = "sigsegv", [EVENT_SIGBUS] = "sigbus",
};
_Static_assert(ARRAY_SIZE(event_names) == NR_EVENTS, "a name for each event");

const char *zapbench_event_name(int event)
{
	return event >= 0 && event < NR_EVENTS ? event_names[event] : "?";
}
