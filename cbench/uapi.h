/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Kernel interfaces that the system's headers may be too old to know.  Each
 * with the kernel release and commit that introduced it; whether the running
 * kernel has it is found out by calling it.
 */
#ifndef ZAPBENCH_UAPI_H
#define ZAPBENCH_UAPI_H

#include <linux/ioctl.h>
#include <linux/mman.h>
#include <linux/types.h>
#include <linux/userfaultfd.h>
#include <sys/mman.h>

/* 5.14, commit 4ca9b3859dac ("mm/madvise: introduce MADV_POPULATE_...") */
#ifndef MADV_POPULATE_READ
#define MADV_POPULATE_READ 22
#endif

/* 6.1, commit 7d8faaf15545 ("mm/madvise: introduce MADV_COLLAPSE ...") */
#ifndef MADV_COLLAPSE
#define MADV_COLLAPSE 25
#endif

/* Proposed by kernel/series/ of this project; in no released kernel. */
#ifndef MADV_ZAP
#define MADV_ZAP 26
#endif

/*
 * 6.13, commit 662df3e5c376 ("mm: madvise: implement lightweight guard page
 * mechanism"); on file mappings since 6.15.
 */
#ifndef MADV_GUARD_INSTALL
#define MADV_GUARD_INSTALL 102
#define MADV_GUARD_REMOVE 103
#endif

/* 5.7, commit e346b3813067 ("mm/mremap: add MREMAP_DONTUNMAP ...") */
#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

/* 5.11, commit 37cd0575b851 ("userfaultfd: add UFFD_USER_MODE_ONLY") */
#ifndef UFFD_USER_MODE_ONLY
#define UFFD_USER_MODE_ONLY 1
#endif

/* 6.1, commit 2d5de004e009 ("userfaultfd: add /dev/userfaultfd ...") */
#ifndef USERFAULTFD_IOC_NEW
#define USERFAULTFD_IOC_NEW _IO(0xAA, 0x00)
#endif

/* 5.19, commit b1f9e876862d ("mm/uffd: enable write protection for shmem ...") */
#ifndef UFFD_FEATURE_WP_HUGETLBFS_SHMEM
#define UFFD_FEATURE_WP_HUGETLBFS_SHMEM (1 << 12)
#endif

/* 5.14, commit 4ca9b3859dac, with MADV_POPULATE_READ */
#ifndef MADV_POPULATE_WRITE
#define MADV_POPULATE_WRITE 23
#endif

/* 6.4, "mm: userfaultfd: add UFFDIO_CONTINUE_MODE_WP to install WP PTEs" */
#ifndef UFFDIO_CONTINUE_MODE_WP
#define UFFDIO_CONTINUE_MODE_WP ((__u64)1 << 1)
#endif

/* 6.6, commit fc71884a5f59 ("mm: userfaultfd: add new UFFDIO_POISON ioctl") */
#ifndef UFFD_FEATURE_POISON
#define UFFD_FEATURE_POISON (1 << 14)
#endif
#ifndef UFFDIO_POISON
struct uffdio_poison {
	struct uffdio_range range;
	__u64 mode;
	__s64 updated;
};
#define UFFDIO_POISON _IOWR(UFFDIO, 0x08, struct uffdio_poison)
#endif

/* 7.3: protect against every access (fs/userfaultfd.c moved to mm/ there) */
#ifndef UFFD_FEATURE_RWP
#define UFFD_FEATURE_RWP (1 << 17)
#define UFFD_PAGEFAULT_FLAG_RWP (1 << 3)
#define UFFDIO_REGISTER_MODE_RWP ((__u64)1 << 3)
struct uffdio_rwprotect {
	struct uffdio_range range;
#define UFFDIO_RWPROTECT_MODE_RWP ((__u64)1 << 0)
	__u64 mode;
};
#define UFFDIO_RWPROTECT _IOWR(UFFDIO, 0x09, struct uffdio_rwprotect)
#endif

#endif
