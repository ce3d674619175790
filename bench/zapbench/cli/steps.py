# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv steps``: what moved in the history that asv keeps."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zapbench import text
from zapbench.cli.output import console, grid, json_option, note, print_json, say
from zapbench.cli.progress import stages
from zapbench.pairs import FRESH
from zapbench.result.request import MOST_BOOTS

if TYPE_CHECKING:
    from zapbench.asv_kernel.steps import Suspect

CONFIRMED, SUSPECTED = 1, 4


@click.command()
@click.argument("globs", nargs=-1, metavar="[CASES]...")
@click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("asv.conf.json"),
    show_default=True,
    help="The asv project.",
)
@click.option("--machine", help="Of this machine in asv's results alone.")
@click.option("--confirm", is_flag=True, help="Measure both sides of each in fresh boots.")
@click.option(
    "--boots",
    type=click.IntRange(2, MOST_BOOTS),
    default=FRESH,
    show_default=True,
    help="Pairs of boots for --confirm.",
)
@json_option
def command(
    *,
    globs: tuple[str, ...],
    path: Path,
    machine: str | None,
    confirm: bool,
    boots: int,
    as_json: bool,
) -> int:
    """List suspected steps, and creep, in the history that `asv run` made.

    A step is named where it is, also if it is the last commit's; creep is what many commits come
    to that are no steps.  The smallest change of interest is regressions_thresholds of
    asv.conf.json, for both.

    With --confirm the two kernels beside each are booted again, with another seed, and compared
    by pairs of boots of one number.

    Exit status: 0 none, 1 some confirmed, 2 usage or environment, 4 suspected only.
    """
    from zapbench.asv_kernel import results, steps

    project = results.Project(path)
    found = steps.search(project, globs, machine)
    suspects = found.suspects
    if confirm:
        with stages() as progress:
            suspects = steps.confirm(project, suspects, boots, progress)
    if as_json:
        print_json({"series": found.series, "suspects": suspects})
    elif suspects:
        columns = ("", "case", "machine", "from", "to", "commits>", "before>", "after>", "change>")
        grid((*columns, ""), [_row(each) for each in suspects], console())
    else:
        say("no steps")
    note(f"{text.number(found.series, 'case')} looked at, {len(suspects)} suspected")
    confirmed = any(each.confirmed for each in suspects)
    return CONFIRMED if confirmed else SUSPECTED if suspects else 0


def _row(each: "Suspect") -> tuple[str, ...]:
    return (
        each.kind,
        each.case,
        each.machine,
        *each.names,
        str(each.commits),
        text.cost(each.before, each.unit),
        text.cost(each.after, each.unit),
        text.judged_change(each.change),
        "; ".join(filter(None, (_more(each), _pairs(each)))),
    )


def _pairs(each: "Suspect") -> str:
    """What fresh boots say of it."""
    if each.pairs is None:
        return f"cannot be confirmed: {each.untold}" if each.untold else ""
    found = each.pairs
    change, low, high = map(text.judged_change, (found.change, found.low, found.high))
    return f"{'confirmed' if found.confirmed else 'not confirmed'}: {change} [{low}, {high}]"


def _more(each: "Suspect") -> str:
    """What the columns do not say."""
    if each.kind == "step":
        return "" if each.commits == 1 else "one of them, or several"
    apart = f", apart from steps of {text.judged_change(each.steps)}" if each.steps != 1 else ""
    return f"no commit more than {text.judged_change(each.largest)}{apart}"
