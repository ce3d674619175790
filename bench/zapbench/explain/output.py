# SPDX-License-Identifier: GPL-2.0-only
"""Answers as text for files and programs: JSON, Markdown, folded stacks.

Names of functions come from foreign kernels: in each form they are nothing but names.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from zapbench import text
from zapbench.error import UsageError
from zapbench.explain.answer import Answer
from zapbench.explain.difference import Cost, Line, Part, lines
from zapbench.explain.folded import folded, safe

TOP = 15
"""Lines of a table, unless more are wanted."""
FRAMES = 6
"""Of a call path in a table: the innermost ones."""
JOINT = " < "
Render = Callable[[Sequence[Answer], int], str]


def plain(answers: Sequence[Answer]) -> Any:
    """What JSON says: an object, or a list of several.

    Figures are instructions over all ``operations``, so that they are whole and add up.
    """
    found = [_plain(each) for each in answers]
    return found[0] if len(found) == 1 else found


def _plain(answer: Answer) -> dict[str, Any]:
    found = answer.difference
    sides = {"base": answer.base, "head": answer.head}
    return {
        "case": found.case,
        "unit": "instructions",
        "operations": found.operations,
        "total": _cost(found.total),
        "functions": [
            {"name": each.name, **_cost(each.cost)}
            | (
                {"base_names": each.base_names, "head_names": each.head_names}
                if found.compared
                else {}
            )
            | ({"note": each.note} if each.note else {})
            for each in found.functions
        ],
        "paths": [{"path": path, **_cost(cost)} for path, cost in found.paths.items()],
        "unexplained": found.unexplained,
        "of": {name: each.label for name, each in sides.items() if each},
        "what": answer.what,
        "median": {name: each.median for name, each in sides.items() if each},
        "recorded_median": {name: each.recorded for name, each in sides.items() if each},
    }


def _cost(cost: Cost) -> dict[str, int]:
    return {"head": cost.head} if cost.base is None else {"base": cost.base, "head": cost.head}


def functions(answer: Answer, top: int) -> list[Line]:
    """The lines of the table of functions."""
    found = answer.difference
    parts: list[Part] = [(safe(each.label), each.cost, each.note) for each in found.functions]
    return lines(parts, found.operations, top)


def paths(answer: Answer, top: int) -> list[Line]:
    """The lines of the table of call paths: each from the innermost function outwards."""
    found = answer.difference
    parts: list[Part] = [(_inwards(path), cost, "") for path, cost in found.paths.items()]
    return lines(parts, found.operations, top)


def _inwards(path: Sequence[str]) -> str:
    frames = [safe(name) for name in reversed(path)]
    more = ["…"] if len(frames) > FRAMES else []
    return JOINT.join([*frames[:FRAMES], *more])


def cells(line: Line, total: Line) -> list[str]:
    """The figures of a line: what it costs, on both sides where there are two."""
    if line.base is None:
        share = text.share(line.head / total.head, 1) if total.head else text.NONE
        return [text.hundredths(line.head), share]
    figures = [text.hundredths(line.base), text.hundredths(line.head)]
    return [*figures, text.change_hundredths(line.change)]


def figures_of(answer: Answer) -> tuple[str, ...]:
    """The headings of `cells`."""
    return ("base", "head", "change") if answer.difference.compared else ("instructions", "share")


def _json(answers: Sequence[Answer], _: int) -> str:
    return json.dumps(plain(answers), indent=1) + "\n"


def _markdown(answers: Sequence[Answer], top: int) -> str:
    return "\n".join(_section(each, top) for each in answers)


def _section(answer: Answer, top: int) -> str:
    said = [f"### {_words(answer.difference.case)}", ""]
    said += [f"Instructions of one operation: {_words(answer.sides)}.", ""]
    for remark in answer.remarks():
        said += [_words(remark), ""]
    said += [*_table("function", functions(answer, top), answer), ""]
    said += [*_table("call path, innermost first", paths(answer, top), answer)]
    return "\n".join(said) + "\n"


def _table(what: str, rows: Sequence[Line], answer: Answer) -> list[str]:
    heads, noted = figures_of(answer), any(row.note for row in rows)
    more = [""] if noted else []
    found = [_row([what, *heads, *more]), f"|---|{'--:|' * len(heads)}{'---|' * noted}"]
    for row in rows:
        special = row.label == "total" or row.label.startswith("(")
        name = _words(row.label) if special else _code(row.label)
        found.append(_row([name, *cells(row, rows[-1]), *([row.note] if noted else [])]))
    return found


def _row(words: Sequence[str]) -> str:
    return f"| {' | '.join(words)} |"


def _code(name: str) -> str:
    """Names of functions, which may hold anything, as code in a cell of a table."""
    return "`" + safe(name, "`").replace("|", "\\|") + "`"


def _words(said: str) -> str:
    return "".join(f"\\{each}" if each in "\\`*_|<[" else each for each in safe(said))


def _folded(answers: Sequence[Answer], _: int) -> str:
    return folded(only(answers).difference.paths)


def only(answers: Sequence[Answer]) -> Answer:
    """The one answer of a form that holds no more.

    Raises:
        UsageError: there are several.
    """
    if len(answers) > 1:
        raise UsageError("folded stacks and pictures are of one case each: name one")
    return answers[0]


FORMS: Mapping[str, Render] = {".json": _json, ".md": _markdown, ".folded": _folded}
"""By the suffix of a file."""
