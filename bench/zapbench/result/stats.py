# SPDX-License-Identifier: GPL-2.0-only
"""Statistics over records.  With `zapbench.result.welch` the only user of scipy.

The unit of replication is the boot (natively: the process): samples of one boot share its
layout and its noise, so pooling them would call most differences real.  Every test therefore
takes one figure per boot, its median.  Tails (p90 and beyond) are described from the pooled
samples and never tested.  Lower is better.

scipy loads its parts when they are used first: most commands do without, and start in a third of
the time.
"""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import scipy
from numpy.typing import NDArray

from zapbench.case import is_harness
from zapbench.record import Histogram, Samples
from zapbench.result.welch import (
    SHARE,
    mean,
    spread_between,
    student_quantile,
)

Floats = NDArray[np.float64]
BEYOND = 10  # a percentile without so many samples beyond it is a guess


@dataclass(frozen=True, slots=True)
class Distribution:
    """Values in ascending order and how often each was seen."""

    values: Floats
    counts: NDArray[np.int64]

    @property
    def size(self) -> int:
        """How many values were seen."""
        return int(self.counts.sum())

    def quantile(self, q: float) -> float:
        """The q-quantile, 0 <= q <= 1, interpolated between order statistics.

        Position ``h = (n - 1) q``: type 7 of Hyndman and Fan, "Sample Quantiles in Statistical
        Packages", The American Statistician 50 (1996), the default of numpy and R.
        """
        ends = np.cumsum(self.counts)
        position = (int(ends[-1]) - 1) * q
        below = math.floor(position)
        low, high = (
            self.values[np.searchsorted(ends, k, side="right")]
            for k in (below, min(below + 1, int(ends[-1]) - 1))
        )
        return float(low + (high - low) * (position - below))

    def tail(self, q: float) -> float | None:
        """The q-quantile if at least ten samples lie beyond it, else None."""
        beyond = self.size * (1 - q)
        return self.quantile(q) if beyond > BEYOND - 1e-6 else None


def pool(parts: Iterable[Distribution]) -> Distribution:
    """The distribution of all values of the parts together."""
    together = list(parts)
    if len(together) == 1:
        return together[0]
    values = np.concatenate([part.values for part in together])
    counts = np.concatenate([part.counts for part in together])
    order = np.argsort(values, kind="stable")
    return Distribution(values[order], counts[order])


def bucket_middle(index: int, bits: int) -> float:
    """The middle of a bucket of a record's histogram; see `zapbench.record.Histogram`."""
    if index < 2 << bits:
        return float(index)
    exponent = (index >> bits) - 1
    lowest = (index - (exponent << bits)) << exponent
    return lowest + ((1 << exponent) - 1) / 2


def _totals(record: Samples) -> Distribution:
    """Totals of the samples as they are in the record."""
    if record.values is not None:
        raw = np.sort(np.asarray(record.values, dtype=np.float64))
        return Distribution(raw, np.ones(len(raw), dtype=np.int64))
    histogram = record.histogram
    assert isinstance(histogram, Histogram)
    return of_histogram(histogram)


def of_histogram(histogram: Histogram) -> Distribution:
    """The values of a record's histogram, each the middle of its bucket; the greatest is exact."""
    values = [bucket_middle(index, histogram.bits) for index, _ in histogram.buckets]
    clipped = np.clip(np.asarray(values, dtype=np.float64), histogram.min, histogram.max)
    counts = np.asarray([count for _, count in histogram.buckets], dtype=np.int64)
    order = np.argsort(clipped, kind="stable")
    counts = counts[order]
    counts[-1] -= 1
    return Distribution(np.append(clipped[order], histogram.max), np.append(counts, 1))


def per_operation(record: Samples) -> Distribution:
    """What one operation took, in the record's unit.

    The harness's share, ``empty``, is taken off each sample: (total - empty) / operations; not
    off the case that is nothing else.
    A sample cheaper than an empty one counts as 0.
    """
    totals = _totals(record)
    share = 0 if is_harness(record.workload) else record.empty
    values = np.maximum(totals.values - share, 0.0) / record.ops_per_sample
    return Distribution(values, totals.counts)


def median_operation(record: Samples) -> float:
    """``per_operation(record).quantile(0.5)``, without an array for a few raw samples."""
    if record.values is None:
        return per_operation(record).quantile(0.5)
    values = sorted(record.values)
    share = 0 if is_harness(record.workload) else record.empty
    below, half = divmod(len(values) - 1, 2)
    low = max(values[below] - share, 0) / record.ops_per_sample
    if not half:
        return low
    high = max(values[below + 1] - share, 0) / record.ops_per_sample
    return low + (high - low) * 0.5


