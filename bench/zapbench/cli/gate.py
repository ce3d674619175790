# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench gate``: accept or refuse a kernel under latency budgets."""

from collections.abc import Sequence
from pathlib import Path

import click

from zapbench.cli.options import BISECT_ABORT, Bisecting
from zapbench.cli.output import note, say
from zapbench.cli.progress import ON_STDERR
from zapbench.error import BuildFailed, UsageError, ZapbenchError
from zapbench.gate import plan, recorded, wording
from zapbench.gate import ratchet as tightening
from zapbench.gate.budget import load
from zapbench.gate.evidence import LEAST
from zapbench.gate.judgement import Gone, Judgement, Status
from zapbench.gate.live import Live, Options
from zapbench.gate.output import FORMATS, SUFFIXES, Renderer
from zapbench.host.file import readable, write_output
from zapbench.result.request import LAST_SEED, MOST_BOOTS
from zapbench.where import ACCELERATORS

BISECT_SKIP = 125  # git-bisect(1), "bisect run"


@click.command(cls=Bisecting)
@click.argument("directories", nargs=-1, type=click.Path(path_type=Path), metavar="[[BASE] HEAD]")
@click.option(
    "--budgets",
    "budget_file",
    required=True,
    type=click.Path(path_type=Path),
    help="TOML file of budgets and waivers; bench/budgets.toml is one.",
)
@click.option(
    "--kernel",
    metavar="NAME|IMAGE",
    help="Head: measure it now, in a machine; '?boot=WORD,WORD' as in run.",
)
@click.option("--base", metavar="NAME|IMAGE", help="Base, for budgets that are relative to one.")
@click.option("--accel", type=click.Choice(ACCELERATORS), default="icount", show_default=True)
@click.option("--time", "time_text", metavar="TIME", help="Measure for about so long: 90s, 10m.")
@click.option(
    "--boots",
    type=click.IntRange(LEAST, MOST_BOOTS),
    help="Boots of each kernel at once, and as many to confirm; default: as many as it takes.",
)
@click.option("--seed", type=click.IntRange(0, LAST_SEED), help="Fixes order and perturbation.")
@click.option("--results", type=click.Path(path_type=Path), help="Where to keep what is measured.")
@click.option(
    "--confirm",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="BASE HEAD",
    help="Fresh results of both, of another --seed, to confirm what the first ones show.",
)
@click.option(
    "--pin",
    "pins",
    multiple=True,
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="Results of a kernel that a budget is `against`; once more for fresh ones.",
)
@click.option("--force", is_flag=True, help="Compare what was measured differently; labelled.")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True
)
@click.option(
    "-o",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Write a file too, in the format of its name: {', '.join(SUFFIXES)}.",
)
@click.option("--json", "form", flag_value="json", help="The same as --format json.")
@click.option(
    "--ratchet",
    is_flag=True,
    help="Print tighter limits that pass as well, as a diff of the budget file (for patch -p0).",
)
@click.option("--bisect", is_flag=True, help="Exit as `git bisect run` wants it: 125 for unknown.")
def command(
    *,
    directories: tuple[Path, ...],
    budget_file: Path,
    kernel: str | None,
    base: str | None,
    accel: str,
    time_text: str | None,
    boots: int | None,
    seed: int | None,
    results: Path | None,
    confirm: tuple[Path, Path] | None,
    pins: tuple[Path, ...],
    force: bool,
    form: str,
    outputs: tuple[Path, ...],
    ratchet: bool,
    bisect: bool,
) -> int:
    """Judge a kernel, measured now (--kernel) or before (HEAD), by budgets.

    FAIL is said of what exceeds its limit beyond chance and the noise floor, and does so again
    in fresh boots; PASS of what surely keeps it; INCONCLUSIVE says what would decide.  Boot k of
    HEAD is judged by boot k of BASE.  Fresh boots are measured now, come with --confirm, or are
    the later half of 6 or more.

    Exit status: 0 all pass, 1 some fail, 2 usage or environment, 4 inconclusive.
    """
    try:
        for path in outputs:
            _format_of(path)
        if ratchet and form != "text":
            raise UsageError("--ratchet prints a diff: write the judgement to a file, with -o")
        limit = plan.seconds(time_text) if time_text is not None else None
        budgets = load(budget_file)
        if kernel is not None:
            if directories or confirm or pins:
                raise UsageError("give either --kernel or result directories, not both")
            options = Options(accel, limit, boots, seed, results, force, explain=not bisect)
            judgement = Live(budgets, base, kernel, options, ON_STDERR).judgement()
        else:
            measuring = {
                "--time": time_text,
                "--boots": boots,
                "--seed": seed,
                "--results": results,
            }
            if given := [name for name, value in measuring.items() if value is not None]:
                raise UsageError(f"{', '.join(given)}: for a gate that measures, see --kernel")
            if base is not None or not 1 <= len(directories) <= 2:
                raise UsageError("name --kernel HEAD, or one or two result directories")
            judgement = recorded.judgement(budgets, directories, confirm, pins, force=force)
        _write(judgement, _ratcheted if ratchet else FORMATS[form], outputs)
    except ZapbenchError as error:
        if not bisect:
            raise
        if isinstance(error, BuildFailed):
            note(str(error))
            return BISECT_SKIP
        error.exit_code = BISECT_ABORT
        raise
    status = judgement.status
    untested = status is Status.INCONCLUSIVE or isinstance(judgement.head, Gone)
    return BISECT_SKIP if bisect and untested else int(status)


def _ratcheted(judgement: Judgement) -> str:
    """The diff; what there is to say of it, and the outcome, go to standard error."""
    made = tightening.ratchet(judgement)
    for line in (*made.notes, wording.summary(judgement)):
        note(line)
    return made.diff


def _write(judgement: Judgement, render: Renderer, outputs: Sequence[Path]) -> None:
    try:
        for path in outputs:
            write_output(path, readable(FORMATS[_format_of(path)](judgement)).encode())
    finally:
        if answer := render(judgement):
            say(answer)


def _format_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise UsageError(
            f"no format is called {path.suffix or path.name!r}: {', '.join(SUFFIXES)}; for where "
            "to keep what is measured there is --results"
        )
    return SUFFIXES[path.suffix]
