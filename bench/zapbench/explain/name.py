# SPDX-License-Identifier: GPL-2.0-only
"""The functions that a difference is due to, in a few words."""

from collections import Counter

from zapbench import text
from zapbench.explain.difference import Difference
from zapbench.explain.folded import safe

MOST = 3
"""Functions that are named."""


def named(found: Difference, *, rises: bool = True) -> list[str]:
    """The functions that grew most (or shrank), by how much, and whose calls made them."""
    sign = 1 if rises else -1
    moved = [each for each in found.functions if sign * each.cost.change > 0][:MOST]
    return [
        f"{safe(each.label)} {_change(found, each.cost.change)}{_caller(found, each.name, sign)}"
        for each in moved
    ]


def _change(found: Difference, instructions: int) -> str:
    return text.change_tenths(float(found.each(instructions)))


def _caller(found: Difference, name: str, sign: int) -> str:
    """Who called it for most of what it changed by."""
    callers: Counter[str] = Counter()
    for path, cost in found.paths.items():
        if path[-1] == name and len(path) > 1:
            callers[path[-2]] += sign * cost.change
    return f", called by {safe(callers.most_common(1)[0][0])}" if callers else ""
