# SPDX-License-Identifier: GPL-2.0-only
"""By how much kernels differ, in counted instructions, that differ in nothing that is executed.

`floors.json` is made by ``make bench-gate`` and comes with the tool: pairs of boots of a kernel
and of null kernels, which have another comment, symbol, text, or layout of data.  Boots of a
pair share seed, order and perturbation, so that most of their figures are equal.
"""

import json
import math
from collections.abc import Iterable, Mapping
from functools import cache
from importlib import resources

from zapbench.gate.noise import Noise
from zapbench.result.welch import Spread

FILE = "floors.json"
NONE = Noise(0.0, None)
"""Of a case that was not among them: the grain of a count is the floor."""


def noise(statistic: str, case: str, than: str | None = None, *, paired: bool) -> Noise:
    """The noise of a counted figure, or of its ratio to another in the same boot.

    A ratio moves by no more than both of its cases do.  The spread is that of pairs; boots that
    are not paired have one of their own.
    """
    cases = _table().get("p50" if statistic == "per_page" else statistic, {})
    found = [cases.get(name, NONE) for name in (case, than) if name is not None]
    floor = math.fsum(each.floor for each in found)
    return Noise(floor, found[0].spread if paired else None)


def together(found: Iterable[Noise]) -> Noise:
    """What several null kernels show: the greatest floor, the pooled spread."""
    known = list(found)
    spreads = [each.spread for each in known if each.spread is not None]
    freedom = math.fsum(each.freedom for each in spreads)
    square = math.fsum(each.error**2 * each.freedom for each in spreads)
    return Noise(
        max(each.floor for each in known),
        Spread(math.sqrt(square / freedom), freedom) if freedom else None,
    )


@cache
def _table() -> Mapping[str, Mapping[str, Noise]]:
    written = json.loads(resources.files(__package__).joinpath(FILE).read_text(encoding="utf-8"))
    freedom = written["freedom"]
    return {
        statistic: {
            case: Noise(floor, Spread(deviation, freedom))
            for case, (floor, deviation) in cases.items()
        }
        for statistic, cases in written["floors"].items()
    }
