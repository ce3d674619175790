// SPDX-License-Identifier: GPL-2.0-only
/* Calls that take the mmap lock in a known way, counted; and what there is none of. */
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "../tracepoint.h"
#include "t.h"

#define LOCKING "mmap_lock/mmap_lock_start_locking"

static unsigned long long count(int fd, void (*work)(void))
{
	unsigned long long n = 0;

	CHECK_EQ(tracepoint_start(fd), 0);
	work();
	CHECK_EQ(tracepoint_stop(fd, &n), 0);
	return n;
}

static void nothing(void)
{
}

/* System calls themselves: a sanitizer's own functions may map more. */
static void map_and_unmap(void)
{
	long page = syscall(SYS_mmap, NULL, 4096L, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS,
			    -1, 0);

	syscall(SYS_munmap, page, 4096L);
}

int main(void)
{
	struct reason why = { "" };
	int writing, reading, err = tracefs_mount_privately();

	CHECK_EQ(tracepoint_open("no/such", NULL, &why), -ENOENT);
	CHECK_STR(why.text, "this kernel has no tracepoint no/such");
	writing = err ? err : tracepoint_open(LOCKING, "write==1", &why);
	if (writing < 0)
		t_end(T_SKIPPED, "nothing to count with: %s",
		      err ? strerror(-err) : why.text);
	reading = tracepoint_open(LOCKING, "write==0", &why);
	CHECK(reading >= 0);
	CHECK_EQ(count(writing, nothing), 0);
	CHECK_EQ(count(writing, map_and_unmap), 2);
	CHECK_EQ(count(writing, map_and_unmap), 2);
	CHECK_EQ(count(reading, map_and_unmap), 0);
	CHECK_EQ(tracepoint_open(LOCKING, "colour==1", &why), -EINVAL);
	CHECK_STR(why.text, "tracepoint " LOCKING
			    " takes no filter \"colour==1\": Invalid argument");
	close(writing);
	CHECK(tracepoint_start(writing) < 0);
	return 0;
}
