# SPDX-License-Identifier: GPL-2.0-only
"""Where something stands in a TOML file.

tomllib says it of errors of syntax only.  What it parsed has no places, so the line is looked
for in the text: the n-th header of a table, then the key below it.  Text inside a string may
look like either; a line counts only if the file up to it parses.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import UsageError


@dataclass(frozen=True, slots=True, order=True)
class Place:
    """A line and a column, both from 1."""

    line: int
    column: int


def at(path: Path, place: Place, message: str) -> UsageError:
    """The error that says where; as tomllib writes it."""
    return UsageError(f"{path}: {message} (at line {place.line}, column {place.column})")


def whereabouts(text: str, table: str | None, index: int, key: str | None) -> Place:
    """Where a key stands in the ``index``-th ``[[table]]``; without ``key``, where that stands.

    Without ``table``, where a key or a table stands at the top level.  The first line for what
    is written in a way that this does not look for.
    """
    if table is None:
        pattern = rf"[ \t]*(?:\[+[ \t]*)?({re.escape(key or '')})\b"
        return next(_found(text, pattern, 0, len(text)), Place(1, 1))
    headers = list(_found(text, rf"[ \t]*(\[\[)[ \t]*{re.escape(table)}[ \t]*\]\]", 0, len(text)))
    if index >= len(headers):
        return Place(1, 1)
    if key is None:
        return headers[index]
    start = _offset(text, headers[index].line + 1)
    after = next(_found(text, r"[ \t]*(\[)", start, len(text)), None)
    end = _offset(text, after.line) if after else len(text)
    quoted = rf"[ \t]*([\"']?{re.escape(key)}[\"']?)[ \t]*[=.]"
    return next(_found(text, quoted, start, end), headers[index])


def _found(text: str, pattern: str, start: int, end: int) -> Iterator[Place]:
    for match in re.compile(rf"^{pattern}", re.M).finditer(text, start, end):
        if _parses(text[: match.start()]):
            line = text.count("\n", 0, match.start(1)) + 1
            yield Place(line, match.start(1) - text.rfind("\n", 0, match.start(1)))


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _offset(text: str, line: int) -> int:
    """Where a line starts, lines counted from 1."""
    lines = text.splitlines(keepends=True)
    return sum(map(len, lines[: line - 1]))
