# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench calibrate``: this machine's noise floor, case by case, from A/A runs."""

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click

from zapbench.cli.options import where_options
from zapbench.cli.output import console, grid, note
from zapbench.cli.progress import ON_STDERR
from zapbench.gate.calibrate import calibrate
from zapbench.gate.noise import Calibration
from zapbench.result.request import LAST_SEED, MOST_BOOTS, Asked, Request

COLUMNS = ("case", "noise floor>", "from boot to boot>")


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@where_options
@click.option(
    "--boots", type=click.IntRange(2, MOST_BOOTS), help="Processes, or boots, of each leg."
)
@click.option("--seed", type=click.IntRange(0, LAST_SEED), help="Fixes the order of the cases.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.option("--resume", is_flag=True, help="Go on with what the directory was asked for.")
def command(*, directory: Path | None, resume: bool, **asked: Any) -> int:
    """Measure one kernel against itself, and keep what differs as this machine's noise floor.

    Boots go to two legs by turns.  `zapbench gate` takes the floor from what is kept; it is
    stale after 30 days, or when CPU, microcode, governor, command line or QEMU change.
    """
    outcome = calibrate(Request(Asked(**asked), directory, resume), ON_STDERR)
    _print(outcome.calibration, outcome.cases)
    note(f"kept in {outcome.kept}")
    return 0


def _print(calibration: Calibration, cases: Iterable[str]) -> None:
    rows = []
    for case in cases:
        found = calibration.noise("p50", case)
        if found is None:
            rows.append([case, "—", "—"])
            continue
        spread = "—" if found.spread is None else f"{math.expm1(found.spread.error):.2%}"
        rows.append([case, f"{math.expm1(found.floor):.2%}", spread])
    grid(COLUMNS, rows, console())
