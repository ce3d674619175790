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
from zapbench.result.stats import Ratio, prediction_factor, rank_correlation
from zapbench.result.store import Results

BASELINE = "dontneed"
"""The method that all others are related to: on every kernel, and of the same end state."""
TIERS = ("native", "icount")


@dataclass(frozen=True, slots=True)
class Point:
    """A method at one place of the matrix: its ratios to the baseline in both tiers.

    ``equivalent``: in both tiers it reaches the baseline's end state and loses nothing.
    """

    case: Case
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

    case: Case
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
    points = tuple(
        Point(case, case.method, counted[case], timed[case], _equivalent(case, native, icount))
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
        native_boots=native.boots,
        icount_boots=icount.boots,
        points=points,
        equivalent=equivalent,
        all=_agreement(points),
        estimates=estimates,
        left_out=_left_out(native, icount, workload, used),
    )


def _ratios(results: Results, workload: str) -> dict[Case, Ratio]:
    """The ratio to the baseline of each case of a workload; where there is none, no entry."""
    ratios = {}
    for case, each in results.timings.items():
        base = results.timings.get(replace(case, method=BASELINE))
        if case.workload == workload and case.method != BASELINE and base is not None:
            ratios[case] = each.relative_to(base)
    return {case: found for case, found in ratios.items() if found is not None}


def _equivalent(case: Case, *sides: Results) -> bool:
    """By its method's row in the table, and as its contract was seen on each side."""
    return all(side.table.differs.get(case) is None for side in sides)


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
        base = native.timings.get(replace(case, method=BASELINE))
        if case.method in known or base is None:
            continue
        value = base.median * counted[case].value
        estimates.append(
            NativeEstimate(case, case.method, counted[case], value, value / factor, value * factor)
        )
    return tuple(estimates)


def _left_out(
    native: Results, icount: Results, workload: str, used: Collection[Case]
) -> dict[str, str]:
    """Cases of the workload that one side alone has, or that have nothing to be related to."""
    left_out = {}
    for case in sorted(native.timings.keys() | icount.timings.keys(), key=str):
        if case.workload != workload or case.method == BASELINE or case in used:
            continue
        if case not in icount.timings:
            left_out[str(case)] = f"not measured on {icount.kernel} (icount)"
        elif case not in native.timings:
            left_out[str(case)] = f"not measured on {native.kernel} (native)"
        else:
            left_out[str(case)] = f"no {BASELINE} to relate it to, or a median of 0"
    return left_out
