# SPDX-License-Identifier: GPL-2.0-only
"""Names of cases: ``workload/method/backing/pagesize/rangesize``, further axes after them.

Further axes are written ``/key=value``, sorted.  Names of axes and their values are in the C
tables and nowhere else.
"""

import os
import re
from dataclasses import dataclass
from typing import Self

from zapbench._zapbench import ffi, lib
from zapbench.case.tables import text
from zapbench.error import UsageError

NO_METHOD = "-"
_UNITS = {"g": 1 << 30, "m": 1 << 20, "k": 1 << 10}
_SIZE = re.compile(r"([1-9][0-9]*)([kmg])")


def size_text(size: int) -> str:
    """Bytes as ``4k``, ``2m``, ``1g``: in the largest unit that divides.

    Raises:
        ValueError: not a positive multiple of 1 KiB.
    """
    for unit, factor in _UNITS.items():
        if size > 0 and size % factor == 0:
            return f"{size // factor}{unit}"
    raise ValueError(f"{size} is not a positive multiple of 1 KiB")


def size_bytes(text: str) -> int:
    """The inverse of `size_text`; ``2048k`` is accepted too.

    Raises:
        ValueError: not a size.
    """
    match = _SIZE.fullmatch(text)
    if match is None:
        raise ValueError(f"{text!r} is not a size such as 4k, 2m or 1g")
    return int(match[1]) * _UNITS[match[2]]


@dataclass(frozen=True, slots=True, order=True)
class Case:
    """One cell of the matrix; sizes in bytes, ``axes`` sorted by name."""

    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: tuple[tuple[str, str], ...] = ()

    @classmethod
    def parse(cls, name: str) -> Self:
        """Read a name; sizes and the order of axes need not be canonical.

        Raises:
            UsageError: not of the form of a name.
        """
        parts = name.split("/")
        if len(parts) < 5 or not all(parts[:3]):
            raise UsageError(
                f"{name!r} is not a case: expected workload/method/backing/pagesize/rangesize"
            )
        axes = [tuple(part.split("=", 1)) for part in parts[5:]]
        if any(len(axis) != 2 or not all(axis) for axis in axes):
            raise UsageError(f"{name!r} is not a case: after the sizes come axes, as /key=value")
        try:
            page_size, range_size = size_bytes(parts[3]), size_bytes(parts[4])
        except ValueError as error:
            raise UsageError(f"{name!r} is not a case: {error}") from error
        pairs = tuple(sorted((key, value) for key, value in axes))
        return cls(parts[0], parts[1], parts[2], page_size, range_size, pairs)

    def __str__(self) -> str:
        sizes = size_text(self.page_size), size_text(self.range_size)
        axes = (f"{key}={value}" for key, value in self.axes)
        return "/".join((self.workload, self.method, self.backing, *sizes, *axes))

    @property
    def excluded(self) -> str | None:
        """Why the tables rule the case out on any kernel; None if they allow it."""
        reason = lib.zapbench_excluded(str(self).encode())
        return None if reason == ffi.NULL else text(reason)

    @property
    def refused(self) -> bool:
        """Whether the tables rule it out because the kernel refuses it, which it can be asked."""
        return bool(lib.zapbench_refused(str(self).encode()))

    def lacks(self, promise: str) -> bool:
        """Whether there is nothing of what a promise is about, on whatever kernel."""
        return bool(lib.zapbench_nothing_there(str(self).encode(), promise.encode()))

    @property
    def memory(self) -> int:
        """Bytes of backing memory that the case needs at most.

        Raises:
            UsageError: the tables know no such case.
        """
        size = int(lib.zapbench_case_memory(str(self).encode()))
        if size < 0:
            raise UsageError(f"{self}: no such case ({os.strerror(-size)})")
        return size
