# SPDX-License-Identifier: GPL-2.0-only
"""Charts as SVG in and next to a page."""

import re
from pathlib import Path

from drawn import FIGURES, written
from made_report import made

from zapbench import report


def test_charts_have_a_role_a_title_and_a_description(tmp_path: Path, results: Path) -> None:
    page = (made(tmp_path, results) / "index.html").read_text(encoding="utf-8")
    for svg in re.findall(r"<svg.*?</svg>", page, re.DOTALL):
        assert 'role="img"' in svg
        assert re.search(r"<title id=[^>]*>[^<]{10,}</title><desc id=[^>]*>[^<]{10,}</desc>", svg)


def test_svg_files_stand_alone_and_follow_a_dark_scheme(tmp_path: Path, results: Path) -> None:
    import xml.etree.ElementTree as ET

    for path in made(tmp_path, results).glob("*.svg"):
        text = path.read_text(encoding="utf-8")
        light, dark = text.split("@media (prefers-color-scheme:dark)")
        root = ET.fromstring(text)
        assert root.tag == "{http://www.w3.org/2000/svg}svg"
        for node in root.iter():
            assert all(f".{name}{{" in light for name in node.get("class", "").split())
            # Only the faces of cells are the same on any paper, and so have a colour.
            fixed = "stroke: #" if node.tag.endswith("path") else "#"
            assert fixed not in node.get("style", "")
        assert ".stroke-ink{stroke:#e6e6e6}" in dark


def test_control_characters_break_no_chart(tmp_path: Path) -> None:
    where = made(tmp_path, written(tmp_path / "results", FIGURES, kernel="6.12\x01\x1b[31m"))
    assert "6.12\ufffd" in (where / "index.html").read_text(encoding="utf-8")
    assert report.check(where) is None
