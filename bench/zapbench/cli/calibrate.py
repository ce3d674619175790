# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench calibrate``: this machine's noise floor, case by case, from A/A runs."""

import math
import random
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import click

from zapbench.case import grid, select
from zapbench.cli.output import console, note
from zapbench.cli.output import grid as table
from zapbench.cli.progress import watch
from zapbench.cli.run import RESULTS
from zapbench.cli.where import Place, place, place_options, prepared
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.gate import noise
from zapbench.gate.fingerprint import differences, of_context, of_machine
from zapbench.gate.noise import Boots, Calibration
from zapbench.measure import Leg, effort_for, measure
from zapbench.result.store import Results, create, free_directory

KEPT = ("p50", "p99", "p99.9", "case_total")
LEGS = 2
TIMED_BOOTS, COUNTED_BOOTS = 10, 4
COLUMNS = ("case", "noise floor>", "from boot to boot>")


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@place_options
@click.option("--boots", type=click.IntRange(min=2), help="Processes, or boots, of each leg.")
@click.option("--seed", type=click.IntRange(min=0), help="Fixes the order of the cases.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
def command(
    *,
    globs: tuple[str, ...],
    target: str | None,
    kernel: str | None,
    accel: str,
    boots: int | None,
    seed: int | None,
    directory: Path | None,
) -> int:
    """Measure one kernel against itself, and keep what differs as this machine's noise floor.

    Boots go to two legs by turns.  `zapbench gate` takes the floor from what is kept; it is
    stale after 30 days, or when CPU, microcode, governor, command line or QEMU change.
    """
    cells = select(grid(quick=True) if not globs else grid(quick=False), globs)
    cases = [cell.case for cell in cells if cell.excluded is None]
    if not cases:
        raise UsageError(f"no such case can be had: {cells[0].case}: {cells[0].excluded}")
    where = place(target, kernel, accel)
    tier = where.target.tier
    if boots is None:
        boots = COUNTED_BOOTS if tier == "icount" else TIMED_BOOTS
    effort = replace(effort_for(tier, quick=tier == "icount"), boots=LEGS * boots)
    seed = random.SystemRandom().randrange(1 << 32) if seed is None else seed
    directory = directory or free_directory(RESULTS, f"calibration-{where.kernel}", tier)
    names = tuple(map(str, cases))
    note(f"{len(names)} cases, {LEGS} x {boots} boots of {where.kernel} ({tier}), into {directory}")
    with create(directory) as writer, prepared(where, cases):
        leg = Leg(where.target, writer, where.kernel, names)
        with watch(len(names) * effort.boots) as progress:
            measure([leg], effort, seed, progress, Path.cwd())
    calibration = calibrate(Results(directory), where)
    _print(calibration, names)
    note(f"kept in {noise.save(calibration)}")
    return 0


def calibrate(results: Results, where: Place) -> Calibration:
    """The noise that the boots of a result show: even ones against odd ones.

    Raises:
        EnvironmentMissing: the machine changed between its boots, or nothing has a figure.
    """
    prints = [of_context(context) for context in results.contexts]
    for each in prints[1:]:
        if changed := differences(prints[0], each):
            raise EnvironmentMissing(f"this machine changed meanwhile: {'; '.join(changed)}")
    if not results.timings:
        raise EnvironmentMissing(f"no case gave a figure on {where.kernel}: nothing to calibrate")
    kept = {
        statistic: {
            str(case): (_leg(boots, 0), _leg(boots, 1))
            for case, each in results.timings.items()
            for boots in [each.figures(statistic)]
        }
        for statistic in KEPT
    }
    tier = results.tier
    now = datetime.now(UTC)
    return Calibration(tier, where.kernel, now, of_machine(tier), prints[0], kept)


def _leg(boots: Boots, parity: int) -> Boots:
    return {boot: value for boot, value in boots.items() if boot % LEGS == parity}


def _print(calibration: Calibration, cases: Iterable[str]) -> None:
    rows = []
    for case in cases:
        found = calibration.noise("p50", case)
        if found is None:
            rows.append([case, "—", "—"])
            continue
        spread = "—" if found.spread is None else f"{math.expm1(found.spread.error):.2%}"
        rows.append([case, f"{math.expm1(found.floor):.2%}", spread])
    table(COLUMNS, rows, console())
