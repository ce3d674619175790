# SPDX-License-Identifier: GPL-2.0-only
"""Which readings of the clock a sample lies between: known by who reads it, and in which order.

Nothing is guessed from the figures; they are then compared with those of the records.
"""

import itertools
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto

from zapbench.error import Unexplained
from zapbench.explain.program import Program
from zapbench.explain.trace import Trace, window
from zapbench.record import Error, Histogram, Record, Samples, Skip

EMPTY_MARKS = 64  # timing_measure_empty() in cbench/timing.c: so many readings, begin and end
MINOR_FAULT = "minor_fault"
Windows = tuple[range, ...]
"""What makes up a sample: one window, or several if the clock was stopped meanwhile."""


class Who(Enum):
    """Whose reading of the clock it is; see `CALLERS`."""

    EMPTY = auto()
    LOOK = auto()
    FINISH = auto()
    BETWEEN = auto()
    MEMBER = auto()
    FAULTER = auto()
    HANDLER = auto()
    OWN = auto()


CALLERS: Mapping[str, Who] = {
    "timing_measure_empty": Who.EMPTY,
    "timing_look": Who.LOOK,
    "timing_finish": Who.FINISH,
    "region_put_back": Who.BETWEEN,
    "member_main": Who.MEMBER,
    "faulters_work": Who.FAULTER,
    "handler_main": Who.HANDLER,
    "handle": Who.HANDLER,
    "on_sigbus": Who.HANDLER,
}
"""Functions of the guest program that read the clock; all others are the workloads' own."""


@dataclass(frozen=True, slots=True)
class Case:
    """The windows of a case: of each kept sample, of the cheapest empty one, of all of it.

    ``whole`` is None where the record has no total of the case.
    """

    record: Samples
    samples: tuple[Windows, ...]
    empty: Windows
    whole: Windows | None


@dataclass(frozen=True, slots=True)
class _Read:
    """The readings of the clock of one case: numbers of marks in order, by whose they are."""

    trace: Trace
    numbers: Mapping[Who, Sequence[int]]

    def of(self, who: Who) -> Sequence[int]:
        return self.numbers.get(who, ())

    def length(self, windows: Windows) -> int:
        """The instructions of some windows."""
        clock = self.trace.clock
        return sum(clock[each[-1]] - clock[each[0] - 1] for each in windows)

    def idle(self, windows: Windows) -> bool:
        """Whether the CPU was halted in any: a clock that counts instructions goes on then."""
        return any(self.trace.marks[number].halts for each in windows for number in each)


def cases(trace: Trace, records: Sequence[Record], program: Program) -> list[Case]:
    """The windows of every case that has samples, in the order of the records.

    Raises:
        Unexplained: a sample, or the case as a whole, is not what its windows add up to.
    """
    readings = _by_case(trace, program)
    found, spare = [], 0
    for record in records:
        if isinstance(record, Error | Skip):
            spare += 1  # it may have read the clock, or not
        elif isinstance(record, Samples):
            found.append(_first(record, readings, spare))
            spare = 0
    return found


def _by_case(trace: Trace, program: Program) -> Iterator[_Read]:
    """The marks, case by case: each begins by measuring what an empty sample costs."""
    numbers: dict[Who, list[int]] = {}
    for number, mark in enumerate(trace.marks):
        who = CALLERS.get(program.name(mark.site), Who.OWN)
        if who is Who.EMPTY and len(numbers.get(Who.EMPTY, ())) == EMPTY_MARKS:
            yield _Read(trace, numbers)
            numbers = {}
        if numbers or who is Who.EMPTY:
            numbers.setdefault(who, []).append(number)
    if numbers:
        yield _Read(trace, numbers)


def _first(record: Samples, readings: Iterator[_Read], spare: int) -> Case:
    """The case of a record: the next one, or one after it if others may have left some."""
    error = Unexplained(f"{record.case}: no reading of the clock was seen")
    for read in itertools.islice(readings, spare + 1):
        try:
            return _case(record, read)
        except Unexplained as this:
            error = this
    raise error


def _case(record: Samples, read: _Read) -> Case:
    rounds = _rule(record)(record, read)
    if record.workload == MINOR_FAULT:
        rounds = rounds[:-1]  # the last pass is for looking at every byte
    kept = _kept(record, rounds)
    _compare(record, kept, read)
    return Case(record, tuple(kept), _empty(record, read), _whole(record, kept, read))


# ---- the rounds of a case, each a list of samples ----

Rule = Callable[[Samples, _Read], list[list[Windows]]]


def _rule(record: Samples) -> Rule:
    if record.workload == MINOR_FAULT:
        return _passes if record.axes.get("stamps") == "off" else _faults
    if record.workload == "cycle":
        return _cycle
    return _passes if "threads" in record.axes else _pairs


