# SPDX-License-Identifier: GPL-2.0-only
"""asv benchmarks made from the case tables: one per workload, size of range and unit.

Their parameters are the page size, the method (or what maps the pages) and the backing.  asv
takes the product of them; what the tables rule out of it, or the kernel lacks, is "n/a".
"""

import io
import json
import os
from collections.abc import Callable, Iterable, Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any

from asv_runner.benchmarks.mark import SkipNotImplemented
from asv_runner.discovery import list_benchmarks

from zapbench.asv_kernel import options
from zapbench.case import NO_METHOD, Case, grid, is_harness, size_text
from zapbench.error import Unsupported
from zapbench.gate.budget import TIERS
from zapbench.gate.budget import load as load_budgets
from zapbench.record import VERSION, Unit

Key = tuple[str, str, str]
"""Page size, method and backing: the parameters of a benchmark."""

SOURCE: ContextVar[Callable[[str], float]] = ContextVar("source")
"""Where a benchmark that runs has its figure from: the case's median in the boot of this round."""

NEVER = 1e6
"""Seconds; not infinity, which JSON does not have and asv's pages choke on."""
PARAMETERS = ("page_size", "method", "backing")
UNITS: dict[Unit, str] = {"instructions": "instructions", "ns": "ns"}


def cases() -> list[Case]:
    """What every boot measures: the quick grid, as far as the tables allow it.

    Not the methods along further axes: asv would take the product of those, too.
    """
    return [
        cell.case
        for cell in grid(quick=True)
        if cell.excluded is None and (cell.case.method == NO_METHOD or not cell.case.axes)
    ]


def key(case: Case) -> Key:
    """The parameters that stand for a case in its benchmark."""
    by = dict(case.axes).get("by", case.workload)
    return (
        size_text(case.page_size),
        by if case.method == NO_METHOD else case.method,
        case.backing,
    )


def benchmark_name(case: Case, unit: Unit) -> str:
    """The benchmark of a case, as asv names it: ``cycle.2m.track_instructions``."""
    return f"{case.workload}.{size_text(case.range_size)}.track_{UNITS[unit]}"


def index(unit: Unit) -> dict[str, dict[Key, Case]]:
    """All benchmarks of a unit, by name, and their cases by parameters."""
    table: dict[str, dict[Key, Case]] = {}
    for case in cases():
        if not is_harness(case.workload):
            table.setdefault(benchmark_name(case, unit), {})[key(case)] = case
    return table


def _ordered(values: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(values))


def _benchmark(name: str, members: dict[Key, Case], unit: Unit) -> type:
    def setup(_self: object, *parameters: str) -> None:
        if parameters not in members:  # asv's word for "n/a"
            raise NotImplementedError("the case tables rule it out")

    def track(_self: object, *parameters: str) -> dict[str, Any]:
        try:
            figure = SOURCE.get()(str(members[parameters]))  # type: ignore[index]
        except Unsupported as reason:
            raise SkipNotImplemented(str(reason)) from reason
        # asv computes medians, intervals and tests for those that return samples.
        return {"samples": [figure], "number": 1}

    track.benchmark_name = name  # type: ignore[attr-defined]
    track.pretty_source = f"{name}: the median in one boot"  # type: ignore[attr-defined]
    first = next(iter(members.values()))
    columns = zip(*members, strict=True)
    return type(
        "".join(word.title() for word in name.split(".")),
        (),
        {
            "__doc__": f"{first.workload} over {size_text(first.range_size)}; lower is better.",
            "params": [_ordered(column) for column in columns],
            "param_names": list(PARAMETERS),
            "unit": unit,
            "timeout": NEVER,  # boots have limits of their own
            "version": f"records-{VERSION}",
            "setup": setup,
            f"track_{UNITS[unit]}": track,
        },
    )


def benchmarks() -> Iterator[tuple[str, type]]:
    """The classes that asv discovers, by their names; units as asv.conf.json chooses them."""
    for unit in UNITS:
        if unit in os.environ.get(options.UNITS, "instructions").split():
            for name, members in index(unit).items():
                made = _benchmark(name, members, unit)
                yield made.__name__, made


def discover(root: Path) -> list[dict[str, Any]]:
    """The benchmarks below a directory as asv keeps them, with attributes that it leaves out.

    asv runs every benchmark in ``rounds`` rounds, but reads the attribute from those that take
    times only; ``direction`` says which way is better; ``budget`` what the gate demands of the
    cases, each as "CASE: LIMIT".
    """
    found = io.StringIO()
    list_benchmarks(str(root), found)
    rounds = int(os.environ.get(options.ROUNDS, options.DEFAULT_ROUNDS))
    chosen = os.environ.get(options.BUDGETS)
    budgets = load_budgets(Path(chosen)).budgets if chosen else ()
    demands: dict[str, list[str]] = {}
    for unit in UNITS:
        for name, members in index(unit).items():
            demands[name] = [
                f"{case}: {budget.limit.text}"
                for case in map(str, members.values())
                for budget in budgets
                if budget.matches(case) and any(TIERS[tier] == unit for tier in budget.tiers)
            ]
    return [
        each | {"rounds": rounds, "direction": "lower", "budget": demands.get(each["name"], [])}
        for each in json.loads(found.getvalue())
    ]


def write_discovered(words: list[str]) -> None:
    """What asv's script does when it is asked to discover: directory, and file to write."""
    root, result = words
    Path(result).write_text(json.dumps(discover(Path(root))))
