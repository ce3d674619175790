// SPDX-License-Identifier: GPL-2.0-only
#include "tally.h"

/* mmap_write_lock() and its like pass it before they wait, mmap_read_trylock() too. */
#define LOCKING "mmap_lock/mmap_lock_start_locking"
/* Whoever does not get a lock at once, by the name of its class: see CONFIG_LOCK_STAT. */
#define WAITING "lock/lock_contended"

const struct counter counters[NR_COUNTED] = {
	[MMAP_WRITE] = { "mmap_write", LOCKING, "write==1" },
	[MMAP_READ] = { "mmap_read", LOCKING, "write==0" },
	/* x86, TLB_REMOTE_SEND_IPI of include/linux/mm_types.h: one for all CPUs */
	[TLB_IPIS] = { "tlb_ipis", "tlb/tlb_flush", "reason==4" },
	[MMAP_WAITED] = { "mmap_waited", WAITING, "name ~ \"*mmap_lock*\"", CONTENDS },
	[VMA_WAITED] = { "vma_waited", WAITING, "name ~ \"*vm_lock*\"", CONTENDS },
	[TABLE_WAITED] = { "table_waited", WAITING,
			   "name ~ \"ptlock_ptr*\" || name ~ \"*page_table_lock*\"",
			   CONTENDS },
};

const char *const load_calls[NR_LOADS] = { [READS] = "calls", [CONTENDS] = "contended" };
