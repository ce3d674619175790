# SPDX-License-Identifier: GPL-2.0-only
"""What a case's instructions were spent on, by function and by call path; every sum is exact."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

from zapbench.error import Unexplained
from zapbench.explain.program import Program
from zapbench.explain.symbols import Symbols
from zapbench.explain.trace import By, CallPath, Trace
from zapbench.explain.windows import Case, cases
from zapbench.record import Record

HARNESS = "(harness)"
"""What a sample with nothing in it costs: a part of its own, taken off what it consists of."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Attribution:
    """The instructions of some samples of a case, or of the case as a whole.

    All are integers, over all of ``operations``: the sums of ``functions`` and of ``paths``
    (outermost function first; None if they were not followed) are ``total``.  The harness is
    one of the parts, so that ``total`` less ``harness`` is what the kernel was measured by.
    """

    case: str
    operations: int
    total: int
    harness: int
    functions: Mapping[str, int]
    paths: Mapping[CallPath, int] | None

    def each(self, instructions: int) -> Fraction:
        """Of one operation."""
        return Fraction(instructions, self.operations)


@dataclass(frozen=True, slots=True)
class Explained:
    """A case and what is needed to attribute any part of it."""

    case: Case
    trace: Trace
    symbols: Symbols

    @property
    def name(self) -> str:
        """The name of the case."""
        return self.case.record.case

    def samples(self, which: Iterable[int] | None = None) -> Attribution:
        """Of the kept samples of these numbers; of all if None.

        Raises:
            Unexplained: the paths do not add up to the functions.
        """
        chosen = range(len(self.case.samples)) if which is None else list(which)
        windows = [each for number in chosen for each in self.case.samples[number]]
        count = len(chosen)
        return self._of(windows, count * self.case.record.ops_per_sample, count)

    def whole(self) -> Attribution | None:
        """Of the case as a whole, ways back and put-off work included; None if not recorded.

        The harness is not told apart: its share is not known there.

        Raises:
            Unexplained: the paths do not add up to the functions.
        """
        total = self.case.record.case_total
        if total is None or self.case.whole is None:
            return None
        return self._of(self.case.whole, total.ops, 0)

    def _of(self, windows: Sequence[range], operations: int, empties: int) -> Attribution:
        functions = self.trace.functions(windows, self.symbols)
        total = functions.total()
        harness = _take(functions, self.trace.functions(self.case.empty, self.symbols), empties)
        _put(functions, HARNESS, harness)
        paths: Counter[CallPath] | None = None
        if self.trace.by is By.PATH:
            paths = self.trace.paths(windows, self.symbols)
            _check(self.name, self.trace.functions(windows, self.symbols), paths)
            _take(paths, self.trace.paths(self.case.empty, self.symbols), empties)
            _put(paths, (HARNESS,), harness)
        return Attribution(self.name, operations, total, harness, functions, paths)


def explained(
    trace: Trace, records: Sequence[Record], program: Program, symbols: Symbols
) -> list[Explained]:
    """The cases of a boot that have samples, in the order of its records.

    Raises:
        Unexplained: what was counted is not what was recorded.
    """
    return [Explained(case, trace, symbols) for case in cases(trace, records, program)]


def _take(parts: Counter[T], empty: Counter[T], times: int) -> int:
    for part, count in empty.items():
        _put(parts, part, -times * count)
    return times * empty.total()


def _put(parts: Counter[T], part: T, count: int) -> None:
    parts[part] += count
    if not parts[part]:
        del parts[part]


def _check(case: str, functions: Counter[str], paths: Counter[CallPath]) -> None:
    """What each function has by paths is what it has."""
    leaves: Counter[str] = Counter()
    for path, count in paths.items():
        leaves[path[-1]] += count
    if leaves != functions:
        wrong = next(name for name in (functions | leaves) if leaves[name] != functions[name])
        raise Unexplained(
            f"{case}: {wrong} has {functions[wrong]} instructions, its call paths {leaves[wrong]}"
        )
