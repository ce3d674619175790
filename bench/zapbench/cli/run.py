# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench run``: measure cases in fresh processes or boots, and print the comparison."""

from pathlib import Path
from typing import Any

import click

from zapbench.cli.options import where_options
from zapbench.cli.output import json_option, kept, note
from zapbench.cli.progress import ON_STDERR
from zapbench.cli.results import print_table
from zapbench.result.request import LAST_SEED, MOST_BOOTS, Asked, Request, again
from zapbench.run import RunResult, run


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@where_options
@click.option(
    "--boots", type=click.IntRange(1, MOST_BOOTS), help="Processes, or boots of the machine."
)
@click.option("--seed", type=click.IntRange(0, LAST_SEED), help="Fixes the order of the cases.")
@click.option("--quick", is_flag=True, help="The small grid, fewer samples: about a minute.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with what the directory was asked for.",
)
@json_option
def command(*, as_json: bool, directory: Path | None, resume: bool, **asked: Any) -> int:
    """Measure the cases that match a GLOB (default: the whole grid) and compare the methods.

    What is asked is kept with the results: --resume -o DIRECTORY goes on with just that.  More
    boots and further globs may be asked for on the way.
    """
    outcome = run(Request(Asked(**asked), directory, resume), ON_STDERR)
    kept(again("run", outcome.directory) + (" --json" if as_json else ""))
    return show(outcome, as_json=as_json)


def show(outcome: RunResult, *, as_json: bool = False) -> int:
    """Print what was measured; the exit status.

    Raises:
        ZapbenchError: what went wrong, and how to go on.
    """
    print_table(outcome.table, as_json=as_json)
    if outcome.trouble is not None:
        fix = f"; go on with: {outcome.again}" if outcome.again else ""
        raise type(outcome.trouble)(f"{outcome.trouble}{fix}")
    note(f"results are in {outcome.directory}")
    return 1 if outcome.table.failed else 0
