# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench run``: measure cases in fresh processes or boots, and print the comparison."""

import random
from dataclasses import dataclass, replace
from pathlib import Path

import click

from zapbench.case import Cell, choose
from zapbench.cli.output import json_option, note
from zapbench.cli.progress import watch
from zapbench.cli.results import print_table
from zapbench.cli.where import Place, place, place_options, prepared
from zapbench.error import Interrupted, Truncated, UsageError, ZapbenchError
from zapbench.measure import Effort, Leg, effort_for, measure
from zapbench.record import Context, Recording, Writer, finished, load
from zapbench.result.store import (
    RECORDS,
    Results,
    create,
    discard,
    free_directory,
    latest_directory,
    write_suite,
)

RESULTS = Path("results")


@dataclass(frozen=True, slots=True)
class _Session:
    """A result directory that is being filled; ``seed`` fixes the order of the cases."""

    where: Place
    cells: list[Cell]
    directory: Path
    before: Recording | None
    seed: int

    @property
    def cases(self) -> list[str]:
        return [str(cell.case) for cell in self.cells if cell.excluded is None]

    def pairs(self, effort: Effort) -> set[tuple[int, str]]:
        """Every boot and case that is asked for."""
        return {(boot, case) for boot in range(effort.boots) for case in self.cases}


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@place_options
@click.option("--boots", type=click.IntRange(min=1), help="Processes, or boots of the machine.")
@click.option("--seed", type=click.IntRange(min=0), help="Fixes the order of the cases.")
@click.option("--quick", is_flag=True, help="The small grid, fewer samples: about a minute.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.option("--resume", is_flag=True, help="Go on with what is missing in the directory.")
@json_option
def command(
    *,
    globs: tuple[str, ...],
    target: str | None,
    kernel: str | None,
    accel: str,
    boots: int | None,
    seed: int | None,
    quick: bool,
    directory: Path | None,
    resume: bool,
    as_json: bool,
) -> int:
    """Measure the cases that match a GLOB (default: the whole grid) and compare the methods."""
    cells = choose(globs, quick=quick)
    if all(cell.excluded for cell in cells):
        raise UsageError(f"no such case can be had: {cells[0].case}: {cells[0].excluded}")
    where = place(target, kernel, accel)
    effort = effort_for(where.target.tier, quick=quick)
    effort = replace(effort, boots=boots) if boots is not None else effort
    session = _session(where, cells, directory, seed, resume=resume)
    trouble = None
    with create(session.directory, resume=resume) as writer:
        try:
            _measure(session, writer, effort)
        except ZapbenchError as error:
            trouble = error
        except KeyboardInterrupt:
            trouble = Interrupted("interrupted before or between the measurements")
    return _finish(session, effort, trouble, as_json=as_json)


def _session(
    where: Place, cells: list[Cell], directory: Path | None, seed: int | None, *, resume: bool
) -> _Session:
    """Choose directory and seed; when resuming, those of before."""
    tier = where.target.tier
    if directory is None:
        choose = latest_directory if resume else free_directory
        directory = choose(RESULTS, where.kernel, tier)
    before = None
    if resume and (directory / RECORDS).exists():
        before = load(directory / RECORDS)
        for context in before.of(Context):
            if (context.run.kernel, context.run.tier) != (where.kernel, tier):
                raise UsageError(
                    f"{directory} holds {context.run.kernel} ({context.run.tier}), not "
                    f"{where.kernel} ({tier}): choose another with -o"
                )
            seed = context.seed if seed is None else seed
    if seed is None:
        seed = random.SystemRandom().randrange(1 << 32)
    return _Session(where, cells, directory, before, seed)


def _measure(session: _Session, writer: Writer, effort: Effort) -> None:
    done = finished(session.before.records) if session.before is not None else set()
    where = session.where
    leg = Leg(where.target, writer, where.kernel, tuple(session.cases), done)
    left = len(session.pairs(effort) - done)
    note(
        f"{left} measurements to make on {where.kernel} ({where.target.tier}), "
        f"seed {session.seed}, into {session.directory}"
    )
    wanted = [cell.case for cell in session.cells if cell.excluded is None]
    with prepared(where, wanted), watch(left) as progress:
        measure([leg], effort, session.seed, progress, Path.cwd())


def _finish(
    session: _Session, effort: Effort, trouble: ZapbenchError | None, *, as_json: bool
) -> int:
    """Make what is derived from the records; print it; then say what went wrong."""
    recording = load(session.directory / RECORDS)
    if not recording.of(Context):
        discard(session.directory)
        raise trouble or Truncated(f"{session.where.kernel} gave no records at all")
    if session.pairs(effort) <= finished(recording.records):
        recording = replace(recording, truncated=None)  # what was cut off was made up for
    results = Results(session.directory, recording)
    table = results.table_of(session.cells)
    print_table(table, as_json=as_json)
    write_suite(results)
    if trouble is not None:
        mend = f"go on with: zapbench run --resume -o {session.directory}"
        raise type(trouble)(f"{trouble}; {mend}") from trouble
    note(f"results are in {session.directory}")
    return 1 if table.failed else 0