def fault_rate(records: Iterable[Samples]) -> float | None:
    """Faults per second of all threads together: the median of the boots.

    None where no faults were counted, or instructions are.
    """
    rates = [
        record.faults.faults / record.faults.wall * 1e9
        for record in records
        if record.faults is not None and record.unit == "ns" and record.faults.wall
    ]
    return float(np.median(rates)) if rates else None


def harness_share(records: Iterable[Samples]) -> float:
    """The greatest part of any case's median sample that is the harness itself, 0 to 1."""
    shares = (
        record.empty / median
        for record in records
        if not is_harness(record.workload) and (median := _totals(record).quantile(0.5)) > 0
    )
    return max(shares, default=0.0)


@dataclass(frozen=True, slots=True)
class Ratio:
    """How the median of one set of boots relates to another's: ``value`` = head / base.

    ``low`` and ``high`` bound the 95 % confidence interval and ``p`` is the probability of a
    difference at least this large if there were none; both from the same test, None with
    fewer than two boots on a side.  ``detectable`` is the smallest relative difference that
    so many boots, with the spread that they show, would find four times in five.
    """

    value: float
    low: float | None = None
    high: float | None = None
    p: float | None = None
    detectable: float | None = None

    @property
    def interval(self) -> tuple[float, float | None, float | None]:
        """The value, and what bounds it."""
        return self.value, self.low, self.high


def ratio(base: Sequence[float], head: Sequence[float]) -> Ratio:
    """Compare two sets of boot medians by Welch's test on their logarithms.

    With m the mean of the logarithms, value = exp(m_h - m_b).  The interval is that of the same
    t as p, so that it holds 1 exactly when p > 0.05.

    Raises:
        ValueError: a side is empty, or a median is not positive.
    """
    if not base or not head or min(*base, *head) <= 0:
        raise ValueError("a ratio needs at least one positive median on each side")
    below, above = ([math.log(median) for median in side] for side in (base, head))
    difference, spread = mean(above) - mean(below), spread_between(below, above)
    value = math.exp(difference)
    if spread is None:
        return Ratio(value)
    p = min(1.0, 2 * spread.above(abs(difference)))
    return Ratio(
        value=value,
        low=math.exp(difference - spread.reach),
        high=math.exp(difference + spread.reach),
        p=p,
        detectable=math.expm1(spread.detectable),
    )


def interval(medians: Sequence[float]) -> tuple[float, float] | None:
    """The 95 % interval of the centre of boot medians; None if there is none.

    Student's t on the logarithms, exp(m ± t_{0.975} s / sqrt(n)): costs are positive and
    skewed, and what `ratio` tests is the same mean m.
    """
    if len(medians) < 2 or min(medians) <= 0:
        return None
    logs = np.log(np.asarray(medians, dtype=np.float64))
    error = float(logs.std(ddof=1)) / math.sqrt(len(medians))
    reach = student_quantile(SHARE, len(medians) - 1) * error
    centre = float(logs.mean())
    return math.exp(centre - reach), math.exp(centre + reach)


def rank_correlation(left: Sequence[float], right: Sequence[float]) -> float | None:
    """Spearman's rank correlation, -1 to 1, of pairs; ties share their mean rank.

    None with fewer than three pairs, or when a side does not vary: nothing is ordered then.
    C. Spearman, The American Journal of Psychology 15 (1904).
    """
    if len(left) < 3 or min(len(set(left)), len(set(right))) < 2:
        return None
    return float(scipy.stats.spearmanr(left, right).statistic)


def prediction_factor(predicted: Sequence[float], seen: Sequence[float]) -> float | None:
    """How far off, as a factor, predictions of positive figures were: 95 % of them are within.

    With d = ln(seen / predicted) and r² = Σd² / n, it is exp(t_{0.975}(n) r).  The mean of d
    is not taken off, so a bias of the predictions widens the factor; n degrees of freedom,
    since nothing was fitted.  None with fewer than three pairs.
    """
    if len(predicted) < 3:
        return None
    logs = np.log(np.asarray(seen, dtype=np.float64) / np.asarray(predicted, dtype=np.float64))
    root = math.sqrt(float((logs**2).mean()))
    return math.exp(student_quantile(SHARE, len(logs)) * root)


def adjust(p_values: Sequence[float | None]) -> list[float | None]:
    """Adjust p values of one grid for their number; None stays None and is not counted.

    Step-up procedure of Benjamini and Hochberg, Journal of the Royal Statistical Society B 57
    (1995): of the differences with an adjusted p <= q, at most a share q is false.
    """
    known = [p for p in p_values if p is not None]
    if not known:
        return [None for _ in p_values]
    adjusted = iter(scipy.stats.false_discovery_control(known, method="bh"))
    return [None if p is None else float(next(adjusted)) for p in p_values]
