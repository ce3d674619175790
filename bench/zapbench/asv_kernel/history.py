# SPDX-License-Identifier: GPL-2.0-only
"""The figures of each case over the commits of a branch, as asv's results have them."""

import ast
import itertools
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from statistics import median
from typing import Any

from asv.results import Results, iter_results
from asv.util import ProcessError

from zapbench.asv_kernel import options, suite
from zapbench.asv_kernel.results import Project
from zapbench.case import Case
from zapbench.error import UsageError
from zapbench.record import Unit

QUARTILES = 1.349
"""Between the quartiles of normal noise lie so many standard deviations."""
DEFAULT_THRESHOLD = 0.05
"""asv's own, where asv.conf.json has no regressions_thresholds."""


@dataclass(frozen=True, slots=True)
class Series:
    """A case on one machine, over the commits that have a figure of it, the oldest first.

    ``places`` are the places of those commits in all of the branch, ``noise`` the standard error
    of a figure and ``least`` the smallest change of interest, as logarithms.
    """

    machine: str
    accel: str
    configuration: str | None
    case: str
    unit: Unit
    commits: tuple[str, ...]
    places: tuple[int, ...]
    figures: tuple[float, ...]
    noise: float
    least: float


@dataclass(frozen=True, slots=True, order=True)
class _Key:
    machine: str
    accel: str
    configuration: str | None
    unit: Unit
    benchmark: str
    parameters: tuple[str, ...]


_Cell = tuple[float, float | None]
"""A figure, and its standard error as a logarithm, if boots tell."""


def series(project: Project) -> Iterator[Series]:
    """All that asv has results of, branch by branch.

    Raises:
        UsageError: the repository lacks a branch of asv.conf.json.
    """
    kept: dict[_Key, dict[str, _Cell]] = defaultdict(dict)
    for result in iter_results(project.conf.results_dir):
        for key, cell in _cells(result):
            kept[key][result.commit_hash] = cell
    cases: Mapping[tuple[str, ...], Case] = {
        (unit, name, *parameters): case
        for unit in suite.UNITS
        for name, members in suite.index(unit).items()
        for parameters, case in members.items()
    }
    for branch in project.conf.branches:
        order = _order(project, branch)
        for key in sorted(kept, key=repr):
            case = cases.get((key.unit, key.benchmark, *key.parameters))
            found = sorted(kept[key].keys() & order.keys(), key=order.__getitem__)
            if case is None or not found:
                continue
            cells = [kept[key][commit] for commit in found]
            yield Series(
                key.machine,
                key.accel,
                key.configuration,
                str(case),
                key.unit,
                tuple(found),
                tuple(order[commit] for commit in found),
                tuple(figure for figure, _ in cells),
                _noise(key.unit, [error for _, error in cells if error is not None]),
                math.log1p(_threshold(project.conf.regressions_thresholds, key, branch)),
            )


def _order(project: Project, branch: str | None) -> dict[str, int]:
    """The commits of a branch in the order of asv's graphs, numbered from the first one."""
    try:
        newest_first = project.repo.get_branch_commits(branch)
    except ProcessError as error:
        raise UsageError(
            f"{project.conf.repo} has no branch {branch}, see asv.conf.json"
        ) from error
    return {commit: number for number, commit in enumerate(reversed(newest_first))}


def _cells(result: Results) -> Iterator[tuple[_Key, _Cell]]:
    """What a result file says, by what it says it of; not what failed or is n/a."""
    told = result.env_vars
    where = (
        str(result.params["machine"]),
        str(told.get(options.ACCEL, "icount")),
        told.get(options.CONFIG),
    )
    units: Mapping[str, Unit] = {f"track_{word}": unit for unit, word in suite.UNITS.items()}
    for name in result.get_all_result_keys():
        unit = units.get(name.rpartition(".")[2])
        columns = result.get_result_params(name)
        values = result.get_result_value(name, columns)
        spreads = result.get_result_stats(name, columns)
        if unit is None or values is None:
            continue
        keys = itertools.product(*([ast.literal_eval(text) for text in each] for each in columns))
        for key, value, spread in zip(keys, values, spreads or (), strict=False):
            if value is not None and value > 0:  # not NaN
                yield _Key(*where, unit, name, key), (value, _error(value, spread))


def _error(value: float, spread: Mapping[str, Any] | None) -> float | None:
    """The standard error of a median over boots; None where there was but one."""
    if spread is None or (spread.get("repeat") or 0) < 2:
        return None
    return float(spread["q_75"] - spread["q_25"]) / QUARTILES / value / math.sqrt(spread["repeat"])


def _noise(unit: Unit, errors: list[float]) -> float:
    """What boots say of the noise of a figure.

    Where instructions are counted, they say nothing of it: the boots of one number are perturbed
    alike in all commits, so that what they differ by falls out.
    """
    return 0.0 if unit == "instructions" or not errors else median(errors)


def _threshold(thresholds: Mapping[str, float], key: _Key, branch: str | None) -> float:
    """The smallest change that asv is to name: the greatest whose pattern fits, as asv has it."""
    name = f"{key.benchmark}({', '.join(map(repr, key.parameters))})"
    name += "" if branch is None else f"@{branch}"
    fitting = [float(value) for regex, value in thresholds.items() if re.match(regex, name)]
    return max(fitting, default=DEFAULT_THRESHOLD)
