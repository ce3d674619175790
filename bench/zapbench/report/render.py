# SPDX-License-Identifier: GPL-2.0-only
"""A report's sections as a page, as Markdown and as a letter.  The only user of jinja2."""

import re
import shlex
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import jinja2

from zapbench import text
from zapbench.case import methods, size_text
from zapbench.report.document import Commands, Section
from zapbench.report.method import missing_in_short
from zapbench.report.study import Group, Study
from zapbench.report.svg import FONT, LINES, rules

TEMPLATES = Path(__file__).with_name("templates")
WIDTH = 72
CUT = 40  # characters of a word that is longer than a line
MARKDOWN_ROWS = 60  # longer tables are for the page and the spreadsheet
LETTER_PLACES = 5
_MARKS = re.compile(r"([\\`*_\[\]|~#])")


class Raw(str):
    """Text that needs no more escaping."""

    __slots__ = ()


def html(title: str, sections: Sequence[Section]) -> str:
    """The page: one file that asks for nothing."""
    loader = jinja2.FileSystemLoader(TEMPLATES)
    environment = jinja2.Environment(
        loader=loader, autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
    return _render(
        environment, "index.html.j2", title=title, sections=sections, font=FONT, lines=LINES,
        light=rules(), dark=rules(dark=True),
    )  # fmt: skip


def markdown(title: str, sections: Sequence[Section]) -> str:
    """The same for a code host; tables of more than `MARKDOWN_ROWS` rows are left to the page."""
    environment = _plain(escaped)
    environment.filters["code"] = lambda lines: Raw("\n".join(lines).replace("```", "` ` `"))
    said = _render(environment, "index.md.j2", title=title, sections=sections, most=MARKDOWN_ROWS)
    return re.sub(r"\n{3,}", "\n\n", said)


def letter(title: str, sections: Sequence[Section], study: Study) -> str:
    """For a mailing list: no line is longer than `WIDTH`."""
    environment = _plain(Raw)
    environment.filters["fill"] = _filled
    environment.filters["command"] = _command
    named = {section.name: section for section in sections}
    commands = [block for block in named["again"].blocks if isinstance(block, Commands)]
    tables = [lines for group in study.groups if (lines := table(group))]
    said = _render(
        environment, "cover-letter.txt.j2", title=title, named=named, tables=tables,
        commands=commands[0].lines, missing=missing_in_short(study),
    )  # fmt: skip
    return re.sub(r"\n{3,}", "\n\n", said)


def index(entries: Sequence[Any]) -> str:
    """The list of reports; see `zapbench.report.index`."""
    return _render(_plain(escaped), "README.md.j2", entries=entries)


def _plain(finalize: Any) -> jinja2.Environment:
    return jinja2.Environment(  # noqa: S701 - not HTML: each output goes through `finalize`
        loader=jinja2.FileSystemLoader(TEMPLATES),
        finalize=lambda value: value if isinstance(value, Raw) else finalize(str(value)),
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )


def _render(environment: jinja2.Environment, template: str, **names: Any) -> str:
    return environment.get_template(template).render(**names).rstrip() + "\n"


def escaped(text: str) -> Raw:
    """Text as Markdown that shows it: no mark or tag in it has a meaning."""
    entities = " ".join(text.split()).replace("&", "&amp;").replace("<", "&lt;")
    return Raw(_MARKS.sub(r"\\\1", entities))


def _filled(text: str, first: str = "", then: str = "") -> str:
    return textwrap.fill(
        " ".join(text.split()), WIDTH, initial_indent=first, subsequent_indent=then,
        break_on_hyphens=False,
    )  # fmt: skip


def _command(line: str) -> str:
    """A command over several lines, joined by backslashes; a word is only cut if it must be."""
    if line.startswith("#"):
        return _filled(line, "  ", "  # ")
    lines = ["  "]
    for word in shlex.split(line):
        quoted = shlex.quote(word)
        if len(lines[-1]) + len(quoted) + 3 > WIDTH:
            lines.append("      ")
        pieces = [quoted]
        if len(quoted) > WIDTH - 10:
            pieces = [shlex.quote(word[at : at + CUT]) for at in range(0, len(word), CUT)]
        lines[-1] += pieces[0] + " "
        # What follows a cut word is at the very left, or the shell would see two.
        lines += [piece + " " for piece in pieces[1:]]
        for at in range(len(lines) - len(pieces), len(lines) - 1):
            lines[at] = lines[at].rstrip()
    return "\\\n".join(lines).rstrip()


def table(group: Group) -> list[str]:
    """The cost of a cycle by place: the reference's, and the others' ratios to it."""
    places = group.places("cycle", minor=True)
    headline = [place for place in group.headline("cycle") if place in places]
    shown = (headline or places)[:LETTER_PLACES]
    base = group.reference
    if not any(group.cost("cycle", base, place) for place in shown):
        return []
    unit = "time" if group.unit == "ns" else group.unit
    said = f"{group.name}, {group.boots_text}: cycle, {base} in {unit}, others × {base}"
    names = [f"{backing[:10]}" for backing, _, _ in shown]
    sizes = [f"{size_text(page)}/{size_text(size)}" for _, page, size in shown]
    rows = [["", *names], ["", *sizes]]
    known = [base, *(name for name in methods() if name != base)]
    rows += [row for name in known if (row := _letter_row(group, name, shown, base))]
    lines = [row[0].ljust(14) + "".join(cell.rjust(11) for cell in row[1:]) for row in rows]
    return [*textwrap.wrap(said, WIDTH), "", *(line.rstrip() for line in lines)]


def _letter_row(group: Group, name: str, places: Sequence[Any], base: str) -> list[str]:
    """A method of the same end state; nothing if it was not measured."""
    cells = []
    for place in places:
        each = group.cost("cycle", name, place)
        ratio = group.ratio("cycle", name, place, base)
        if each is None or not group.equivalent("cycle", name, place):
            cells.append(text.NONE)
        elif name == base:
            cells.append(text.full_cost(each.median, group.unit))
        else:
            cells.append(text.NONE if ratio is None else text.ratio(ratio.value, digits=3))
    return [] if set(cells) == {text.NONE} else [name, *cells]
