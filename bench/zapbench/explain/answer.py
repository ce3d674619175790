# SPDX-License-Identifier: GPL-2.0-only
"""What was asked to be explained, and the answer: a case, or two figures of it set side by side."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from fractions import Fraction

from zapbench import text
from zapbench.boot import available
from zapbench.case import Case, choose, methods, workloads
from zapbench.error import CaseFailed, Unsupported, UsageError
from zapbench.explain.difference import Difference, Measured, alone, difference, hundredths
from zapbench.explain.side import Booted, Side, side
from zapbench.observer import Observer

ROUNDING = 0.05
"""Of what a gate prints."""


SAMPLES, DEFERRED = "mean of all samples", "the whole case, with what was put off"


@dataclass(frozen=True, slots=True)
class Question:
    """One kernel or two, the base first, and full names of cases.

    ``method`` is what the method of each case is compared with; ``sample`` is the number of one,
    or -1 for the dearest; ``deferred``: the whole case.
    """

    sides: tuple[Side, ...]
    cases: tuple[str, ...]
    method: str | None = None
    sample: int | None = None
    deferred: bool = False


@dataclass(frozen=True, slots=True)
class Figure:
    """A side of an answer: what it is, its mean, and the median of its samples.

    ``recorded`` is the median in the result directory that it was taken from.
    """

    label: str
    mean: Fraction
    median: float | None = None
    recorded: float | None = None


@dataclass(frozen=True, slots=True)
class Answer:
    """A case, and what its figures are of; ``base`` is None where nothing is compared."""

    difference: Difference
    head: Figure
    base: Figure | None = None
    what: str = SAMPLES

    @property
    def sides(self) -> str:
        """What the figures are of, in words."""
        base = f"{self.base.label} (base) to " if self.base else ""
        return f"{base}{self.head.label}{' (head)' if self.base else ''}, {self.what}"

    def remarks(self) -> list[str]:
        """The mean next to the median that gates judge, and where the two are not the same."""
        found = []
        for each in (self.base, self.head):
            if each is not None and each.median is not None:
                whose = f"{each.label}: " if self.base else ""
                found.append(f"{whose}{_next_to(each.mean, each.median, each.recorded)}")
        return found


def _next_to(mean: Fraction, median: float, recorded: float | None) -> str:
    """A mean next to the median of its samples, and to the one that was recorded."""
    said = f"mean {_shown(mean)}, median {_shown(median)}"
    said += " (what compare and gate print)" if recorded is None else " in this boot"
    apart = float(mean) - median
    if abs(apart) > ROUNDING:
        side = "above" if apart > 0 else "below"
        said += (
            f": the mean is {_shown(abs(apart))} {side}, as not all samples did the same "
            "(--sample max explains the dearest)"
        )
    if recorded is not None:
        said += f"; recorded median (what compare and gate print) {_shown(recorded)}"
        if abs(recorded - median) > ROUNDING:
            said += ", of all boots, in which other cases ran, too"
    return said


def _shown(value: Fraction | float) -> str:
    return text.hundredths(hundredths(*Fraction(value).as_integer_ratio()))


def ask(
    words: Sequence[str], method: str | None = None, sample: str | None = None,
    *, deferred: bool = False,
) -> Question:  # fmt: skip
    """Tell kernels and result directories from the cases after them; look, and boot nothing.

    Raises:
        UsageError: there are too few or too many, or these do not go together.
    """
    first = next((at for at, word in enumerate(words) if at and _is_case(word)), len(words))
    names, cases = words[:first], words[first:]
    if not cases or _is_case(names[0]):
        raise UsageError("name a kernel or result directory, or BASE and HEAD, and a case")
    if len(names) > 2:
        raise UsageError(f"{names[2]!r} is no case, and kernels can be two at most")
    number = _number(sample)
    if len(names) > 1 and (method or sample):
        option = "--against-method" if method else "--sample"
        raise UsageError(f"{option} is about one kernel, and these are two: {', '.join(names)}")
    if sample is not None and (method is not None or deferred):
        raise UsageError("--sample goes with neither --against-method nor --deferred")
    if method is not None and method not in methods():
        raise UsageError(f"no method is called {method!r}: {', '.join(methods())}")
    chosen = [cell.case for cell in available(choose(cases, quick=False))]
    if method is not None:
        available(choose([_other(str(case), method) for case in chosen], quick=False))
    sides = tuple(map(side, names))
    return Question(_alike(sides), tuple(map(str, chosen)), method, number, deferred)


def _is_case(word: str) -> bool:
    """Whether it is, or is meant to be, a name of a case."""
    workload, slash, _ = word.partition("/")
    try:
        Case.parse(word)
    except UsageError:
        return bool(slash) and workload in workloads()
    return True


def _number(sample: str | None) -> int | None:
    if sample is None:
        return None
    if sample == "max":
        return -1
    if not (sample.isascii() and sample.isdigit()):
        raise UsageError(f"--sample takes max or a number from 0, not {sample!r}")
    return int(sample)


def _other(case: str, method: str) -> str:
    return str(replace(Case.parse(case), method=method))


def _alike(sides: tuple[Side, ...]) -> tuple[Side, ...]:
    """A kernel next to results is booted as these were."""
    known = [each for each in sides if each.results is not None]
    if len(known) != 1:
        return sides
    like = known[0]
    return tuple(
        replace(each, seed=like.seed, effort=like.effort, room=like.room) for each in sides
    )


def answer(question: Question, observer: Observer) -> list[Answer]:
    """Boot each side once, and explain the cases; those that have no figures are noted.

    Raises:
        Unsupported, CaseFailed: none has any.
        UsageError, EnvironmentMissing, LostVm, Unexplained: see `zapbench.explain.side`.
    """
    others = [_other(case, question.method) for case in question.cases if question.method]
    cases = tuple(dict.fromkeys([*question.cases, *others]))
    if len({(each.seed, each.effort) for each in question.sides}) > 1:
        observer.note("the two results were measured with another seed or effort each")
    booted = []
    for each in question.sides:
        observer.note(f"counting {text.number(len(cases), 'case')} on {each.kernel}, by call path")
        with observer.stages() as progress:
            booted.append(each.boot(cases, progress))
    found: list[Answer] = []
    lacks: list[Unsupported | CaseFailed] = []
    for case in question.cases:
        try:
            found.append(_answer(question, booted, case))
        except (Unsupported, CaseFailed) as error:
            lacks.append(error)
    if not found:
        raise lacks[0]
    for lack in lacks:
        observer.note(str(lack))
    return found


def _answer(question: Question, booted: Sequence[Booted], case: str) -> Answer:
    if question.sample is not None:
        return _one_sample(booted[-1], case, question.sample)
    pairs = [(each, case) for each in booted]
    names = labels(question.sides)
    what = DEFERRED if question.deferred else SAMPLES
    if question.method is not None:
        pairs.insert(0, (booted[-1], _other(case, question.method)))
        names = [question.method, Case.parse(case).method]
        what = f"on {question.sides[-1].kernel}, {what}"
    sides = [_side(each, name, whole=question.deferred) for each, name in pairs]
    figures = [
        Figure(label, _mean(measured), *medians)
        for label, (measured, medians) in zip(names, sides, strict=True)
    ]
    parts = [measured for measured, _ in sides]
    if len(parts) == 1:
        return Answer(alone(parts[0].figures), figures[0], None, what)
    return Answer(difference(*parts), figures[1], figures[0], what)


def _side(booted: Booted, case: str, *, whole: bool) -> tuple[Measured, Sequence[float | None]]:
    """The figures of a case, and its medians, where the case as a whole has none."""
    if whole:
        return booted.whole(case), ()
    return booted.samples(case), (booted.median(case), booted.side.recorded(case))


def _mean(measured: Measured) -> Fraction:
    only = alone(measured.figures)
    return only.each(only.total.head)


def labels(sides: Sequence[Side]) -> list[str]:
    """The kernels, or the words for them where both are of one name."""
    kernels = [each.kernel for each in sides]
    return kernels if len({*kernels}) == len(kernels) else [each.word for each in sides]


def _one_sample(booted: Booted, case: str, number: int) -> Answer:
    chosen, head = booted.sample(case, None if number < 0 else number)
    middle, base = booted.median_sample(case)
    return Answer(
        difference(base, head),
        Figure(f"sample {chosen}", _mean(head)),
        Figure(f"sample {middle}, the median one", _mean(base)),
        f"on {booted.side.kernel}",
    )
