# SPDX-License-Identifier: GPL-2.0-only
"""The list of the reports in one directory."""

import json
import re
from pathlib import Path
from typing import NamedTuple

from zapbench.error import DiskFull
from zapbench.host.file import readable, write_atomically
from zapbench.report.render import index
from zapbench.report.source import ABOUT

NAME = "README.md"
REPORTS = "reports"  # only a directory of this name gets an index: others are the user's own
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


class Published(NamedTuple):
    """A report in the index: its directory, and what it says of itself."""

    name: str
    title: str
    date: str
    where: str
    answer: str


def index_text(reports: Path) -> str:
    """The index of a directory of reports, the newest first; what is no report is passed over."""
    entries = [entry for path in sorted(reports.glob(f"*/{ABOUT}")) if (entry := _entry(path))]
    return index(sorted(entries, key=lambda entry: (entry.date, entry.name), reverse=True))


def _entry(path: Path) -> Published | None:
    try:
        about = json.loads(path.read_text(encoding="utf-8"))
        date = _DATE.match(path.parent.name)
        return Published(
            readable(path.parent.name),
            str(about["title"]),
            date[0] if date else "",
            ", ".join(str(each) for each in about["measured"]),
            str(about["answer"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def write_index(report: Path) -> Path | None:
    """Make the index next to a report again, if it is in a directory named reports.

    Raises:
        DiskFull: it cannot be written.
    """
    reports = report.resolve().parent
    if reports.name != REPORTS:
        return None
    path = reports / NAME
    try:
        write_atomically(path, index_text(reports).encode())
    except OSError as error:
        raise DiskFull(f"cannot write {path}: {error.strerror}") from error
    return path


def check_index(report: Path) -> str | None:
    """What is wrong with the index next to a report; None if it is as it should be."""
    reports = report.resolve().parent
    path = reports / NAME
    if reports.name != REPORTS:
        return None
    if not path.is_file() or path.read_text(encoding="utf-8") != index_text(reports):
        return f"{path} is not the index of the reports next to it: run `zapbench report` anew"
    return None
