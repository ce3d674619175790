# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench survey``: all that this machine can say about the methods, in one go."""

from pathlib import Path
from typing import Any

import click

from zapbench.cli.bridge import print_bridge
from zapbench.cli.output import kept, note
from zapbench.cli.progress import ON_STDERR
from zapbench.cli.run import show
from zapbench.result.request import LAST_SEED, MOST_BOOTS, Asked, Request, again
from zapbench.survey import survey

MADV_ZAP_KERNEL = "6.12+madv-zap"


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--kernel", help=f"Kernel with MADV_ZAP.  [default: {MADV_ZAP_KERNEL}]")
@click.option(
    "--boots", type=click.IntRange(1, MOST_BOOTS), help="Processes, and boots of the machine."
)
@click.option("--seed", type=click.IntRange(0, LAST_SEED), help="Fixes the order of the cases.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.option(
    "--resume",
    is_flag=True,
    help="Go on with what the directory was asked for.",
)
def command(*, directory: Path | None, resume: bool, **asked: Any) -> int:
    """Measure the quick grid here, and under icount on a kernel with MADV_ZAP; draw both.

    Writes native/, icount/, their charts, the bridge between them and a report of it all into
    one directory.
    What this machine lacks for one part is said in a line, and the other is done.
    """
    request = Request(Asked(**asked, quick=True), directory, resume)
    done = survey(request, MADV_ZAP_KERNEL, ON_STDERR, show)
    kept(again("survey", done.directory))
    if done.bridge is not None:
        print_bridge(done.bridge)
    note(f"charts are in {done.directory}, the report is {done.page}")
    return done.status
