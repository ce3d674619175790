# SPDX-License-Identifier: GPL-2.0-only
"""The page and the letter."""

import json
import re
from collections.abc import Sequence
from html.parser import HTMLParser
from pathlib import Path

import synthetic
from drawn import FIGURES, written
from made_report import EVIL, SHMEM, made

from zapbench import report


class Page(HTMLParser):
    """The ids of a page, what refers to them, its headings, and every address in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids: list[str] = []
        self.referred: list[str] = []
        self.addresses: list[str] = []
        self.tags: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: Sequence[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        for key, value in ((key, value or "") for key, value in attrs):
            if key == "id":
                self.ids.append(value)
            elif key in ("aria-labelledby", "aria-describedby"):
                self.referred += value.split()
            elif key in ("href", "xlink:href", "src"):
                self.addresses.append(value)
            self.referred += re.findall(r"url\(#(.*?)\)", value)

    handle_startendtag = handle_starttag


def test_page_asks_for_nothing_and_all_references_lead_somewhere(
    tmp_path: Path, results: Path
) -> None:
    where = made(tmp_path, results)
    page = Page((where / "index.html").read_text(encoding="utf-8"))
    assert len(page.ids) == len(set(page.ids))
    inner = [each.lstrip("#") for each in page.addresses if each.startswith("#")]
    assert {*page.referred, *inner} <= set(page.ids)
    files = {each for each in page.addresses if not each.startswith(("#", "data:"))}
    assert files == {path.name for path in where.glob("*.svg")}
    assert page.tags.count("svg") == len(files) > 0
    assert page.tags.count("h1") == 1


def test_names_with_tags_are_shown_as_text(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    skip = synthetic.skip(synthetic.run_of(0, EVIL), f"cycle/rwp/{SHMEM}", f"no {evil}")
    directory = written(tmp_path / "results", FIGURES, skip, kernel=EVIL)
    gate = {"checks": [{"case": evil, "verdict": "PASS", "why": evil}], "status": evil}
    (directory / "gate.json").write_text(json.dumps(gate))
    where = report.make([directory], tmp_path / "reports" / "evil", title=evil)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "<script>alert" not in page
    assert page.count("<script") == 1
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in page
    for name in ("index.md", *(path.name for path in where.glob("*.svg"))):
        text = (where / name).read_text(encoding="utf-8")
        assert "<script>alert" not in re.sub(r"```.*?```", "", text, flags=re.DOTALL)
    assert report.check(where) is None


def test_letter_fits_72_columns(tmp_path: Path, results: Path) -> None:
    long = written(tmp_path / "long", FIGURES, kernel="6.12-" + "very-long-name" * 9)
    text = (made(tmp_path, results, long) / "cover-letter.txt").read_text(encoding="utf-8")
    assert max(map(len, text.splitlines())) <= 72
    assert "dontneed" in text
    assert "zapbench report --check" in text
