# SPDX-License-Identifier: GPL-2.0-only
"""Measure one kernel against itself: even boots against odd ones."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zapbench.boot import Work, available, nothing_measured
from zapbench.case import grid, select
from zapbench.error import EnvironmentMissing, UsageError, ZapbenchError
from zapbench.gate import noise, plan
from zapbench.gate.fingerprint import common, lasting, of_machine
from zapbench.gate.noise import BootFigures, Calibration
from zapbench.measure import Leg, measure
from zapbench.observer import Observer
from zapbench.record import Samples
from zapbench.result.request import (
    Asked,
    Command,
    Request,
    again,
    going_on,
    in_place,
    keep,
    settled,
)
from zapbench.result.store import (
    RESULTS,
    Results,
    create,
    free_directory,
    latest_directory,
    seed_of,
    went_on,
)
from zapbench.target import Target
from zapbench.where import choose, prepared

COMMAND: Command = "calibrate"
KEPT = ("p50", "p99", "p99.9", "case_total")
LEGS = 2
TIMED_BOOTS, COUNTED_BOOTS = 10, 4


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was found out about which cases, and where it is kept."""

    calibration: Calibration
    cases: Sequence[str]
    kept: Path


def calibrate(request: Request, observer: Observer) -> Calibrated:
    """Measure, and keep what differs as this machine's noise floor.

    Raises:
        UsageError: the request is wrong.
        EnvironmentMissing: this machine lacks something, changed meanwhile, or no case gave a
            figure.
        LostProcess, LostVm, Truncated, Interrupted, DiskFull: see `zapbench.measure.measure`;
            the message says how to go on.
    """
    asked, directory = request.asked, request.directory
    if request.resume:
        directory = directory or latest_directory(RESULTS, *_names(_target(asked, observer)))
        asked = going_on(directory, COMMAND, asked)
    with in_place(asked) as moved:
        if moved and directory is not None:
            directory = moved / directory
        return _calibrate(asked, directory, observer, resume=request.resume)


def _target(asked: Asked, observer: Observer) -> Target:
    return choose(asked.target, asked.kernel, asked.accel, observer)


def _names(target: Target) -> tuple[str, str]:
    return f"calibration-{target.kernel}", target.tier


def _calibrate(
    asked: Asked, directory: Path | None, observer: Observer, *, resume: bool
) -> Calibrated:
    cells = select(grid(quick=not asked.globs), asked.globs)
    cases = [cell.case for cell in available(cells)]
    target = _target(asked, observer)
    boots = asked.boots
    if boots is None:
        boots = COUNTED_BOOTS if target.tier == "icount" else TIMED_BOOTS
    directory = directory or free_directory(RESULTS, *_names(target))
    with create(directory, resume=resume) as writer:
        before = went_on(writer, target.kernel, target.tier)
        work = Work(tuple(map(str, cases)), plan.effort(target.tier), seed_of(asked, before))
        keep(directory, COMMAND, settled(asked, seed=work.seed))
        observer.note(
            f"{len(cases)} cases, {LEGS} x {boots} boots of {target.kernel} ({target.tier}), "
            f"into {directory}"
        )
        leg = Leg.going_on(target, writer, before)
        try:
            with prepared(target, cases, observer):
                measure([leg], work, range(LEGS * boots), observer)
        except UsageError:  # to go on would be no use
            raise
        except ZapbenchError as error:
            raise type(error)(f"{error}; go on with: {again(COMMAND, directory)}") from error
    found = calibration(Results(directory))
    return Calibrated(found, work.cases, noise.save(found))


def calibration(results: Results) -> Calibration:
    """The noise that the boots of a result show: even ones against odd ones.

    Raises:
        EnvironmentMissing: the machine changed between its boots, or nothing has a figure.
    """
    found, changed = common(results.contexts)
    if changed:
        raise EnvironmentMissing(f"this machine changed meanwhile: {'; '.join(changed)}")
    if not results.timings:
        raise nothing_measured(results.recording, Samples) or EnvironmentMissing(
            f"no case gave a figure on {results.kernel}: nothing to calibrate"
        )
    kept = {
        statistic: {
            str(case): (_leg(boots, 0), _leg(boots, 1))
            for case, each in results.timings.items()
            for boots in [each.figures(statistic)]
        }
        for statistic in KEPT
    }
    tier, now = results.tier, datetime.now(UTC)
    return Calibration(tier, results.kernel, now, of_machine(tier), lasting(found), kept)


def _leg(boots: BootFigures, parity: int) -> BootFigures:
    return {boot: value for boot, value in boots.items() if boot % LEGS == parity}
