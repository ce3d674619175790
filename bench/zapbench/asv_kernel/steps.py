# SPDX-License-Identifier: GPL-2.0-only
"""Suspected steps and creep in the history that asv keeps."""

import fnmatch
import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

from zapbench.asv_kernel.history import Series, series
from zapbench.asv_kernel.results import Project
from zapbench.error import Unsupported, UsageError, ZapbenchError
from zapbench.host.cache import Progress, no_progress
from zapbench.pairs import FRESH_SEED, Confirmation, Outcome, Subject
from zapbench.record import Unit
from zapbench.result import steps
from zapbench.where import ACCELERATORS


@dataclass(frozen=True, slots=True)
class Suspect:
    """A change between two commits, which have names: tags, or the begin of their hashes.

    ``before`` and ``after`` are the figures of the two.  ``change`` is a ratio, for creep without
    what steps make of it, which is ``steps``, and ``largest`` the most that one commit makes of
    it.  ``commits`` is how many there are after the first up to the second, measured or not.
    ``pairs`` is what fresh boots of both say; ``untold`` is why there are none though asked for.
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
    pairs: Confirmation | None = None
    untold: str = ""

    @property
    def confirmed(self) -> bool:
        """Fresh pairs of boots show it, too."""
        return self.pairs is not None and self.pairs.confirmed


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


def confirm(
    project: Project, suspects: Sequence[Suspect], boots: int, progress: Progress = no_progress
) -> tuple[Suspect, ...]:
    """Measure the two commits of each in so many fresh pairs of boots.

    All cases that two commits differ in are measured together.  Each boot is kept.
    """
    sets: dict[tuple[str, str, str, str | None], list[str]] = {}
    for each in suspects:
        sets.setdefault(_between(each), []).append(each.case)
    found = {
        between: _outcomes(project, between, cases, boots, progress)
        for between, cases in sets.items()
    }
    return tuple(_told(each, found[_between(each)][each.case]) for each in suspects)


def _between(each: Suspect) -> tuple[str, str, str, str | None]:
    return each.good, each.bad, each.accel, each.configuration


def _outcomes(
    project: Project,
    between: tuple[str, str, str, str | None],
    cases: Sequence[str],
    boots: int,
    progress: Progress,
) -> Mapping[str, Outcome]:
    good, bad, accel, configuration = between
    if accel not in ACCELERATORS:
        lack = Unsupported(f"is of {accel}: measure both there, `zapbench run` and `gate`")
        return dict.fromkeys(cases, lack)
    names = tuple(dict.fromkeys(cases))
    subject = Subject(Path(project.repo.path), names, accel, configuration)
    try:
        return subject.differences((good, bad), boots, FRESH_SEED, progress)
    except ZapbenchError as error:
        return dict.fromkeys(cases, error)


def _told(each: Suspect, outcome: Outcome) -> Suspect:
    if isinstance(outcome, ZapbenchError):
        return replace(each, untold=str(outcome))
    pairs = outcome.confirmation(rises=each.change > 1, but=math.log(each.steps))
    return replace(each, pairs=pairs)


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
