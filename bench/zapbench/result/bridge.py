# SPDX-License-Identifier: GPL-2.0-only
"""What counting instructions says about time: the bridge from icount to a real machine.

Methods that run in both places are the piers: their cost relative to `BASELINE`, counted and
timed.  Where the counted ratio predicts the timed one, a method that was only counted (its
kernel was never booted on the metal) can be *estimated*, never more than that.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

from zapbench.case import Case
from zapbench.error import UsageError
from zapbench.record import Context
from zapbench.result.stats import Ratio, Series, prediction_factor, rank_correlation, ratio
from zapbench.result.store import Results
from zapbench.result.table import build

BASELINE = "dontneed"
"""The method that all others are related to: on every kernel, and of the same end state."""
TIERS = ("native", "icount")


@dataclass(frozen=True, slots=True)
class Point:
    """A method at one place of the matrix: its ratios to the baseline in both tiers.

    ``equivalent``: in both tiers it reaches the baseline's end state and loses nothing.
    """

    case: str
    method: str
    icount: Ratio
    native: Ratio
    equivalent: bool


@dataclass(frozen=True, slots=True)
class Agreement:
    """How well counted ratios predict timed ones over some points.

    ``rank_correlation`` is Spearman's; ``factor`` is the residual, that of
    `zapbench.result.stats.prediction_factor`.  Each is None with fewer than three points.
    """

    points: int
    rank_correlation: float | None
    factor: float | None


@dataclass(frozen=True, slots=True)
class NativeEstimate:
    """What a method that was only counted would cost natively, in ns; measured nowhere.

    ``value`` = native median of the baseline x counted ratio; ``low`` and ``high`` are it
    divided and multiplied by the residual factor of the equivalent methods.
    """

    case: str
    method: str
    ratio: Ratio
    value: float
    low: float
    high: float
    status: str = "estimated"


@dataclass(frozen=True, slots=True)
class Bridge:
    """Two results of one workload, related.

    ``native`` and ``icount`` name the kernels, ``native_boots`` counts processes; ``left_out``
    maps cases that are neither a point nor estimated to the reason.
    """

    workload: str
    native: str
    icount: str
    native_boots: int
    icount_boots: int
    points: tuple[Point, ...]
    equivalent: Agreement
    all: Agreement
    estimates: tuple[NativeEstimate, ...]
    left_out: dict[str, str]


def build_bridge(native: Results, icount: Results, workload: str = "cycle") -> Bridge:
    """Relate two results.

    Each point's ratios are `zapbench.result.stats.ratio` of a method's boot medians to the
    baseline's at the same place, once in instructions, once in ns.  The residual is taken of
    the equivalent methods only: copying a lost page back is another kind of work than zapping.

    Raises:
        UsageError: a side is of another tier, or they have no incumbent in common.
    """
    for results, tier in zip((native, icount), TIERS, strict=True):
        if results.tier != tier:
            raise UsageError(
                f"{results.directory} was measured by {results.tier}, not {tier}: "
                "give the native directory first, then the one of --accel icount"
            )
    counted = _ratios(icount, workload)
    timed = _ratios(native, workload)
    differs = _differing(native) | _differing(icount)
    points = tuple(
        Point(str(case), case.method, counted[case], timed[case], str(case) not in differs)
        for case in sorted(counted.keys() & timed.keys())
    )
    if not points:
        raise UsageError(
            f"{native.directory} and {icount.directory} have no {workload} case in common that "
            f"{BASELINE} is there to relate to: measure the same cases in both"
        )
    equivalent = _agreement([point for point in points if point.equivalent])
    estimates = _estimates(native, counted, timed, equivalent.factor)
    used = {point.case for point in points} | {estimate.case for estimate in estimates}
    return Bridge(
        workload=workload,
        native=native.kernel,
        icount=icount.kernel,
        native_boots=_boots(native),
        icount_boots=_boots(icount),
        points=points,
        equivalent=equivalent,
        all=_agreement(points),
        estimates=estimates,
        left_out=_left_out(native, icount, workload, used),
    )


def _ratios(results: Results, workload: str) -> dict[Case, Ratio]:
    """The ratio to the baseline of each case of a workload; where there is none, no entry."""
    cases = {Case.parse(name): series for name, series in results.series.items()}
    ratios = {}
    for case, series in cases.items():
        base = cases.get(replace(case, method=BASELINE))
        if case.workload == workload and case.method != BASELINE and _comparable(base, series):
            assert base is not None
            ratios[case] = ratio(base.medians, series.medians)
    return ratios


def _comparable(base: Series | None, series: Series) -> bool:
    return base is not None and min(*base.medians, *series.medians) > 0


def _differing(results: Results) -> set[str]:
    """The cases whose method is not equivalent, by its table row or as its contract was seen."""
    groups = build(results.recording).groups
    return {row.case for group in groups for row in group.rows if row.differs is not None}


def _boots(results: Results) -> int:
    return len({context.run.boot for context in results.recording.of(Context)})


def _agreement(points: Sequence[Point]) -> Agreement:
    counted = [point.icount.value for point in points]
    timed = [point.native.value for point in points]
    return Agreement(
        points=len(points),
        rank_correlation=rank_correlation(counted, timed),
        factor=prediction_factor(counted, timed),
    )


def _estimates(
    native: Results,
    counted: Mapping[Case, Ratio],
    timed: Mapping[Case, Ratio],
    factor: float | None,
) -> tuple[NativeEstimate, ...]:
    """Estimates of the methods that no native case shows; none without a residual."""
    if factor is None:
        return ()
    known = {case.method for case in timed}
    estimates = []
    for case in sorted(counted):
        base = native.series.get(str(replace(case, method=BASELINE)))
        if case.method in known or base is None:
            continue
        value = base.median * counted[case].value
        estimates.append(
            NativeEstimate(
                str(case), case.method, counted[case], value, value / factor, value * factor
            )
        )
    return tuple(estimates)


def _left_out(
    native: Results, icount: Results, workload: str, used: Collection[str]
) -> dict[str, str]:
    """Cases of the workload that one side alone has, or that have nothing to be related to."""
    left_out = {}
    for name in sorted(native.series.keys() | icount.series.keys()):
        case = Case.parse(name)
        if case.workload != workload or case.method == BASELINE or name in used:
            continue
        if name not in icount.series:
            left_out[name] = f"not measured on {icount.kernel} (icount)"
        elif name not in native.series:
            left_out[name] = f"not measured on {native.kernel} (native)"
        else:
            left_out[name] = f"no {BASELINE} to relate it to, or a median of 0"
    return left_out
