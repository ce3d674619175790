# SPDX-License-Identifier: GPL-2.0-only
"""The plugin's file: what was counted between one reading of the clock and the next."""

import struct
from array import array
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from enum import IntEnum
from itertools import accumulate
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.explain.symbols import OTHER, USER, Symbols

MAGIC = b"zbplug1\n"
_MARK, _TABLE, _NODES, _END = range(1, 5)
_HEAD = struct.Struct("<3Q")
_WORD = struct.Struct("<Q")
_SLOTS = (USER, OTHER)
ROOT = 0
CallPath = tuple[str, ...]
"""Functions, the outermost first."""


class By(IntEnum):
    """How the plugin counts; as in ``cbench/plugin/output.h``."""

    ADDRESS = 0
    FUNCTION = 1
    PATH = 2


@dataclass(frozen=True, slots=True)
class Mark:
    """A reading of the clock, and what came since the one before.

    ``site`` is the address of the call that asked for it, ``stack`` where on the caller's
    stack it returns to, ``halts`` how often the CPU was halted.  ``counts`` and ``nodes`` are
    pairs: a counter or node, and the instructions that it has.
    """

    site: int
    stack: int
    halts: int
    counts: "memoryview[int]"
    nodes: "memoryview[int]"

    @property
    def total(self) -> int:
        """All instructions since the mark before."""
        return sum(self.counts[1::2])


@dataclass(frozen=True, slots=True)
class Trace:
    """The marks of a boot; a window is the numbers of the mark it begins and ends at.

    ``clock`` is the clock at each mark: instructions since the start of the machine.
    """

    by: By
    marks: tuple[Mark, ...]
    addresses: "array[int]"
    tree: "array[int]"
    clock: tuple[int, ...]

    def functions(self, windows: Iterable[range], symbols: Symbols) -> Counter[str]:
        """The instructions of each function in the windows."""
        slots: Counter[int] = Counter()
        for mark in self._marks(windows):
            for slot, count in zip(mark.counts[::2], mark.counts[1::2], strict=True):
                slots[slot] += count
        names: Counter[str] = Counter()
        for slot, count in slots.items():
            names[self._name(slot, symbols)] += count
        return names

    def paths(self, windows: Iterable[range], symbols: Symbols) -> Counter[CallPath]:
        """The instructions of each call path in the windows, outermost function first."""
        nodes: Counter[int] = Counter()
        for mark in self._marks(windows):
            for node, count in zip(mark.nodes[::2], mark.nodes[1::2], strict=True):
                nodes[node] += count
        paths: Counter[CallPath] = Counter()
        for node, count in nodes.items():
            paths[self._path(node, symbols)] += count
        return paths

    def _marks(self, windows: Iterable[range]) -> Iterable[Mark]:
        return (self.marks[number] for window in windows for number in window)

    def _name(self, slot: int, symbols: Symbols) -> str:
        return _SLOTS[slot] if slot < len(_SLOTS) else symbols.name(self.addresses[slot])

    def _path(self, node: int, symbols: Symbols) -> CallPath:
        names = []
        while node != ROOT:
            names.append(self._name(self.tree[2 * node + 1], symbols))
            node = self.tree[2 * node]
        return tuple(reversed(names))


def window(begin: int, end: int) -> range:
    """What lies between two marks: the parts of all marks after the first, the last included."""
    return range(begin + 1, end + 1)


def read(path: Path) -> Trace:
    """Read the file of a boot that has ended.

    Raises:
        EnvironmentMissing: it is no such file, or was cut off.
    """
    try:
        data = path.read_bytes()
        if data[: len(MAGIC)] != MAGIC:
            raise ValueError
        return _parse(memoryview(data), len(MAGIC))
    except (OSError, ValueError, struct.error):
        raise EnvironmentMissing(
            f"QEMU's plugin left no whole file at {path}: is the disk full?"
        ) from None


def _parse(data: "memoryview[int]", at: int) -> Trace:
    (by,) = _WORD.unpack_from(data, at)
    at += _WORD.size
    marks: list[Mark] = []
    tables: dict[int, array[int]] = {}
    while True:
        (block,) = _WORD.unpack_from(data, at)
        at += _WORD.size
        if block == _MARK:
            site, stack, halts = _HEAD.unpack_from(data, at)
            counts, at = _pairs(data, at + _HEAD.size)
            nodes, at = _pairs(data, at)
            marks.append(Mark(site, stack, halts, counts, nodes))
        elif block in (_TABLE, _NODES):
            (count,) = _WORD.unpack_from(data, at)
            end = at + _WORD.size + 8 * count
            tables[block] = array("Q" if block == _TABLE else "I")
            tables[block].frombytes(data[at + _WORD.size : end])
            if end > len(data):
                raise ValueError
            at = end
        elif block == _END:
            break
        else:
            raise ValueError
    clock = tuple(accumulate(mark.total for mark in marks))
    return Trace(By(by), tuple(marks), tables[_TABLE], tables[_NODES], clock)


def _pairs(data: "memoryview[int]", at: int) -> "tuple[memoryview[int], int]":
    (count,) = _WORD.unpack_from(data, at)
    end = at + _WORD.size + 8 * count
    if end > len(data):
        raise ValueError
    return data[at + _WORD.size : end].cast("I"), end
