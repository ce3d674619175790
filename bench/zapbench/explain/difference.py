# SPDX-License-Identifier: GPL-2.0-only
"""What a case's instructions went to, or two of them set against each other: rows that add up.

All figures are integers over one number of operations, which both sides share: nothing is
rounded before it is shown.
"""

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import accumulate, pairwise
from typing import NamedTuple, TypeVar

from zapbench import text
from zapbench.case import Case, is_harness
from zapbench.explain.attribution import HARNESS, Attribution
from zapbench.explain.symbols import OTHER, USER
from zapbench.explain.trace import CallPath

T = TypeVar("T")
_PART = re.compile(r"(\.(isra|constprop|part|cold|llvm)(\.\d+)?)+$")
"""What GCC and Clang add to the name of a part, or of a copy, of a function."""
_NO_FUNCTIONS = (USER, OTHER, HARNESS)


class Cost(NamedTuple):
    """Instructions over all operations; ``base`` is None where nothing is compared."""

    base: int | None
    head: int

    @property
    def change(self) -> int:
        """How much dearer the head is; alone, all of it."""
        return self.head - (self.base or 0)


@dataclass(frozen=True, slots=True)
class Function:
    """A function; in a difference with all its parts, whose names are those of either kernel.

    ``note`` says why it is on one side only, where it is.
    """

    name: str
    cost: Cost
    base_names: tuple[str, ...] = ()
    head_names: tuple[str, ...] = ()
    note: str = ""

    @property
    def label(self) -> str:
        """Its name, or both if the kernels have it by different ones."""
        base, head = " + ".join(self.base_names), " + ".join(self.head_names)
        if base and head and base != head:
            return f"{base} -> {head}"
        return head or base or self.name


@dataclass(frozen=True, slots=True)
class Difference:
    """The functions and call paths of a case, those that changed most (alone: cost most) first.

    The harness is left out, as it is where figures are compared and judged.
    """

    case: str
    operations: int
    total: Cost
    functions: tuple[Function, ...]
    paths: Mapping[CallPath, Cost]

    @property
    def compared(self) -> bool:
        """Whether there are two sides."""
        return self.total.base is not None

    @property
    def unexplained(self) -> int:
        """What functions or paths lack to the total, on both sides; 0, or there is a bug."""
        lacks = [_lack(self.total, (each.cost for each in self.functions))]
        if self.paths:
            lacks.append(_lack(self.total, self.paths.values()))
        return max(lacks)

    def each(self, instructions: int) -> Fraction:
        """Of one operation."""
        return Fraction(instructions, self.operations)


class Measured(NamedTuple):
    """One side: its figures, and all the functions that its kernel has, by any name."""

    figures: Attribution
    known: Collection[str]


def alone(head: Attribution) -> Difference:
    """One side, its functions by their own names."""
    net = _net(head, 1)
    functions = tuple(Function(*each) for each in _costs(None, net.functions).items())
    total = Cost(None, net.total)
    return Difference(head.case, head.operations, total, functions, _costs(None, net.paths))


