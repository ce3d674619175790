# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv steps``: what moved in the history that asv keeps."""

from pathlib import Path
from typing import TYPE_CHECKING

import click

from zapbench import text
from zapbench.cli.output import console, grid, json_option, note, print_json, say

if TYPE_CHECKING:
    from zapbench.asv_kernel.steps import Suspect

SUSPECTED = 4


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
@json_option
def command(*, globs: tuple[str, ...], path: Path, machine: str | None, as_json: bool) -> int:
    """List suspected steps, and creep, in the history that `asv run` made.

    A step is named where it is, also if it is the last commit's; creep is what many commits come
    to that are no steps.  The smallest change of interest is regressions_thresholds of
    asv.conf.json, for both.

    Exit status: 0 none, 2 usage or environment, 4 suspected.
    """
    from zapbench.asv_kernel import results, steps

    found = steps.search(results.Project(path), globs, machine)
    if as_json:
        print_json(found)
    elif found.suspects:
        columns = ("", "case", "machine", "from", "to", "commits>", "before>", "after>", "change>")
        grid((*columns, ""), [_row(each) for each in found.suspects], console())
    else:
        say("no steps")
    note(f"{text.number(found.series, 'case')} looked at, {len(found.suspects)} suspected")
    return SUSPECTED if found.suspects else 0


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
        _more(each),
    )


def _more(each: "Suspect") -> str:
    """What the columns do not say."""
    if each.kind == "step":
        return "" if each.commits == 1 else "one of them, or several"
    apart = f", apart from steps of {text.judged_change(each.steps)}" if each.steps != 1 else ""
    return f"no commit more than {text.judged_change(each.largest)}{apart}"
