# SPDX-License-Identifier: GPL-2.0-only
"""A report as files, written whole or not at all, and compared with what it is made from."""

import gzip
import itertools
import json
import os
import shutil
import zlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from zapbench.error import DiskFull, UsageError
from zapbench.host.file import exchange, readable
from zapbench.host.scratch import scratch
from zapbench.record import encode
from zapbench.report import render
from zapbench.report.again import again
from zapbench.report.answer import answer
from zapbench.report.changes import history
from zapbench.report.cost import beyond, costs, solid
from zapbench.report.document import Picture, Section, Text
from zapbench.report.index import check_index, write_index
from zapbench.report.method import method, missing, title_of
from zapbench.report.source import ABOUT, Material, read, read_again, without_directories
from zapbench.report.study import Study, study
from zapbench.report.svg import standalone
from zapbench.report.timing import bridge, gates, timings
from zapbench.result.store import RECORDS, SUITE, suites

PAGE, MARKDOWN, LETTER = "index.html", "index.md", "cover-letter.txt"
BESIDE = ("results", "NOTES.md")
"""What may be next to the made files and is kept: asv's results, and words by hand."""
SECTIONS = (answer, costs, beyond, solid, bridge, timings, history, gates, method, missing)
"""In the order of the page; the commands follow."""


def make(directories: Sequence[Path], where: Path, title: str | None = None) -> Path:
    """Make a report of result directories in ``where``; an older one there is replaced.

    Without a directory the one that is there is made again from its own records.  Where it
    is in a directory named reports, the index next to it is made again, too.

    Raises:
        UsageError: a directory is none, or ``where`` holds something else than a report.
        SchemaError: a record file is damaged.
        DiskFull: it cannot be written.
    """
    if where.exists() and not (where / ABOUT).is_file() and any(where.iterdir()):
        raise UsageError(f"{where} is not empty and no report: choose another with -o")
    if directories:
        material = read(directories, _line(title) or title_of(_slug(where)))
    else:
        material = read_again(where)
        material = replace(material, title=_line(title) or material.title)
    _write(files(material, _slug(where)), where)
    write_index(where)
    return where


def _slug(report: Path) -> str:
    """The name of a report's directory, for the page."""
    return readable(report.resolve().name)


def _line(title: str | None) -> str:
    return without_directories(" ".join(readable(title or "").split()))


def files(material: Material, slug: str) -> dict[str, bytes]:
    """Every file of a report by its name."""
    looked = study(material)
    made = [section for part in SECTIONS if (section := part(looked)) is not None]
    sections = [*made, again(looked, slug)]
    texts = {
        PAGE: render.html(material.title, sections),
        MARKDOWN: render.markdown(material.title, sections),
        LETTER: render.letter(material.title, sections, looked),
        ABOUT: _json(_about(looked, sections[0])),
        **{picture.file: standalone(picture.svg) for picture in _pictures(sections)},
    }
    named = itertools.chain(
        ((f"gate-{i}.json", gate) for i, gate in enumerate(material.gates, 1)),
        ((f"history-{i}.json", each) for i, each in enumerate(material.histories, 1)),
    )
    texts |= {name: _json(data) for name, data in named}
    return {name: text.encode() for name, text in texts.items()} | _archives(looked)


def _about(looked: Study, answered: Section) -> Mapping[str, object]:
    first = answered.blocks[0]
    assert isinstance(first, Text)
    groups = [f"{group.name}, {group.boots_text}" for group in looked.groups]
    return {
        "title": looked.material.title,
        "measured": groups,
        "answer": first.text,
        "notes": list(looked.material.notes),
        "asked": [
            {"of": of, "globs": asked.globs, "quick": asked.quick}
            for of, asked in looked.material.asked.items()
        ],
    }


def _json(data: object) -> str:
    return json.dumps(data, indent=1, ensure_ascii=False) + "\n"


def _pictures(sections: Sequence[Section]) -> Iterator[Picture]:
    for section in sections:
        for block in section.blocks:
            if isinstance(block, Picture):
                yield block


def _archives(looked: Study) -> dict[str, bytes]:
    lines = (encode(r) for stream in looked.material.streams for r in stream.records)
    archives = {}
    text = b"".join(lines)
    if text:
        archives[RECORDS] = gzip.compress(text, mtime=0)
    named = {group.name: group.timings.values() for group in looked.groups}
    suite = suites(named)
    if suite is not None:
        archives[SUITE] = gzip.compress(suite, mtime=0)
    return archives


def _write(made: Mapping[str, bytes], where: Path) -> None:
    """Put the files in place of those that are there."""
    try:
        where.parent.mkdir(parents=True, exist_ok=True)
        with scratch("report", where.parent) as place:
            fresh = place / where.name
            fresh.mkdir()
            for name, data in made.items():
                (fresh / name).write_bytes(data)
            for kept in filter(Path.exists, (where / name for name in BESIDE)):
                _link(kept, fresh / kept.name)
            if where.exists():
                exchange(fresh, where)
            else:
                fresh.rename(where)
    except OSError as error:
        raise DiskFull(f"cannot write {where}: {error.strerror}; choose another with -o") from error


def _link(kept: Path, to: Path) -> None:
    """Give a file, or all files of a directory, a second name."""
    if kept.is_dir():
        shutil.copytree(kept, to, copy_function=os.link)
    else:
        to.hardlink_to(kept)


def check(report: Path) -> str | None:
    """Make a report again from its own records; the first difference, or None.

    Archives are compared by what they hold: libraries compress differently.

    Raises:
        UsageError: it is no report.
        SchemaError: its records are damaged.
    """
    made = files(read_again(report), _slug(report))
    there = {path.name: path for path in sorted(report.iterdir()) if path.name not in BESIDE}
    for name in sorted({*made, *there}):
        if name not in there:
            return f"{report / name} is missing"
        if name not in made:
            return f"{report / name} does not belong to the report"
        difference = _difference(name, there[name].read_bytes(), made[name])
        if difference is not None:
            return f"{report / name} {difference}"
    return check_index(report)


def _difference(name: str, old: bytes, new: bytes) -> str | None:
    if name.endswith(".gz"):
        try:
            old, new = gzip.decompress(old), gzip.decompress(new)
        except (OSError, EOFError, zlib.error):
            return "is damaged"
    if old == new:
        return None
    pairs = enumerate(itertools.zip_longest(old.splitlines(), new.splitlines()), 1)
    line = next((number for number, (a, b) in pairs if a != b), 0)
    return f"differs from what is made now, first in line {line}"
