# SPDX-License-Identifier: GPL-2.0-only
"""The timings of each case, grouped by boot once; all that is said of a case is made from them."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from zapbench.case import Case
from zapbench.record import Samples, Unit
from zapbench.result.stats import (
    Distribution,
    Ratio,
    adjust,
    interval,
    median_operation,
    per_operation,
    pool,
    ratio,
)
from zapbench.result.welch import CONFIDENCE


@dataclass(frozen=True, eq=False)
class Timings:
    """One case over all boots of one kernel and tier.

    ``boots`` maps the number of a boot to its records: more than one if the case was repeated.
    """

    case: Case
    boots: Mapping[int, Sequence[Samples]]

    @cached_property
    def records(self) -> list[Samples]:
        """All of them."""
        return [record for records in self.boots.values() for record in records]

    @property
    def unit(self) -> Unit:
        """``ns`` or ``instructions``."""
        return self.records[0].unit

    @property
    def pages_per_op(self) -> int:
        """Pages that one operation is about."""
        return self.records[0].pages_per_op

    @cached_property
    def operations(self) -> dict[int, Distribution]:
        """What one operation took, by boot; repetitions in a boot are pooled."""
        return {boot: pool(map(per_operation, records)) for boot, records in self.boots.items()}

    @cached_property
    def pooled(self) -> Distribution:
        """Every operation of every boot."""
        return pool(self.operations.values())

    @cached_property
    def medians(self) -> list[float]:
        """The boots' medians of one operation, in ``unit``, in the order of the boots."""
        return [self._half(boot) for boot in sorted(self.boots)]

    @cached_property
    def median(self) -> float:
        """The median of the boots' medians: the headline figure of the case."""
        return float(np.median(self.medians))

    @property
    def per_page(self) -> float | None:
        """The same for one page; None where an operation is on none."""
        return self.median / self.pages_per_op if self.pages_per_op else None

    @cached_property
    def interval(self) -> tuple[float, float] | None:
        """The 95 % interval of the boots' medians; see `zapbench.result.stats.interval`."""
        return interval(self.medians)

    def relative_to(self, base: "Timings") -> Ratio | None:
        """The ratio of the boots' medians to another case's; None where one is not above 0."""
        if min(*base.medians, *self.medians) <= 0:
            return None
        return ratio(base.medians, self.medians)

    def figures(self, statistic: str) -> dict[int, float | None]:
        """One figure a boot, by a row of `STATISTICS`, in ``unit``."""
        return {boot: STATISTICS[statistic](self, boot) for boot in self.boots}

    def _half(self, boot: int) -> float:
        records = self.boots[boot]
        if len(records) == 1:
            return median_operation(records[0])
        return self.operations[boot].quantile(0.5)

    def _whole(self, boot: int) -> float | None:
        totals = [record.case_total for record in self.boots[boot]]
        known = [total.value / total.ops for total in totals if total is not None and total.ops]
        return float(np.median(known)) if known else None

    def _page(self, boot: int) -> float | None:
        pages = self.boots[boot][0].pages_per_op
        return self._half(boot) / pages if pages else None


STATISTICS: Mapping[str, Callable[[Timings, int], float | None]] = {
    "p50": Timings._half,
    "p99": lambda each, boot: each.operations[boot].tail(0.99),
    "p99.9": lambda each, boot: each.operations[boot].tail(0.999),
    "per_page": Timings._page,
    "case_total": Timings._whole,
}
"""What one boot of a case comes to; None: it does not have it.

``case_total`` is the cost of an operation with the work that the kernel put off."""


def by_case(records: Iterable[Samples]) -> dict[Case, Timings]:
    """Group the samples of one kernel and tier, in the order in which their cases came.

    Raises:
        UsageError: a record names a case that is none.
    """
    found: dict[str, dict[int, list[Samples]]] = {}
    for record in records:
        found.setdefault(record.case, {}).setdefault(record.run.boot, []).append(record)
    cases = ((Case.parse(name), boots) for name, boots in found.items())
    return {case: Timings(case, boots) for case, boots in cases}


@dataclass(frozen=True, slots=True)
class Difference:
    """One case of a comparison; ``p`` is adjusted for the number of cases compared."""

    base: Timings
    head: Timings
    ratio: Ratio
    p: float | None

    @property
    def case(self) -> Case:
        """The case."""
        return self.base.case

    @property
    def verdict(self) -> str:
        """``faster`` or ``slower`` where the adjusted p is below 0.05, else no difference."""
        if self.p is None:
            return "too few boots"
        if self.p >= 1 - CONFIDENCE:
            return "no difference seen"
        return "slower" if self.ratio.value > 1 else "faster"


def compare(base: Mapping[Case, Timings], head: Mapping[Case, Timings]) -> list[Difference]:
    """Compare the cases that both sides have, in the order of the base.

    Raises:
        ValueError: a case is measured in different units.
    """
    pairs = [(base[case], head[case]) for case in base if case in head]
    for old, new in pairs:
        if old.unit != new.unit:
            raise ValueError(f"{old.case}: one side is in {old.unit}, the other in {new.unit}")
    known = [(old, new, found) for old, new in pairs if (found := new.relative_to(old))]
    adjusted = adjust([found.p for _, _, found in known])
    return [Difference(*each, p) for each, p in zip(known, adjusted, strict=True)]
