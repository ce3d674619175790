/* SPDX-License-Identifier: GPL-2.0-only */
/* userfaultfd(2). */
#ifndef ZAPBENCH_UFFD_H
#define ZAPBENCH_UFFD_H

#include "uapi.h"
#include "zapbench.h"

struct uffd {
	int fd;
	uint64_t offered; /* features the kernel has */
	uint64_t features; /* features asked for */
	uint64_t ioctls;
	const char *route; /* how the descriptor was opened */
};

int uffd_open(struct uffd *u, uint64_t needed, uint64_t wanted);
void uffd_close(struct uffd *u);
int uffd_register(const struct uffd *u, void *addr, size_t len, uint64_t mode);
int uffd_unregister(const struct uffd *u, void *addr, size_t len);
int uffd_continue(const struct uffd *u, void *addr, size_t len, size_t granule);
int uffd_continue_mode(const struct uffd *u, void *addr, size_t len, size_t granule,
		       uint64_t mode);
int uffd_copy(const struct uffd *u, void *addr, const void *from, size_t len);
int uffd_protect(const struct uffd *u, void *addr, size_t len, bool on);
int uffd_rwprotect(const struct uffd *u, void *addr, size_t len, bool on);
int uffd_poison(const struct uffd *u, void *addr, size_t len);
int uffd_zeropage(const struct uffd *u, void *addr, size_t len);
const char *uffd_feature_name(uint64_t features);
void uffd_wake(const struct uffd *u, void *addr, size_t len);

#endif