def difference(base: Measured, head: Measured) -> Difference:
    """Two sides; the parts of a function are taken together."""
    sides = (base, head)
    operations = math.lcm(*(side.figures.operations for side in sides))
    nets = [_net(side.figures, operations // side.figures.operations) for side in sides]
    names = [_names(net.functions) for net in nets]
    known = [{plain(name) for name in side.known} for side in sides]
    functions = [_joined(net.functions, plain) for net in nets]
    paths = [_joined(net.paths, whole) for net in nets]
    return Difference(
        head.figures.case,
        operations,
        Cost(nets[0].total, nets[1].total),
        tuple(
            Function(
                name,
                cost,
                names[0].get(name, ()),
                names[1].get(name, ()),
                _note(name, names, known),
            )
            for name, cost in _costs(*functions).items()
        ),
        _costs(*paths),
    )


def plain(name: str) -> str:
    """The function that a name is of, or of a part of."""
    return _PART.sub("", name) or name


def whole(path: CallPath) -> CallPath:
    """A path of whole functions: a part that its own function calls is no frame."""
    frames: list[str] = []
    for number, name in enumerate(path):
        inside = number > 0 and name != path[number - 1] and plain(name) == frames[-1]
        if not inside:
            frames.append(plain(name))
    return tuple(frames)


class _Net(NamedTuple):
    total: int
    functions: dict[str, int]
    paths: dict[CallPath, int]


def _net(figures: Attribution, factor: int) -> _Net:
    """Over so many times the operations, without the harness, unless that is what was measured."""
    harness = 0 if is_harness(Case.parse(figures.case).workload) else figures.harness
    functions, paths = dict(figures.functions), dict(figures.paths or {})
    if harness:
        functions.pop(HARNESS, None)
        paths.pop((HARNESS,), None)
    return _Net(
        factor * (figures.total - harness),
        {name: factor * count for name, count in functions.items()},
        {path: factor * count for path, count in paths.items()},
    )


def _lack(total: Cost, parts: Iterable[Cost]) -> int:
    costs = list(parts)
    base = sum(cost.base or 0 for cost in costs) - (total.base or 0)
    return abs(base) + abs(sum(cost.head for cost in costs) - total.head)


def _names(functions: Iterable[str]) -> dict[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for name in sorted(functions):
        found.setdefault(plain(name), []).append(name)
    return {name: tuple(names) for name, names in found.items()}


def _note(name: str, called: Sequence[Collection[str]], known: Sequence[Collection[str]]) -> str:
    """Why one side does not have it; empty if both do."""
    lacking = [side for side in range(2) if name not in called[side]]
    if not lacking or name in _NO_FUNCTIONS:
        return ""
    which, why = _LACKING[lacking[0]]
    if name in known[lacking[0]]:
        return f"{which} does not call it"
    return f"{which} has no such function: {why}"


_LACKING = (("base", "new, or inlined there"), ("head", "gone, or inlined there"))


def _joined(parts: Mapping[T, int], name: Callable[[T], T]) -> Counter[T]:
    found: Counter[T] = Counter()
    for part, count in parts.items():
        found[name(part)] += count
    return found


def _costs(base: Mapping[T, int] | None, head: Mapping[T, int]) -> dict[T, Cost]:
    """By part, what changed most first."""
    costs = {
        part: Cost(None if base is None else base.get(part, 0), head.get(part, 0))
        for part in {**(base or {}), **head}
    }
    return dict(sorted(costs.items(), key=lambda item: (-abs(item[1].change), -item[1].head)))


Part = tuple[str, Cost, str]
"""Of a table: label, cost and note."""


class Line(NamedTuple):
    """A line of a table, in hundredths of an instruction of one operation."""

    label: str
    base: int | None
    head: int
    note: str = ""

    @property
    def change(self) -> int:
        """How much dearer the head is."""
        return self.head - (self.base or 0)


def lines(parts: Sequence[Part], operations: int, top: int) -> list[Line]:
    """The first ``top`` of parts, the rest in one line, and the total.

    Each figure is off by less than a hundredth, and they add up to the total to the last digit.
    """
    shown = [part for part in parts[:top] if part[1].change]
    rest = [cost for _, cost, _ in parts[len(shown) :]]
    if rest:
        shown.append(_others(rest))
    total = Cost(
        sum(cost.base or 0 for _, cost, _ in shown) if _compared(shown) else None,
        sum(cost.head for _, cost, _ in shown),
    )
    shown.append(("total", total, ""))
    bases = _adding_up([cost.base or 0 for _, cost, _ in shown], operations)
    changes = _adding_up([cost.change for _, cost, _ in shown], operations)
    return [
        Line(label, None if cost.base is None else base, base + change, note)
        for (label, cost, note), base, change in zip(shown, bases, changes, strict=True)
    ]


def _compared(parts: Sequence[Part]) -> bool:
    return any(cost.base is not None for _, cost, _ in parts)


def _others(rest: Sequence[Cost]) -> Part:
    compared = rest[0].base is not None
    same = sum(not cost.change for cost in rest) if compared else 0
    base = sum(cost.base or 0 for cost in rest) if compared else None
    note = f"{same} of them unchanged" if same else ""
    return f"({text.number(len(rest), 'other')})", Cost(base, sum(c.head for c in rest)), note


def hundredths(instructions: int, operations: int) -> int:
    """Of one operation; halves are rounded up."""
    return (200 * instructions + operations) // (2 * operations)


def _adding_up(parts: Sequence[int], operations: int) -> list[int]:
    """Parts and, at last, their sum, in hundredths of one operation's.

    Each ends where the next begins, so that nothing is lost by rounding.
    """
    ends = [hundredths(end, operations) for end in accumulate(parts[:-1], initial=0)]
    return [*(end - begin for begin, end in pairwise(ends)), ends[-1]]
