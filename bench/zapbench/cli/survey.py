# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench survey``: all that this machine can say about the methods, in one go."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zapbench.cli import bridge, run
from zapbench.cli.output import note
from zapbench.error import EnvironmentMissing, Interrupted, UsageError, ZapbenchError
from zapbench.result.bridge import build_bridge
from zapbench.result.store import Results, free_directory, latest_directory, recorded

MADV_ZAP_KERNEL = "6.12+madv-zap"
REPORT, TITLE = "report", "Dropping page-table entries, natively and counted"
LACKING = -1  # less than any exit status: what a machine lacks is no failure


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--kernel", default=MADV_ZAP_KERNEL, show_default=True, help="Kernel with MADV_ZAP.")
@click.option("--boots", type=click.IntRange(min=1), help="Processes, and boots of the machine.")
@click.option("--seed", type=click.IntRange(min=0), help="Fixes the order of the cases.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.option("--resume", is_flag=True, help="Go on with what is missing in the directory.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    globs: tuple[str, ...],
    kernel: str,
    boots: int | None,
    seed: int | None,
    directory: Path | None,
    resume: bool,
) -> int:
    """Measure the quick grid here, and under icount on a kernel with MADV_ZAP; draw both.

    Writes native/, icount/, their charts, the bridge between them and a report of it all into
    one directory.
    What this machine lacks for one part is said in a line, and the other is done.
    """
    if directory is None:
        choose = latest_directory if resume else free_directory
        directory = choose(run.RESULTS, "survey", "quick")
    places: dict[str, dict[str, str | None]] = {
        "native": {"target": "native", "kernel": None, "accel": "auto"},
        "icount": {"target": "vm", "kernel": kernel, "accel": "icount"},
    }
    directories = {name: directory / name for name in places}
    statuses: list[int] = []
    for name, place in places.items():
        begun = resume and recorded(directories[name])
        options: dict[str, Any] = {"directory": directories[name], "resume": begun}
        options |= place | {"globs": globs, "boots": boots, "seed": seed, "quick": True}
        status = _measure(ctx, name, options, first=not statuses)
        statuses.append(status)
    if statuses == [LACKING] * len(places):
        raise EnvironmentMissing("neither part could be measured on this machine, see above")
    _draw(directories, directory)
    return max(statuses)


def _measure(ctx: click.Context, name: str, options: dict[str, Any], *, first: bool) -> int:
    """Run one part; return its status, or `LACKING` when this machine lacks what it needs.

    Raises:
        Interrupted: by a signal.
        UsageError: the request is wrong; told by the first part, before anything was done.
    """
    try:
        return int(ctx.invoke(run.command, **options))
    except ZapbenchError as error:
        if isinstance(error, Interrupted) or (first and isinstance(error, UsageError)):
            raise
        note(f"{name}: {error}")
        return LACKING if isinstance(error, EnvironmentMissing) else error.exit_code


def _draw(directories: Mapping[str, Path], where: Path) -> None:
    """Write the charts and the report that the results allow, and print the bridge."""
    from zapbench import chart, report  # matplotlib takes its time

    found = {
        name: Results(directory) for name, directory in directories.items() if recorded(directory)
    }
    for name, results in found.items():
        try:
            figure = chart.draw(results, "cycle")
        except UsageError as error:  # other cases were asked for
            note(str(error))
            continue
        for suffix in chart.SUFFIXES:
            chart.save(figure, where / f"{name}-cycle{suffix}")
    if len(found) == len(directories):
        try:
            related = build_bridge(found["native"], found["icount"])
        except UsageError as error:
            note(str(error))
        else:
            bridge.draw(related, tuple(where / f"bridge{suffix}" for suffix in chart.SUFFIXES))
            bridge.print_bridge(related)
    page = report.make([results.directory for results in found.values()], where / REPORT, TITLE)
    note(f"charts are in {where}, the report is {page / 'index.html'}")
