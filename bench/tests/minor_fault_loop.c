// SPDX-License-Identifier: GPL-2.0-only
/* The least that it takes to fault and be resolved: prints minor faults per second. */
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum { PAGE = 4096, PAGES = 4096, PASSES = 10 };
static int uffd;

static void *handler(void *unused)
{
	struct uffd_msg msg;

	while (read(uffd, &msg, sizeof(msg)) == sizeof(msg)) {
		struct uffdio_continue c = {
			.range = { msg.arg.pagefault.address & ~(uint64_t)(PAGE - 1), PAGE },
		};

		ioctl(uffd, UFFDIO_CONTINUE, &c);
	}
	return unused;
}

int main(void)
{
	struct uffdio_api api = { .api = UFFD_API, .features = UFFD_FEATURE_MINOR_SHMEM };
	int fd = memfd_create("loop", 0);
	struct timespec from, to;
	double seconds = 0;
	pthread_t thread;
	char *p;

	if (ftruncate(fd, PAGES * PAGE))
		return 1;
	p = mmap(NULL, PAGES * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	for (size_t i = 0; i < PAGES; i++)
		p[i * PAGE] = 1;
	uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	struct uffdio_register r = { { (uintptr_t)p, PAGES * PAGE }, UFFDIO_REGISTER_MODE_MINOR, 0 };
	if (ioctl(uffd, UFFDIO_API, &api) || ioctl(uffd, UFFDIO_REGISTER, &r) ||
	    pthread_create(&thread, NULL, handler, NULL))
		return 1;
	for (int pass = 0; pass < PASSES; pass++) {
		madvise(p, PAGES * PAGE, MADV_DONTNEED);
		clock_gettime(CLOCK_MONOTONIC, &from);
		for (size_t i = 0; i < PAGES; i++)
			*(volatile char *)(p + i * PAGE);
		clock_gettime(CLOCK_MONOTONIC, &to);
		seconds += to.tv_sec - from.tv_sec + (to.tv_nsec - from.tv_nsec) / 1e9;
	}
	printf("%.0f\n", PASSES * PAGES / seconds);
	return 0;
}
