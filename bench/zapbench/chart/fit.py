# SPDX-License-Identifier: GPL-2.0-only
"""What a call costs before its first page, and what each page adds."""

from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Fit:
    """cost = ``fixed`` + ``marginal`` x pages, both in the unit of the costs, neither below 0.

    ``worst`` is how far the line is off at its worst point, relative to that point's cost.
    """

    fixed: float
    marginal: float
    worst: float

    def at(self, pages: float) -> float:
        """The cost of so many pages."""
        return self.fixed + self.marginal * pages


def fit_line(pages: Sequence[float], costs: Sequence[float]) -> Fit | None:
    """The line with the least squared relative error; None with fewer than two sizes.

    Costs span a factor of a thousand, so an absolute error would see the largest range only:
    weighted least squares, weights 1 / cost², solved by its normal equations.  A negative
    part would be no cost: it is held at 0, and the other fitted alone.

    Raises:
        ValueError: a cost is not positive, or the sides differ in length.
    """
    if len(pages) != len(costs) or any(cost <= 0 for cost in costs):
        raise ValueError("a fit needs one positive cost for each number of pages")
    if len(set(pages)) < 2:
        return None
    ones = [1 / cost for cost in costs]
    sizes = [size / cost for size, cost in zip(pages, costs, strict=True)]
    aa, bb = sum(x * x for x in ones), sum(x * x for x in sizes)
    ab = sum(x * y for x, y in zip(ones, sizes, strict=True))
    a, b = sum(ones), sum(sizes)
    determinant = aa * bb - ab * ab
    fixed, marginal = (a * bb - b * ab) / determinant, (b * aa - a * ab) / determinant
    if fixed < 0:
        fixed, marginal = 0.0, b / bb
    elif marginal < 0:
        fixed, marginal = a / aa, 0.0
    off = (
        abs(fixed + marginal * size - cost) / cost for size, cost in zip(pages, costs, strict=True)
    )
    return Fit(fixed, marginal, max(off))
