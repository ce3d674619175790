# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench campaign``: two installed kernels, measured by turns over reboots."""

import shlex
from pathlib import Path
from typing import Any

import click

from zapbench.boot import available
from zapbench.campaign import boots, plan
from zapbench.campaign.journal import BASE, HEAD, SIDES, Journal, load
from zapbench.campaign.plan import BOOTS, PROCESSES, Asking, begin
from zapbench.campaign.turn import Turn, turn
from zapbench.case import choose
from zapbench.cli.output import console, grid, json_option, kept, note, print_json, say
from zapbench.cli.progress import ON_STDERR
from zapbench.result.request import LAST_SEED, MOST_BOOTS, SEED
from zapbench.text import number
from zapbench.where import ACCELERATORS

COLUMNS = ("side", "boot>", "kernel", "state", "began", "boot id")  # of _rows()
NONE = "—"


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Measure two installed kernels by turns, over reboots of this machine.

    start plans it, next measures the boot that runs, status shows how far it is.
    """


_directory_option = click.option(
    "-o",
    "directory",
    type=click.Path(path_type=Path),
    help="Its directory.  [default: the last of results/campaign-ab-N]",
)


@command.command("start")
@click.argument("base", metavar="A")
@click.argument("head", metavar="B")
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option(
    "--boots",
    type=click.IntRange(2, MOST_BOOTS),
    default=BOOTS,
    show_default=True,
    help="Boots of each kernel.",
)
@click.option(
    "--processes",
    type=click.IntRange(1, MOST_BOOTS),
    help=f"Processes in each boot.  [default: {PROCESSES}]",
)
@click.option(
    "--seed",
    type=click.IntRange(0, LAST_SEED),
    default=SEED,
    show_default=True,
    help="Fixes the order of the cases.",
)
@click.option("--quick", is_flag=True, help="The small grid, fewer samples.")
@click.option(
    "--next-boot",
    metavar="COMMAND",
    help="A shell command that makes the next boot one of {release}; run after each turn.",
)
@click.option(
    "--vm", is_flag=True, help="Boot A and B in virtual machines, in the place of reboots."
)
@click.option("--accel", type=click.Choice(ACCELERATORS), help="How these run.  [default: auto]")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Its directory, a new one.")
@json_option
def start(*, directory: Path | None, as_json: bool, **asked: Any) -> int:
    """Plan a campaign: boots of kernel A (base) and B (head) by turns, A B B A A B.

    A and B are what `uname -r` prints, or the paths of images that are installed.  Nothing is
    measured, and nothing is ever rebooted: what to boot next is printed.  Only the COMMAND of
    --next-boot, if one is given, is run, after this and after each turn for which another boot is
    due; it may reboot if that is wanted.

    With --vm, names of `zapbench kernel list`: each turn boots a virtual machine, once.
    """
    made, journal = begin(Asking(**asked), directory, ON_STDERR)
    kept(shlex.join(["zapbench", "campaign", "status", "-o", str(made)]))
    if not as_json:
        say(_about(journal))
    return _show(made, journal, as_json=as_json)


@command.command("next")
@_directory_option
@click.option(
    "--force", is_flag=True, help="Though settings changed, or a boot was lost three times."
)
@json_option
def next_(*, directory: Path | None, force: bool, as_json: bool) -> int:
    """Measure the boot that runs, if it is the one that is due; for after each boot.

    If another kernel runs, or the boot was measured, nothing is done and the exit status is 2.
    When a turn was interrupted, this goes on with it in the same boot; what a boot that ended has
    left half done is discarded, and it is due again.  After the last boot, it says how to judge
    them, and its exit status stays 0: who calls it at each boot may go on to.
    """
    directory = (directory or plan.latest()).absolute()
    taken = turn(directory, ON_STDERR, force=force)
    kept(shlex.join(["zapbench", "campaign", "status", "-o", str(directory)]))
    for case, reason in taken.failed:
        note(f"{case}: {reason}")
    if taken.measured is not None and not as_json:
        say(_outcome(taken))
    _show(directory, taken.journal, as_json=as_json)
    return 1 if taken.failed else 0


@command.command("status")
@_directory_option
@json_option
def status(*, directory: Path | None, as_json: bool) -> int:
    """Print the plan: which boots were measured, and what is due."""
    directory = (directory or plan.latest()).absolute()
    journal = load(directory)
    if as_json:
        print_json(_as_json(directory, journal))
        return 0
    say(_about(journal))
    cells = ([str(cell or NONE) for cell in row.values()] for row in _rows(journal))
    grid(COLUMNS, cells, console())
    say(_what_next(directory, journal))
    return 0


def _show(directory: Path, journal: Journal, *, as_json: bool) -> int:
    """Print where a campaign is now, then choose the next boot."""
    if as_json:
        print_json(_as_json(directory, journal))
    else:
        say(_what_next(directory, journal))
    boots.choose(journal, ON_STDERR)
    return 0


def _about(journal: Journal) -> str:
    where = f"{boots.IN_PLACE}, " if journal.vm else ""
    cases = available(choose(journal.asked.globs, quick=journal.asked.quick))
    return (
        f"base {journal.base}, head {journal.head}: {number(journal.boots, 'boot')} of each, "
        f"{number(journal.processes, 'process')} a boot, {number(len(cases), 'case')} in each, "
        f"{where}seed {journal.asked.seed}"
    )


def _rows(journal: Journal) -> list[dict[str, Any]]:
    """The plan, a row for each boot; its number counts from 1."""
    begun = () if journal.begun is None else (journal.begun,)
    made = {(each.side, each.number): each for each in (*journal.done, *begun)}
    rows = []
    for side, which in journal.plan:
        boot = made.get((side, which))
        due = "due" if (side, which) == journal.due else None
        state = "done" if boot in journal.done else due
        rows.append(
            {
                "side": side,
                "boot": which + 1,
                "kernel": journal.kernel(side),
                "state": "begun" if boot is not None and boot == journal.begun else state,
                "began": boot.began if boot is not None else None,
                "boot_id": boot.boot_id if boot is not None else None,
            }
        )
    return rows


def _gate(directory: Path) -> str:
    sides = [str(directory / side) for side in SIDES]
    return f"zapbench gate --budgets FILE {shlex.join(sides)}"


def _what_next(directory: Path, journal: Journal) -> str:
    if due := boots.what_next(directory, journal, ON_STDERR):
        return due
    return (
        f"complete: {number(journal.boots, 'boot')} of each kernel were measured, there is nothing "
        f"more to do; judge them with: {_gate(directory)}"
    )


def _as_json(directory: Path, journal: Journal) -> dict[str, Any]:
    return {
        "directory": str(directory),
        BASE: journal.base,
        HEAD: journal.head,
        "vm": journal.vm,
        "processes": journal.processes,
        "seed": journal.asked.seed,
        "globs": list(journal.asked.globs),
        "complete": journal.due is None,
        "next": _what_next(directory, journal),
        "lost": journal.lost,
        "boots": _rows(journal),
    }


def _outcome(taken: Turn) -> str:
    """A line on what was measured."""
    assert taken.measured is not None
    journal, boot = taken.journal, taken.measured
    parts = [
        number(journal.processes, "process"),
        number(len(taken.timed), "case") + " timed",
        *([f"{len(taken.skipped)} skipped"] if taken.skipped else []),
        *([f"{len(taken.failed)} failed"] if taken.failed else []),
    ]
    place = f" ({boots.IN_PLACE})" if journal.vm else ""
    return f"measured {journal.named(boot.side, boot.number)}{place}: {', '.join(parts)}"
