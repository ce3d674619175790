# SPDX-License-Identifier: GPL-2.0-only
"""Suspected steps and creep in the history that asv keeps."""

import fnmatch
import math
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Literal

from zapbench.asv_kernel.history import Series, series
from zapbench.asv_kernel.results import Project
from zapbench.error import UsageError
from zapbench.record import Unit
from zapbench.result import steps


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change between two commits, which have names: tags, or the begin of their hashes.

    ``before`` and ``after`` are the figures of the two.  ``change`` is a ratio, for creep without
    what steps make of it, which is ``steps``, and ``largest`` the most that one commit makes of
    it.  ``commits`` is how many there are after the first up to the second, measured or not.
    """

    kind: Literal["step", "creep"]
    case: str
    machine: str
    accel: str
    configuration: str | None
    unit: Unit
    good: str
    bad: str
    names: tuple[str, str]
    commits: int
    before: float
    after: float
    change: float
    largest: float
    steps: float


@dataclass(frozen=True, slots=True)
class Searched:
    """What was looked through, and what was found there."""

    series: int
    suspects: tuple[Suspect, ...]


def search(project: Project, globs: Collection[str], machine: str | None) -> Searched:
    """Look through all series of cases that a glob matches, on a machine or on all.

    Raises:
        UsageError: there are no results of such cases.
    """
    found = [
        each
        for each in series(project)
        if machine in (None, each.machine)
        and (not globs or any(fnmatch.fnmatchcase(each.case, glob) for glob in globs))
    ]
    if not found:
        what = f" of {', '.join(globs)}" if globs else ""
        where = f" on {machine}" if machine else ""
        raise UsageError(
            f"{project.conf.results_dir} has no results{what}{where} on "
            f"{', '.join(map(str, project.conf.branches))}: `asv run` makes them"
        )
    return Searched(len(found), tuple(each for of in found for each in _suspects(project, of)))


def _suspects(project: Project, of: Series) -> Iterator[Suspect]:
    for change in steps.find(of.figures, of.least, of.noise):
        good, bad = of.commits[change.left], of.commits[change.right]
        yield Suspect(
            kind=change.kind,
            case=of.case,
            machine=of.machine,
            accel=of.accel,
            configuration=of.configuration,
            unit=of.unit,
            good=good,
            bad=bad,
            names=(_name(project, good), _name(project, bad)),
            commits=of.places[change.right] - of.places[change.left],
            before=of.figures[change.left],
            after=of.figures[change.right],
            change=math.exp(change.size),
            largest=math.exp(change.largest),
            steps=math.exp(change.steps),
        )


def _name(project: Project, commit: str) -> str:
    return project.repo.get_name_from_hash(commit) or commit[:12]
