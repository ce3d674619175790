# SPDX-License-Identifier: GPL-2.0-only
"""How this process can get a userfaultfd: tried, not deduced from settings."""

from dataclasses import dataclass

from zapbench._zapbench import ffi, lib


def _text(pointer: object) -> str:
    return str(ffi.string(pointer).decode()) if pointer else ""


_BACKINGS = [lib.zapbench_backings[i] for i in range(lib.zapbench_nr_backings)]
MINOR_FEATURES = {
    name: int(row.minor_feature)
    for name in ("hugetlb", "shmem")
    for row in _BACKINGS
    if _text(row.name) == name
}
"""The UFFD_FEATURE_MINOR_* bit of each kind of memory that has one."""


@dataclass(frozen=True, slots=True)
class Userfaultfd:
    """How a userfaultfd was opened, what it offers, or why there is none."""

    route: str = ""
    """``syscall``, ``/dev/userfaultfd``, ``user mode only``, or empty."""
    features: int = 0
    error: int = 0


def probe_userfaultfd() -> Userfaultfd:
    """Try the three routes on the running kernel, the most capable ones first."""
    found = ffi.new("struct zapbench_userfaultfd *")
    lib.zapbench_probe_userfaultfd(found)
    return Userfaultfd(_text(found.route), int(found.features), int(found.error))
