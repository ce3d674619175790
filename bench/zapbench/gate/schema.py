# SPDX-License-Identifier: GPL-2.0-only
"""TOML files of ``[[tables]]``, and where in them something is wrong.

tomllib says it of errors of syntax only.  What it parsed has no positions, so the line is looked
for in the text: the n-th header of a table, then the key below it.  Text inside a string may
look like either; a line counts only if the file up to it parses.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar, get_args, get_type_hints

import msgspec

from zapbench.error import UsageError

T = TypeVar("T")
# As msgspec writes it: "Expected `str`, got `int` - at `$.budget[1].cases[0]`".
_INVALID = re.compile(
    r"(?P<what>.*?)(?: - at `\$\.(?P<table>\w+)(?:\[(?P<index>\d+)\](?:\.(?P<key>\w+))?)?.*`)?"
)
_UNKNOWN = re.compile(r"unknown field `(.*)`")


HINTS = {
    "required": 'write true, false or "claimed"',
    "expires": "write a date, without quotes, such as 2027-01-31",
}
"""What a key takes, where the name of a type does not say it."""


def _keys(kind: type, table: str | None) -> tuple[str, ...]:
    """The keys of a file of a kind, or of one of its tables."""
    if table is not None:
        kind, *_ = get_args(get_type_hints(kind)[table])
    return tuple(each.name for each in msgspec.structs.fields(kind))


@dataclass(frozen=True, slots=True, order=True)
class Position:
    """A line and a column, both from 1."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class TomlFile:
    """A TOML file of ``[[tables]]``."""

    path: Path
    text: str

    def read(self, kind: type[T]) -> T:
        """What is in it.

        Raises:
            UsageError: it is no TOML, or not of this kind; with line and column.
        """
        try:
            return msgspec.toml.decode(self.text, type=kind)
        except msgspec.ValidationError as error:
            raise self._invalid(str(error), kind) from error
        except msgspec.DecodeError as error:
            raise UsageError(f"{self.path}: {error}") from error

    def _invalid(self, message: str, kind: type) -> UsageError:
        found = _INVALID.fullmatch(" ".join(message.split()))  # a key may hold a newline
        assert found is not None
        what, name, index, key = found.group("what", "table", "index", "key")
        if unknown := _UNKNOWN.search(what):
            key = unknown[1]
            what = f"no key {key!r}: {', '.join(_keys(kind, name))}"
        elif key is not None:
            what = f"{key}: {what}"
            what += f": {HINTS[key]}" if key in HINTS else ""
        if name is None or index is None:
            what = f"write [[{name}]], with two brackets, for each" if name else what
            return self.wrong(whereabouts(self.text, None, 0, name or key), what)
        return self.table(name, int(index)).wrong(key, what)

    def table(self, name: str, index: int) -> "TomlTable":
        """The ``index``-th table of a name, from 0."""
        return TomlTable(self, name, index)

    def wrong(self, at: Position, message: str) -> UsageError:
        """The error that says where; as tomllib writes it."""
        return UsageError(f"{self.path}: {message} (at line {at.line}, column {at.column})")


@dataclass(frozen=True, slots=True)
class TomlTable:
    """One ``[[table]]`` of a file."""

    file: TomlFile
    name: str
    index: int

    def position(self, key: str | None = None) -> Position:
        """Where it is, or a key of it."""
        return whereabouts(self.file.text, self.name, self.index, key)

    def wrong(self, key: str | None, message: str) -> UsageError:
        """The error that says where."""
        return self.file.wrong(self.position(key), message)

    def replaced(self, key: str, value: str) -> str | None:
        """The text of the file with another string for a key, and not a byte else changed.

        None where the value is not written in one line behind the key.
        """
        at, text = self.position(key), self.file.text
        start = _offset(text, at.line) + at.column - 1
        found = re.compile(rf"([\"']?){re.escape(key)}\1[ \t]*=[ \t]*").match(text, start)
        old = found and re.compile(r"\"[^\"\\\n]+\"|'[^'\n]+'").match(text, found.end())
        if not old:
            return None
        quote = old[0][0]
        return f"{text[: old.start()]}{quote}{value}{quote}{text[old.end() :]}"


def whereabouts(text: str, table: str | None, index: int, key: str | None) -> Position:
    """Where a key is in the ``index``-th ``[[table]]``; without ``key``, where that is.

    Without ``table``, where a key or a table is at the top level.  The first line for what
    is written in a way that this does not look for.
    """
    if table is None:
        pattern = rf"[ \t]*(?:\[+[ \t]*)?({re.escape(key or '')})\b"
        return next(_found(text, pattern, 0, len(text)), Position(1, 1))
    headers = list(_found(text, rf"[ \t]*(\[\[)[ \t]*{re.escape(table)}[ \t]*\]\]", 0, len(text)))
    if index >= len(headers):
        return whereabouts(text, None, 0, table)
    if key is None:
        return headers[index]
    start = _offset(text, headers[index].line + 1)
    after = next(_found(text, r"[ \t]*(\[)", start, len(text)), None)
    end = _offset(text, after.line) if after else len(text)
    quoted = rf"[ \t]*([\"']?{re.escape(key)}[\"']?)[ \t]*[=.]"
    return next(_found(text, quoted, start, end), headers[index])


def _found(text: str, pattern: str, start: int, end: int) -> Iterator[Position]:
    for match in re.compile(rf"^{pattern}", re.M).finditer(text, start, end):
        if _parses(text[: match.start()]):
            line = text.count("\n", 0, match.start(1)) + 1
            yield Position(line, match.start(1) - text.rfind("\n", 0, match.start(1)))


def _parses(text: str) -> bool:
    try:
        tomllib.loads(text)
    except tomllib.TOMLDecodeError:
        return False
    return True


def _offset(text: str, line: int) -> int:
    """Where a line starts, lines counted from 1; TOML knows no other ends of lines."""
    return sum(len(each) + 1 for each in text.split("\n")[: line - 1])