def _pairs(_: Samples, read: _Read) -> list[list[Windows]]:
    """A sample lies between two readings of the workload's own."""
    own = read.of(Who.OWN)
    return [[(window(begin, end),)] for begin, end in zip(own[::2], own[1::2], strict=False)]


def _cycle(_: Samples, read: _Read) -> list[list[Windows]]:
    """Five readings: begin, dropped, looked at (the clock is set back to before), resolved, end."""
    own = read.of(Who.OWN)
    fives = zip(*(own[first::5] for first in range(5)), strict=False)
    return [[(window(a, b), window(c, e))] for a, b, c, _, e in fives]


def _passes(record: Samples, read: _Read) -> list[list[Windows]]:
    """From the first thread that begins to the last that ends."""
    members, each = read.of(Who.MEMBER), 2 * _threads(record)
    starts = range(0, len(members) - each + 1, each)
    return [[(window(members[at], members[at + each - 1]),)] for at in starts]


def _faults(record: Samples, read: _Read) -> list[list[Windows]]:
    """Each thread reads the clock when it begins, and after each of its pages.

    Both calls of a thread have their return address at one place of its stack; the stacks of
    later threads are mapped below those of earlier ones.
    """
    threads, pages = _threads(record), record.range_size // record.page_size
    by_stack: dict[int, list[int]] = {}
    for number in read.of(Who.FAULTER):
        by_stack.setdefault(read.trace.marks[number].stack, []).append(number)
    stacks = [by_stack[stack] for stack in sorted(by_stack, reverse=True)]
    if len(stacks) != threads:
        return []
    shares = [pages * (each + 1) // threads - pages * each // threads for each in range(threads)]
    rounds: list[list[Windows]] = []
    for number in range(len(stacks[0]) // (shares[0] + 1)):
        samples: list[tuple[int, int]] = []
        for numbers, share in zip(stacks, shares, strict=True):
            first = number * (share + 1)
            samples += itertools.pairwise(numbers[first : first + share + 1])
        rounds.append([(window(begin, end),) for begin, end in samples])
    return rounds


def _threads(record: Samples) -> int:
    return int(record.axes.get("threads", "1"))


# ---- what must agree ----


def _kept(record: Samples, rounds: list[list[Windows]]) -> list[Windows]:
    """The samples of the last rounds: those before were to warm up."""
    count = record.histogram.count if record.histogram else len(record.values or ())
    kept: list[Windows] = []
    while len(kept) < count and rounds:
        kept = rounds.pop() + kept
    if len(kept) != count:
        raise Unexplained(
            f"{record.case}: {count} samples were recorded, the clock was read for {len(kept)}"
        )
    return kept


def _compare(record: Samples, kept: Sequence[Windows], read: _Read) -> None:
    lengths = [read.length(each) for each in kept]
    if record.histogram is not None:
        if _histogram(lengths, record.histogram.bits) != record.histogram:
            raise Unexplained(f"{record.case}: its histogram is not that of what was counted")
        return
    assert record.values is not None
    for number, (counted, recorded) in enumerate(zip(lengths, record.values, strict=True)):
        if counted != recorded:
            idle = ", the CPU being idle in it" if read.idle(kept[number]) else ""
            raise _differs(f"{record.case}: sample {number}", recorded, f"{counted}{idle}")


def _differs(what: str, recorded: int, counted: object) -> Unexplained:
    return Unexplained(f"{what} was recorded as {recorded} instructions, counted were {counted}")


def _histogram(values: Sequence[int], bits: int) -> Histogram:
    shifts = [(max(value.bit_length() - 1 - bits, 0), value) for value in values]
    buckets = Counter((shift << bits) + (value >> shift) for shift, value in shifts)
    ordered = tuple(sorted(buckets.items()))
    return Histogram(bits, min(values), max(values), sum(values), len(values), ordered)


def _empty(record: Samples, read: _Read) -> Windows:
    """The first of the empty samples that cost the least."""
    marks = read.of(Who.EMPTY)
    windows = [(window(begin, end),) for begin, end in zip(marks[::2], marks[1::2], strict=False)]
    least = min(windows, key=read.length)
    if read.length(least) != record.empty:
        raise _differs(f"{record.case}: an empty sample", record.empty, read.length(least))
    return least


def _whole(record: Samples, kept: Sequence[Windows], read: _Read) -> Windows | None:
    """From the first kept sample to the end of the case, without what was looked at."""
    if record.case_total is None:
        return None
    begin = kept[0][0][0] - 1
    looks = [number for number in read.of(Who.LOOK) if number > begin]
    stops = [begin, *looks, *read.of(Who.FINISH)]
    windows = tuple(window(a, b) for a, b in zip(stops[::2], stops[1::2], strict=False))
    if read.length(windows) != record.case_total.value:
        whole = f"{record.case}: the whole case"
        raise _differs(whole, record.case_total.value, read.length(windows))
    return windows
