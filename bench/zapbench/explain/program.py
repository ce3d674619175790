# SPDX-License-Identifier: GPL-2.0-only
"""The guest program's own symbols: where it reads the clock, and who asks for that."""

import bisect
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import EnvironmentMissing

CLOCK = "clock_now"
_SYMTAB, _FUNCTION = 2, 2  # elf(5): SHT_SYMTAB, STT_FUNC
_SECTION = struct.Struct("<IIQQQQIIQQ")
_SYMBOL = struct.Struct("<IBBHQQ")


@dataclass(frozen=True, slots=True)
class Program:
    """The functions of a program that is linked statically: their addresses and names.

    ``clock`` are the addresses of the function that reads the clock.
    """

    addresses: tuple[int, ...]
    names: tuple[str, ...]
    clock: range

    def name(self, address: int) -> str:
        """Whose code it is."""
        index = bisect.bisect_right(self.addresses, address) - 1
        return self.names[index] if index >= 0 else "?"


def read(path: Path) -> Program:
    """The functions of a program.

    Raises:
        EnvironmentMissing: it was stripped of its symbols, or is none that we know.
    """
    found: dict[int, tuple[str, int]] = {}
    try:
        for name, address, size in sorted(_functions(path.read_bytes())):
            found.setdefault(address, (name, size))
    except (OSError, struct.error, ValueError):
        found = {}
    clock = [(start, size) for start, (name, size) in found.items() if name == CLOCK]
    if not clock:
        raise EnvironmentMissing(f"{path} has no symbols: install zapbench without stripping it")
    starts = sorted(found)
    start, size = clock[0]
    return Program(tuple(starts), tuple(found[at][0] for at in starts), range(start, start + size))


def _functions(data: bytes) -> Iterator[tuple[str, int, int]]:
    """Name, address and size of each function of an ELF file of 64 bits."""
    if data[:6] != b"\x7fELF\x02\x01":
        raise ValueError("no ELF file of 64 bits")
    (table,) = struct.unpack_from("<Q", data, 40)
    size, count = struct.unpack_from("<HH", data, 58)
    sections = [_SECTION.unpack_from(data, table + size * index) for index in range(count)]
    for _, kind, _, _, offset, length, link, _, _, _ in sections:
        if kind != _SYMTAB:
            continue
        strings = sections[link][4]
        for at in range(offset, offset + length, _SYMBOL.size):
            name, info, _, _, address, extent = _SYMBOL.unpack_from(data, at)
            if info & 15 == _FUNCTION:
                end = data.index(b"\0", strings + name)
                yield data[strings + name : end].decode(), address, extent
