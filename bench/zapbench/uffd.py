# SPDX-License-Identifier: GPL-2.0-only
"""How this process can get a userfaultfd: tried, not deduced from settings."""

import ctypes
import fcntl
import os
import platform
import struct
from collections.abc import Callable
from dataclasses import dataclass

# linux/userfaultfd.h
UFFD_USER_MODE_ONLY = 1
USERFAULTFD_IOC_NEW = 0xAA00
UFFDIO_API = 0xC018AA3F
UFFD_API = 0xAA
MINOR_FEATURES = {"hugetlb": 1 << 9, "shmem": 1 << 10}  # UFFD_FEATURE_MINOR_*
NR_USERFAULTFD = {"x86_64": 323}  # elsewhere asm-generic/unistd.h holds
NR_USERFAULTFD_GENERIC = 282


@dataclass(frozen=True, slots=True)
class Userfaultfd:
    """How a userfaultfd was had, what it offers, or why there is none."""

    route: str = ""
    """``syscall``, ``/dev/userfaultfd``, ``user mode only``, or empty."""
    features: int = 0
    error: int = 0


def probe_userfaultfd() -> Userfaultfd:
    """Try the three routes on the running kernel, the most capable ones first."""
    number = NR_USERFAULTFD.get(platform.machine(), NR_USERFAULTFD_GENERIC)
    libc = ctypes.CDLL(None, use_errno=True)

    def syscall(flags: int) -> int:
        fd = int(libc.syscall(number, os.O_CLOEXEC | flags))
        if fd < 0:
            raise OSError(ctypes.get_errno(), "userfaultfd")
        return fd

    def device() -> int:
        with open("/dev/userfaultfd", "rb", buffering=0) as file:
            return fcntl.ioctl(file, USERFAULTFD_IOC_NEW, os.O_CLOEXEC)

    routes: dict[str, Callable[[], int]] = {
        "syscall": lambda: syscall(0),
        "/dev/userfaultfd": device,
        "user mode only": lambda: syscall(UFFD_USER_MODE_ONLY),
    }
    first_error = 0
    for route, attempt in routes.items():
        try:
            fd = attempt()
        except OSError as err:
            first_error = first_error or err.errno or 0
            continue
        try:
            answer = fcntl.ioctl(fd, UFFDIO_API, struct.pack("QQQ", UFFD_API, 0, 0))
            return Userfaultfd(route, struct.unpack("QQQ", answer)[1])
        finally:
            os.close(fd)
    return Userfaultfd(error=first_error)
