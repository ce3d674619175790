# SPDX-License-Identifier: GPL-2.0-only
"""Measure cases of one kernel into a result directory, or go on with one."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.boot import Work, available, effort_for, nothing_measured
from zapbench.case import Case, Cell, choose
from zapbench.error import Cause, DiskFull, Interrupted, Truncated, UsageError, ZapbenchError
from zapbench.measure import Leg, Policy, left, measure
from zapbench.observer import Observer
from zapbench.record import Context, Recording, Samples, load
from zapbench.result.request import Asked, Request, again, going_on, in_place, keep, settled
from zapbench.result.store import (
    RECORDS,
    RESULTS,
    Results,
    create,
    discard,
    free_directory,
    latest_directory,
    seed_of,
    went_on,
    write_suite,
)
from zapbench.result.table import Table
from zapbench.target import Target
from zapbench.where import choose as choose_target
from zapbench.where import prepared

PAST_CASES = {Cause.CRASH: Policy.PASS_BY, Cause.SILENCE: Policy.PASS_BY}
"""One case must not keep the others from being measured; whoever killed it wants an end."""


@dataclass(frozen=True, slots=True)
class RunResult:
    """What is in the result directory now, and what went wrong, if something did.

    ``again`` is the command that goes on from there; empty if nothing is left to do.
    """

    directory: Path
    table: Table
    trouble: ZapbenchError | None = None
    again: str = ""


def run(request: Request, observer: Observer) -> RunResult:
    """Measure, keep what was finished, and make what is derived from it.

    Raises:
        ZapbenchError: there is nothing to show: the request is wrong, this machine lacks
            something, or no record was made at all.
    """
    asked, directory = request.asked, request.directory
    if request.resume:
        directory = directory or _latest(asked, observer)
        asked = going_on(directory, "run", asked)
    with in_place(asked) as moved:
        if moved and directory is not None:
            directory = moved / directory
        return _run(asked, directory, observer, resume=request.resume)


def _latest(asked: Asked, observer: Observer) -> Path:
    target = _target(asked, observer)
    return latest_directory(RESULTS, target.kernel, target.tier)


def _target(asked: Asked, observer: Observer) -> Target:
    return choose_target(asked.target, asked.kernel, asked.accel, observer)


def _run(asked: Asked, directory: Path | None, observer: Observer, *, resume: bool) -> RunResult:
    cells = choose(asked.globs, quick=asked.quick)
    cases = [cell.case for cell in available(cells)]
    target = _target(asked, observer)
    directory = directory or free_directory(RESULTS, target.kernel, target.tier)
    writer = create(directory, resume=resume)
    try:
        before = went_on(writer, target.kernel, target.tier)
        work = _work(asked, cases, target, before)
        keep(directory, "run", settled(asked, seed=work.seed, boots=work.effort.boots))
    except BaseException:
        writer.close()
        discard(directory)
        raise
    if writer.damaged is not None:
        observer.note(f"records were damaged and left out; as they were, they are {writer.damaged}")
    leg = Leg.going_on(target, writer, before)
    trouble: ZapbenchError | None = None
    try:
        with writer:  # to compress what it wrote can fail, too
            observer.note(
                f"{left([leg], work, work.boots)} measurements to make on {target.kernel} "
                f"({target.tier}), seed {work.seed}, into {directory}"
            )
            with prepared(target, cases, observer):
                measure([leg], work, work.boots, observer, PAST_CASES)
    except ZapbenchError as error:
        trouble = error
    except KeyboardInterrupt:
        trouble = Interrupted("interrupted before or between the measurements")
    return _outcome(directory, cells, trouble, target.kernel)


def _work(asked: Asked, cases: Iterable[Case], target: Target, before: Recording | None) -> Work:
    """What every boot does."""
    effort = effort_for(target.tier, quick=asked.quick)
    if asked.boots is not None:
        effort = replace(effort, boots=asked.boots)
    return Work(tuple(map(str, cases)), effort, seed_of(asked, before))


def _outcome(
    directory: Path, cells: list[Cell], trouble: ZapbenchError | None, kernel: str
) -> RunResult:
    """Make what is derived from the records, and find out what to say went wrong."""
    if not load(directory / RECORDS).of(Context):
        discard(directory)
        raise trouble or Truncated(f"{kernel} gave no records at all")
    results = Results(directory)
    goes_on = trouble is not None and not isinstance(trouble, UsageError)
    fix = again("run", directory) if goes_on else ""
    trouble = trouble or nothing_measured(results.recording, Samples)
    try:
        write_suite(results)
    except DiskFull as error:
        trouble, fix = error, again("run", directory)
    return RunResult(directory, results.table_of(cells), trouble, fix)
