# SPDX-License-Identifier: GPL-2.0-only
"""Measure one kernel against itself: even boots against odd ones."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zapbench.boot import Work, available, nothing_measured
from zapbench.case import grid, select
from zapbench.error import EnvironmentMissing
from zapbench.gate import noise, plan
from zapbench.gate.fingerprint import differences, of_context, of_machine
from zapbench.gate.noise import BootFigures, Calibration
from zapbench.measure import Leg, measure
from zapbench.observer import Observer
from zapbench.record import Samples
from zapbench.result.store import RESULTS, Results, create, free_directory
from zapbench.where import choose, prepared

KEPT = ("p50", "p99", "p99.9", "case_total")
LEGS = 2
TIMED_BOOTS, COUNTED_BOOTS = 10, 4


@dataclass(frozen=True, slots=True)
class CalibrationRequest:
    """What to calibrate, and how; None: to be chosen.  ``boots`` are those of each leg."""

    globs: tuple[str, ...]
    target: str | None
    kernel: str | None
    accel: str
    boots: int | None
    seed: int | None
    directory: Path | None


@dataclass(frozen=True, slots=True)
class Calibrated:
    """What was found out about which cases, and where it is kept."""

    calibration: Calibration
    cases: Sequence[str]
    kept: Path


def calibrate(request: CalibrationRequest, observer: Observer) -> Calibrated:
    """Measure, and keep what differs as this machine's noise floor.

    Raises:
        UsageError: the request is wrong.
        EnvironmentMissing: this machine lacks something, changed meanwhile, or no case gave a
            figure.
        LostProcess, LostVm, Truncated, Interrupted, DiskFull: see `zapbench.measure.measure`.
    """
    cells = select(grid(quick=not request.globs), request.globs)
    cases = [cell.case for cell in available(cells)]
    target = choose(request.target, request.kernel, request.accel, observer)
    boots = request.boots
    if boots is None:
        boots = COUNTED_BOOTS if target.tier == "icount" else TIMED_BOOTS
    seed = random.SystemRandom().randrange(1 << 32) if request.seed is None else request.seed
    work = Work(tuple(map(str, cases)), plan.effort(target.tier), seed)
    directory = request.directory
    if directory is None:
        directory = free_directory(RESULTS, f"calibration-{target.kernel}", target.tier)
    observer.note(
        f"{len(cases)} cases, {LEGS} x {boots} boots of {target.kernel} ({target.tier}), "
        f"into {directory}"
    )
    with create(directory) as writer, prepared(target, cases, observer):
        measure([Leg(target, writer)], work, range(LEGS * boots), observer)
    found = calibration(Results(directory))
    return Calibrated(found, work.cases, noise.save(found))


def calibration(results: Results) -> Calibration:
    """The noise that the boots of a result show: even ones against odd ones.

    Raises:
        EnvironmentMissing: the machine changed between its boots, or nothing has a figure.
    """
    prints = [of_context(context) for context in results.contexts]
    for each in prints[1:]:
        if changed := differences(prints[0], each):
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
    return Calibration(tier, results.kernel, now, of_machine(tier), prints[0], kept)


def _leg(boots: BootFigures, parity: int) -> BootFigures:
    return {boot: value for boot, value in boots.items() if boot % LEGS == parity}
