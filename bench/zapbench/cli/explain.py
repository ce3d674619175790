# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench explain``: where the instructions of an operation go, or what made them change."""

from collections.abc import Sequence
from pathlib import Path

import click
from rich.console import Console

from zapbench.cli.output import console, grid, json_option, print_json
from zapbench.cli.progress import ON_STDERR
from zapbench.error import UsageError
from zapbench.explain.answer import Answer, answer, ask
from zapbench.explain.difference import Line
from zapbench.explain.folded import safe
from zapbench.explain.output import (
    FORMS,
    TOP,
    cells,
    figures_of,
    functions,
    only,
    paths,
    plain,
)
from zapbench.host.file import readable, write_output

PICTURES = (".svg", ".png")
ALONE = (*PICTURES, ".folded")
"""Of one case."""


@click.command()
@click.argument("words", nargs=-1, required=True, metavar="[BASE] HEAD CASE...")
@click.option("--against-method", metavar="METHOD", help="Compare with METHOD in the same case.")
@click.option(
    "--sample", metavar="max|N", help="Explain one sample, against the median one; N from 0."
)
@click.option("--deferred", is_flag=True, help="Explain the whole case, with what was put off.")
@click.option(
    "--top", type=click.IntRange(1), default=TOP, show_default=True,
    help="Lines of each table; the rest is one line.",
)  # fmt: skip
@click.option(
    "-o", "files", type=click.Path(path_type=Path), multiple=True, metavar="FILE",
    help=f"Write a file too, by its name: {', '.join([*FORMS, *PICTURES])}.",
)  # fmt: skip
@json_option
def command(
    *,
    words: tuple[str, ...],
    against_method: str | None,
    sample: str | None,
    deferred: bool,
    top: int,
    files: tuple[Path, ...],
    as_json: bool,
) -> int:
    """Say which functions the instructions of one operation of each CASE go to.

    HEAD is a kernel, which is booted for it, or a result directory (icount), whose kernel is
    booted again; BASE is another one, and what changed from BASE to HEAD is said.
    """
    _check(files)
    question = ask(words, against_method, sample, deferred=deferred)
    if len(question.cases) > 1 and (wrong := [each for each in files if each.suffix in ALONE]):
        raise UsageError(f"{wrong[0]} can hold one case, and these are {len(question.cases)}")
    answers = answer(question, ON_STDERR)
    try:
        for file in files:
            _write(file, answers, top)
    finally:
        if as_json:
            print_json(plain(answers))
        else:
            _print(answers, top)
    return 0 if len(answers) == len(question.cases) else 1


def _check(files: Sequence[Path]) -> None:
    for file in files:
        if file.suffix not in (*FORMS, *PICTURES):
            known = ", ".join([*FORMS, *PICTURES])
            raise UsageError(f"no format is called {file.suffix or file.name!r}: {known}")


def _write(file: Path, answers: Sequence[Answer], top: int) -> None:
    if file.suffix in FORMS:
        write_output(file, readable(FORMS[file.suffix](answers, top)).encode())
        return
    from zapbench import chart
    from zapbench.chart.flame import Cost

    shown = only(answers)
    found = shown.difference
    costs = {
        tuple(safe(name) for name in path): Cost(
            float(found.each(cost.head)),
            None if cost.base is None else float(found.each(cost.base)),
        )
        for path, cost in found.paths.items()
    }
    said = safe(f"instructions of one operation: {shown.sides}")
    chart.save(chart.draw_calls(costs, safe(found.case), said), file)


def _print(answers: Sequence[Answer], top: int) -> None:
    out = console()
    for number, each in enumerate(answers):
        if number:
            out.print()
        out.print(safe(each.difference.case), style="bold")
        out.print(f"{safe(f'instructions of one operation: {each.sides}')}\n")
        _table("function", functions(each, top), each, out)
        out.print()
        _table("call path, innermost first", paths(each, top), each, out)
        out.print()
        for remark in each.remarks():
            out.print(safe(remark))


def _table(what: str, rows: Sequence[Line], shown: Answer, out: Console) -> None:
    heads = [f"{name}>" for name in figures_of(shown)]
    noted = any(row.note for row in rows)
    body = ([*cells(row, rows[-1]), row.label, *([row.note] if noted else [])] for row in rows)
    grid([*heads, what, *([""] if noted else [])], body, out)
