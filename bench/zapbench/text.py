# SPDX-License-Identifier: GPL-2.0-only
"""Numbers as text: every rule by which a figure is shown, named by what it is for.

Rules differ in digits where their readers do: a terminal shows three, a report four, since it
must not depend on what libraries make of the fifth.  A unit that is not ``ns`` is a count.
"""

import math
from collections.abc import Callable, Sequence

NONE = "—"
"""What is written where there is no figure."""
DIGITS = 4
"""Significant digits of what is published: more of them depend on the libraries' versions."""
_TIMES = ((1e9, "s"), (1e6, "ms"), (1e3, "µs"), (1.0, "ns"))
_COUNTS = ((1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_AXES = {
    "ns": _TIMES,
    "instructions": (
        (1e6, "million instructions"),
        (1e3, "thousand instructions"),
        (1.0, "instructions"),
    ),
}


Scale = tuple[tuple[float, str], ...]  # factors with their names, the greatest first


def _step(value: float, scale: Scale, reach: float = 1.0) -> tuple[float, str]:
    """The greatest factor that a value reaches, or a part of it, else the least."""
    return next((step for step in scale if value >= step[0] * reach), scale[-1])


def three(value: float) -> str:
    """A count: three digits, and all of those before the point."""
    return whole(value) if value >= 100 else f"{value:.3g}"


def whole(value: float | None) -> str:
    """A count without a fraction: ``12,345``."""
    return NONE if value is None else f"{value:,.0f}"


def tenths(value: float) -> str:
    """A cost next to the limit that it is judged by."""
    return f"{value:,.1f}"


def cost(value: float | None, unit: str) -> str:
    """A cost on a terminal: a time with three digits and its unit, or a count."""
    if value is None:
        return NONE
    if unit != "ns":
        return three(value)
    factor, name = _step(value, _TIMES, 0.9995)  # 999.5 ns are shown as 1.00 µs, not 1000 ns
    scaled = value / factor
    digits = 2 if scaled < 9.995 else 1 if scaled < 99.95 else 0
    return f"{scaled:.{digits}f} {name}"


def hundredths(value: int) -> str:
    """A part of a sum that is to be added up: ``1,234.56`` of 123456."""
    return f"{value / 100:,.2f}"


def change_hundredths(value: int) -> str:
    """The same of what was added or taken away: ``+0.56``."""
    return f"{value / 100:+,.2f}" if value else "0.00"


def change_tenths(value: float) -> str:
    """What was added to a cost: ``+130.8``."""
    return f"{value:+,.1f}"


def rounded(value: float) -> float:
    """A figure to `DIGITS` significant digits."""
    return float(f"{value:.{DIGITS}g}")


def full_cost(value: float | None, unit: str) -> str:
    """A cost in a report: four digits, a time in its unit or a count with k, M or G."""
    if value is None:
        return NONE
    factor, name = _step(rounded(value), _TIMES if unit == "ns" else _COUNTS)
    scaled = rounded(value / factor)
    digits = DIGITS - 1 - math.floor(math.log10(scaled)) if scaled > 0 else 0
    return f"{scaled:.{min(max(digits, 0), DIGITS)}f} {name}".strip()


def between(low: float, high: float, unit: str, joint: str = " to ") -> str:
    """An interval of costs in a report; what both ends have in common is written once."""
    ends = [full_cost(low, unit), full_cost(high, unit)]
    scales = [end.partition(" ")[2] for end in ends]
    if scales[0] == scales[1]:
        ends[0] = ends[0].partition(" ")[0]
    return joint.join(ends)


def span(values: Sequence[float], form: Callable[[float], str]) -> str:
    """The least and the greatest of some values; once if they look alike."""
    low, high = form(min(values)), form(max(values))
    return low if low == high else f"{low} to {high}"


def short(value: float) -> str:
    """A cost where there is little room: three digits, and k, M or G."""
    factor, letter = _step(value, _COUNTS)
    return f"{value / factor:.3g}{letter}"


def bar(value: float) -> str:
    """A figure at the end of a bar: three digits with their zeros; thousands are kept whole."""
    if value >= 100:
        return whole(value)
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def tick(value: float, unit: str) -> str:
    """A mark on an axis of costs: as many digits as it takes."""
    factor, name = _step(value, _TIMES if unit == "ns" else _COUNTS)
    return f"{value / factor:g}{' ' if unit == 'ns' else ''}{name}"


def axis_scale(greatest: float, unit: str) -> tuple[float, str]:
    """What the figures of an axis are divided by, and what it is then labelled with."""
    return _step(greatest, _AXES[unit])


def ratio(
    value: float | None, low: float | None = None, high: float | None = None, *, digits: int = 2
) -> str:
    """A ratio, with its interval where there is one."""
    if value is None:
        return NONE
    interval = "" if low is None or high is None else f" {ratio_interval(low, high, digits=digits)}"
    return f"{value:.{digits}f}{interval}"


def ratio_interval(low: float, high: float, *, digits: int = 2) -> str:
    """The interval of a ratio alone: ``[0.98, 1.07]``."""
    return f"[{low:.{digits}f}, {high:.{digits}f}]"


def times(value: float) -> str:
    """A ratio in a sentence: ``1.07×``."""
    return f"{value:.2f}×" if value < 99.5 else f"{value:.0f}×"


def share(value: float, digits: int = 1) -> str:
    """A part of a whole: ``2.5%``."""
    return f"{value:.{digits}%}"


def change(value: float, digits: int = 1) -> str:
    """A ratio as what it changes: ``+2.5%``."""
    return f"{value - 1:+.{digits}%}"


def judged_change(value: float) -> str:
    """A ratio as what it changes, with enough digits to be told from none: ``+0.04 %``."""
    size = abs(value - 1)
    digits = 1 if size >= 0.1 else 2 if size >= 0.001 else 3
    return f"{value - 1:+.{digits}%}".replace("%", " %")


def memory(size: int) -> str:
    """Bytes of a whole machine: ``7.8 GiB``."""
    return f"{size / (1 << 30):.1f} GiB"


def probability(p: float | None) -> str:
    """A p value."""
    if p is None:
        return NONE
    return "<0.0001" if p < 0.0001 else f"{p:.4f}"


def number(count: int, noun: str) -> str:
    """``1 boot``, ``3 boots``, ``2 processes``."""
    plural = f"{noun}es" if noun.endswith("s") else f"{noun}s"
    return f"{count:,} {noun if count == 1 else plural}"


MOST_NAMES = 20


def some(names: Sequence[str]) -> str:
    """``a, b, c``; of more than `MOST_NAMES` the first, and how many more there are."""
    more = len(names) - MOST_NAMES
    return ", ".join(names[:MOST_NAMES]) + (
        f", … and {more} more (--json has all)" if more > 0 else ""
    )


def listed(words: Sequence[str]) -> str:
    """``a, b and c``."""
    if len(words) < 2:
        return "".join(words)
    return f"{', '.join(words[:-1])} and {words[-1]}"
