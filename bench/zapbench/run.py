# SPDX-License-Identifier: GPL-2.0-only
"""Measure cases of one kernel into a result directory, or go on with one."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.boot import Work, available, effort_for, nothing_measured
from zapbench.case import Cell, choose
from zapbench.error import DiskFull, Interrupted, Truncated, UsageError, ZapbenchError
from zapbench.measure import Leg, left, measure
from zapbench.observer import Observer
from zapbench.record import Context, Recording, Samples, finished, load
from zapbench.result.store import (
    RECORDS,
    RESULTS,
    Results,
    create,
    discard,
    free_directory,
    latest_directory,
    recorded,
    write_suite,
)
from zapbench.result.table import Table
from zapbench.target import Target
from zapbench.where import choose as choose_target
from zapbench.where import prepared


@dataclass(frozen=True, slots=True)
class RunRequest:
    """What to measure, where, and how much; None: to be chosen.

    ``seed`` fixes the order of the cases; ``resume``: go on with what ``directory`` lacks.
    """

    globs: tuple[str, ...] = ()
    target: str | None = None
    kernel: str | None = None
    accel: str = "auto"
    boots: int | None = None
    seed: int | None = None
    quick: bool = False
    directory: Path | None = None
    resume: bool = False


@dataclass(frozen=True, slots=True)
class RunResult:
    """What is in the result directory now, and what went wrong, if something did."""

    directory: Path
    table: Table
    trouble: ZapbenchError | None


def run(request: RunRequest, observer: Observer) -> RunResult:
    """Measure, keep what was finished, and make what is derived from it.

    Raises:
        ZapbenchError: there is nothing to show: the request is wrong, this machine lacks
            something, or no record was made at all.
    """
    cells = choose(request.globs, quick=request.quick)
    allowed = available(cells)
    target = choose_target(request.target, request.kernel, request.accel, observer)
    effort = effort_for(target.tier, quick=request.quick)
    if request.boots is not None:
        effort = replace(effort, boots=request.boots)
    directory = _directory(request, target)
    before = _before(directory, target) if request.resume else None
    work = Work(tuple(str(cell.case) for cell in allowed), effort, _seed(request, before))
    boots = range(effort.boots)
    trouble: ZapbenchError | None = None
    writer = create(directory, resume=request.resume)
    leg = Leg(target, writer, finished(before.records) if before is not None else set())
    try:
        with writer:  # to compress what it wrote can fail, too
            observer.note(
                f"{left([leg], work, boots)} measurements to make on {target.kernel} "
                f"({target.tier}), seed {work.seed}, into {directory}"
            )
            with prepared(target, [cell.case for cell in allowed], observer):
                measure([leg], work, boots, observer)
    except ZapbenchError as error:
        trouble = error
    except KeyboardInterrupt:
        trouble = Interrupted("interrupted before or between the measurements")
    return _outcome(directory, cells, work, trouble, target.kernel)


def _directory(request: RunRequest, target: Target) -> Path:
    if request.directory is not None:
        return request.directory
    numbered = latest_directory if request.resume else free_directory
    return numbered(RESULTS, target.kernel, target.tier)


def _before(directory: Path, target: Target) -> Recording | None:
    """What is to be gone on with; None if there is nothing yet.

    Raises:
        UsageError: it is of another kernel or tier.
    """
    if not recorded(directory):
        return None
    before = load(directory / RECORDS)
    for context in before.of(Context):
        if (context.run.kernel, context.run.tier) != (target.kernel, target.tier):
            raise UsageError(
                f"{directory} holds {context.run.kernel} ({context.run.tier}), not "
                f"{target.kernel} ({target.tier}): choose another with -o"
            )
    return before


def _seed(request: RunRequest, before: Recording | None) -> int:
    """The seed that is asked for, else that of before, else one by chance."""
    if request.seed is not None:
        return request.seed
    contexts = before.of(Context) if before is not None else []
    return contexts[0].seed if contexts else random.SystemRandom().randrange(1 << 32)


def _outcome(
    directory: Path, cells: list[Cell], work: Work, trouble: ZapbenchError | None, kernel: str
) -> RunResult:
    """Make what is derived from the records, and find out what to say went wrong."""
    recording = load(directory / RECORDS)
    if not recording.of(Context):
        discard(directory)
        raise trouble or Truncated(f"{kernel} gave no records at all")
    if _pairs(work) <= finished(recording.records):
        recording = replace(recording, truncated=None)  # what was cut off was made up for
    results = Results(directory, recording)
    table = results.table_of(cells)
    if trouble is not None:
        fix = f"go on with: zapbench run --resume -o {directory}"
        trouble = type(trouble)(f"{trouble}; {fix}")
    else:
        trouble = nothing_measured(recording, Samples)
    try:
        write_suite(results)
    except DiskFull as error:
        trouble = error
    return RunResult(directory, table, trouble)


def _pairs(work: Work) -> set[tuple[int, str]]:
    """Every boot and case that is asked for."""
    return {(boot, case) for boot in range(work.effort.boots) for case in work.cases}
