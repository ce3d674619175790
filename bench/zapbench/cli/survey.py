# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench survey``: all that this machine can say about the methods, in one go."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from zapbench.bridge import build_bridge
from zapbench.cli import bridge, run
from zapbench.cli.output import note
from zapbench.error import EnvironmentMissing, Interrupted, UsageError, ZapbenchError
from zapbench.store import RECORDS, Results, free_directory

MADV_ZAP_KERNEL = "6.12+madv-zap"


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@click.option("--kernel", default=MADV_ZAP_KERNEL, show_default=True, help="Kernel with MADV_ZAP.")
@click.option("--boots", type=click.IntRange(min=1), help="Processes, and boots of the machine.")
@click.option("--seed", type=click.IntRange(min=0), help="Fixes the order of the cases.")
@click.option("-o", "directory", type=click.Path(path_type=Path), help="Result directory.")
@click.pass_context
def command(
    ctx: click.Context,
    *,
    globs: tuple[str, ...],
    kernel: str,
    boots: int | None,
    seed: int | None,
    directory: Path | None,
) -> int:
    """Measure the quick grid here, and under icount on a kernel with MADV_ZAP; draw both.

    Writes native/, icount/, their charts and the bridge between them into one directory.
    What this machine lacks for one part is said in a line, and the other is done.
    """
    directory = directory or free_directory(run.RESULTS, "survey", "quick")
    places: dict[str, dict[str, str | None]] = {
        "native": {"target": "native", "kernel": None, "accel": "auto"},
        "icount": {"target": "vm", "kernel": kernel, "accel": "icount"},
    }
    common: dict[str, Any] = {
        "globs": globs,
        "boots": boots,
        "seed": seed,
        "quick": True,
        "as_json": False,
    }
    statuses: list[int] = []
    troubles: list[ZapbenchError] = []
    for name, place in places.items():
        options = common | place | {"directory": directory / name}
        try:
            statuses.append(ctx.invoke(run.command, **options))
        except ZapbenchError as error:
            wrong = isinstance(error, UsageError) and not statuses
            if wrong or isinstance(error, Interrupted):
                raise
            note(f"{name}: {error}")
            troubles.append(error)
    if len(troubles) == len(places):
        raise EnvironmentMissing("neither part could be measured on this machine, see above")
    _draw({name: directory / name for name in places}, directory)
    # What a machine lacks is no failure; what broke is.
    statuses += [each.exit_code for each in troubles if not isinstance(each, EnvironmentMissing)]
    return max(statuses)


def _draw(directories: Mapping[str, Path], where: Path) -> None:
    """Write the charts that the results allow, and print the bridge."""
    from zapbench import chart  # matplotlib takes its time

    found = {
        name: Results(directory)
        for name, directory in directories.items()
        if (directory / RECORDS).is_file()
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
    note(f"charts are in {where}")
