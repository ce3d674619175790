# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench report``: results as a page, a letter and charts that can be made again."""

from pathlib import Path

import click

from zapbench.cli.output import json_option, note, print_json, say
from zapbench.error import UsageError


@click.command()
@click.argument("directories", nargs=-1, metavar="[DIR]...", type=click.Path(path_type=Path))
@click.option("-o", "where", type=click.Path(path_type=Path), help="The report's directory.")
@click.option("--title", help="Its title.  [default: from the directory's name]")
@click.option("--check", "checking", is_flag=True, help="Make it again from its own records.")
@click.option("--csv", "as_csv", is_flag=True, help="Print all cases for a spreadsheet instead.")
@json_option
def command(
    *,
    directories: tuple[Path, ...],
    where: Path | None,
    title: str | None,
    checking: bool,
    as_csv: bool,
    as_json: bool,
) -> int:
    """Make a report of result directories, or check one against its own records.

    Without a DIR the report that -o names is made again from its own records.

    Several kernels, machines and tiers may be in one; verdicts of a gate and histories that
    lie in a DIR as JSON are shown with it.
    """
    from zapbench import report  # matplotlib and jinja2 take their time

    if checking:
        if where is None or directories or as_csv:
            raise UsageError("--check takes a report and nothing else: --check -o reports/NAME")
        return _check(where, as_json=as_json)
    if as_csv:
        if where is not None or not directories:
            raise UsageError("--csv takes result directories and prints: leave out -o")
        say(report.csv_text(directories))
        return 0
    if where is None:
        raise UsageError("say where the report goes: -o reports/DATE-NAME")
    made = report.make(directories, where, title)
    if as_json:
        names = sorted(path.name for path in made.iterdir())
        print_json({"report": str(made), "files": names})
    else:
        note(f"the report is {made / 'index.html'}")
    return 0


def _check(where: Path, *, as_json: bool) -> int:
    from zapbench import report

    difference = report.check(where)
    if as_json:
        print_json({"report": str(where), "difference": difference})
    elif difference is None:
        note(f"{where} is what its records make")
    else:
        note(difference)
    return 0 if difference is None else 1
