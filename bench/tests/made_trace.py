# SPDX-License-Identifier: GPL-2.0-only
"""Files of the plugin and what goes with them, made without a machine."""

import struct
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from zapbench.explain import symbols, trace
from zapbench.explain.program import Program
from zapbench.explain.symbols import Symbols
from zapbench.explain.trace import By, Trace

CALLERS = (
    *("clock_now", "timing_measure_empty", "timing_look", "timing_finish", "run"),
    *("faulters_work", "member_main", "handler_main"),
)
PROGRAM = Program(tuple(range(0, 100 * len(CALLERS), 100)), CALLERS, range(100))
FUNCTIONS = ("entry_SYSCALL_64", "f", "g")
BASE = 0xFFFFFFFF81000000
FIRST = 2  # counters of functions follow that of the user and that of other code
USER, SYSCALL, F, G = 0, FIRST, FIRST + 1, FIRST + 2


def known() -> Symbols:
    """A kernel of three functions."""
    names = ("_stext", *FUNCTIONS, "_etext")
    lines = [f"{BASE + 16 * number:016x} T {name}\n" for number, name in enumerate(names)]
    found = symbols.parse("".join(lines))
    assert found is not None
    return found


@dataclass(frozen=True, slots=True)
class Seen:
    """A mark to be: who read the clock, and what each counter and node had by then."""

    who: str
    counts: Mapping[int, int]
    nodes: Mapping[int, int] = field(default_factory=dict)
    stack: int = 0
    halts: int = 0


def _parts(parts: Mapping[int, int]) -> bytes:
    words = [word for part in parts.items() for word in part]
    return struct.pack(f"<Q{len(words)}I", len(parts), *words)


def content(
    marks: Iterable[Seen], by: By = By.FUNCTION, tree: Sequence[tuple[int, int]] = ()
) -> bytes:
    """The plugin's file; ``tree`` has the parent and the counter of each node."""
    data = trace.MAGIC + struct.pack("<Q", by)
    for mark in marks:
        site = 100 * CALLERS.index(mark.who) + 50
        data += struct.pack("<4Q", 1, site, mark.stack, mark.halts)
        data += _parts(mark.counts) + _parts(mark.nodes)
    addresses = (0, 0, *(BASE + 16 * (1 + number) for number in range(len(FUNCTIONS))))
    data += struct.pack(f"<2Q{len(addresses)}Q", 2, len(addresses), *addresses)
    words = [word for node in tree for word in node]
    return data + struct.pack(f"<2Q{len(words)}I", 3, len(tree), *words) + struct.pack("<Q", 4)


def made(directory: Path, marks: Iterable[Seen], **how: object) -> Trace:
    """The same, read."""
    (directory / "trace").write_bytes(content(marks, **how))  # type: ignore[arg-type]
    return trace.read(directory / "trace")


def empties(least: int = 10) -> list[Seen]:
    """The readings of 32 empty samples, the third of which is the cheapest."""
    costs = [least + 5, least + 7, least, *[least + 5] * 29]
    seen = []
    for cost in costs:
        seen += [
            Seen("timing_measure_empty", {USER: 3}),
            Seen("timing_measure_empty", {USER: cost}),
        ]
    return seen
