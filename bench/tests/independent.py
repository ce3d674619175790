#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-only
"""Measure five cases without zapbench: the system calls made here, through ctypes.

    independent.py CASE [ROUNDS]      prints the median of one operation in nanoseconds

In each round a whole range is dropped, resolved by UFFDIO_CONTINUE and read; one of the steps is
timed.  What a call through ctypes costs by itself is measured too and taken off.  Shares no
code with zapbench, on purpose: where both agree, neither's harness made the figure.
"""

import ctypes
import fcntl
import mmap
import os
import statistics
import struct
import sys
import time
from collections.abc import Callable

KIB, MIB = 1 << 10, 1 << 20
NR_USERFAULTFD = 323  # x86-64
UFFDIO_API, UFFDIO_REGISTER, UFFDIO_CONTINUE = 0xC018AA3F, 0xC020AA00, 0xC020AA07
REGISTER_MODE_MINOR = 1 << 2
MFD_HUGETLB, HUGE_2MB = 4, 21 << 26
MADV_DONTNEED = 4
MAP_FIXED = 0x10
WARMUP, ROUNDS = 5, 200

libc = ctypes.CDLL(None, use_errno=True)
address, size = ctypes.c_void_p, ctypes.c_size_t
libc.mmap.restype = address
libc.mmap.argtypes = (address, size, ctypes.c_int, ctypes.c_int, ctypes.c_int, ctypes.c_long)
libc.munmap.argtypes = (address, size)
libc.madvise.argtypes = (address, size, ctypes.c_int)
libc.memcmp.argtypes = (address, address, size)
libc.ioctl.argtypes = (ctypes.c_int, ctypes.c_ulong, address)


def check(result: int) -> int:
    if result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Range:
    """A range of a memfd, mapped shared, registered for minor faults and touched."""

    def __init__(self, length: int, page: int) -> None:
        self.length, self.page = length, page
        flags = MFD_HUGETLB | HUGE_2MB if page == 2 * MIB else 0
        self.fd = os.memfd_create("independent", flags)
        os.ftruncate(self.fd, length)
        # Room on both sides, so that the mapping has no neighbour to merge with.
        room = libc.mmap(None, length + 6 * MIB, 0, mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS, -1, 0)
        self.start = -(-room // (2 * MIB)) * 2 * MIB + 2 * MIB
        self.map()
        self.bytes = (ctypes.c_char * length).from_address(self.start)
        ctypes.memset(self.start, 0x5A, length)
        self.uffd = check(libc.syscall(NR_USERFAULTFD, os.O_CLOEXEC))
        fcntl.ioctl(self.uffd, UFFDIO_API, struct.pack("QQQ", 0xAA, 0, 0))
        self.registration = ctypes.create_string_buffer(
            struct.pack("QQQQ", self.start, length, REGISTER_MODE_MINOR, 0)
        )
        self.request = ctypes.create_string_buffer(32)
        self.register()

    def map(self) -> None:
        protection = mmap.PROT_READ | mmap.PROT_WRITE
        flags = mmap.MAP_SHARED | MAP_FIXED
        check(libc.mmap(self.start, self.length, protection, flags, self.fd, 0) or 0)

    def register(self) -> None:
        check(libc.ioctl(self.uffd, UFFDIO_REGISTER, ctypes.addressof(self.registration)))

    def dontneed(self) -> None:
        check(libc.madvise(self.start, self.length, MADV_DONTNEED))

    def remap(self) -> None:
        check(libc.munmap(self.start, self.length))
        self.map()
        self.register()

    def prepare(self) -> None:
        struct.pack_into("QQQq", self.request, 0, self.start, self.length, 0, 0)

    def resume(self) -> None:
        check(libc.ioctl(self.uffd, UFFDIO_CONTINUE, ctypes.addressof(self.request)))

    def read(self) -> None:
        assert memoryview(self.bytes)[:: self.page].tobytes().strip(b"Z") == b""

    def nothing(self) -> None:
        check(libc.memcmp(self.start, self.start, 0))


def timed(call: Callable[[], object]) -> int:
    start = time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW)
    call()
    return time.clock_gettime_ns(time.CLOCK_MONOTONIC_RAW) - start


# name of zapbench's case: length, page, what drops, is the drop timed?, calls in what is timed
CASES = {
    "zap/dontneed/shmem/4k/2m": (2 * MIB, 4 * KIB, Range.dontneed, True, 1),
    "zap/remap/shmem/4k/2m": (2 * MIB, 4 * KIB, Range.remap, True, 3),
    "continue/-/shmem/4k/2m": (2 * MIB, 4 * KIB, Range.dontneed, False, 1),
    "zap/dontneed/hugetlb/2m/256m": (256 * MIB, 2 * MIB, Range.dontneed, True, 1),
    "continue/-/hugetlb/2m/256m": (256 * MIB, 2 * MIB, Range.dontneed, False, 1),
}


def median(case: str, rounds: int = ROUNDS) -> float:
    """The median of one operation, in ns, in steady state."""
    length, page, drop, drop_is_timed, calls = CASES[case]
    memory = Range(length, page)
    values, empties, clocks = [], [], []
    for _ in range(WARMUP + rounds):
        dropped = timed(lambda: drop(memory))
        # Here, where the caches are as cold as they are for the call that is timed.
        empties.append(timed(memory.nothing))
        clocks.append(timed(int))
        memory.prepare()
        resumed = timed(memory.resume)
        # Reading between two continues is what zapbench's workload `continue` does not do.
        if drop_is_timed:
            memory.read()
        values.append(dropped if drop_is_timed else resumed)
    memory.read()
    clock = statistics.median(clocks)
    call = statistics.median(empties) - clock
    return statistics.median(values[WARMUP:]) - clock - calls * call


if __name__ == "__main__":
    print(median(sys.argv[1], *map(int, sys.argv[2:])))  # noqa: T201
