# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench chart``: a result as a picture."""

from pathlib import Path

import click

from zapbench import chart
from zapbench.cli.output import json_option, print_json
from zapbench.result.store import Results


@click.command(epilog="; ".join(f"{name}: {row.summary}" for name, row in chart.CHARTS.items()))
@click.argument("directory", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--kind", type=click.Choice(list(chart.CHARTS)), default=next(iter(chart.CHARTS)),
    show_default=True, help="What is shown.",
)  # fmt: skip
@click.option(
    "-o", "files", type=click.Path(path_type=Path), multiple=True, required=True,
    metavar="FILE", help="What to write, .svg or .png; may be given more than once.",
)  # fmt: skip
@json_option
def command(*, directory: Path, kind: str, files: tuple[Path, ...], as_json: bool) -> int:
    """Draw the result directory DIR: what each method costs, by what is mapped."""
    for file in files:
        chart.check(file)
    figure = chart.draw(Results(directory), kind)
    for file in files:
        chart.save(figure, file)
    if as_json:
        print_json({"kind": kind, "files": [str(file) for file in files]})
    return 0
