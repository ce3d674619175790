# SPDX-License-Identifier: GPL-2.0-only
"""The Debian packages of what zapbench runs and builds with: packages.txt, as a table."""

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from zapbench.host.root import as_root

TABLE = Path(__file__).with_name("packages.txt")


class Row(NamedTuple):
    """A line of packages.txt, whose head says what the columns mean."""

    package: str
    kind: str
    name: str
    used_by: tuple[str, ...]


def _rows(lines: Iterable[str]) -> tuple[Row, ...]:
    words = (line.split() for line in lines if line.strip() and not line.startswith("#"))
    return tuple(Row(package, kind, name, tuple(by)) for package, kind, name, *by in words)


ROWS = _rows(TABLE.read_text(encoding="utf-8").splitlines())
PROGRAMS = {row.name: row.package for row in ROWS if row.kind == "program"}
"""The package of each program."""


def used_by(user: str, kind: str) -> dict[str, str]:
    """The packages that one user (``setup``, ``kernel``) needs, by the name of what is in them."""
    return {row.name: row.package for row in ROWS if row.kind == kind and user in row.used_by}


def install(*packages: str) -> str:
    """The command that installs packages."""
    return as_root(f"apt-get install {' '.join(packages)}")
