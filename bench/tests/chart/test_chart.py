# SPDX-License-Identifier: GPL-2.0-only
"""Charts as files: the same bytes each time, and whole or not at all."""

import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import matplotlib as mpl
import pytest
from drawn import written

from zapbench import chart
from zapbench.error import UsageError, ZapbenchError
from zapbench.result.store import Results


def test_a_file_made_twice_is_the_same_whatever_the_user_s_style(
    results: Results, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        for suffix in chart.SUFFIXES:
            with mpl.rc_context({"font.size": 20 if name == "b" else 10, "svg.fonttype": "path"}):
                chart.save(chart.draw(results, "cycle"), tmp_path / f"{name}{suffix}")
    for suffix in chart.SUFFIXES:
        first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert first == second
        assert b"2026" not in first


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    written(tmp_path / "r")
    for seed in ("1", "2"):
        command = ["-m", "zapbench", "chart", "r", "-o", f"{seed}.svg", "-o", f"{seed}.png"]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, check=True)
    for suffix in chart.SUFFIXES:
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_text_stays_text_and_names_cannot_be_markup(tmp_path: Path) -> None:
    kernel = "<script>alert(1)</script>$x^2$"
    drawn = chart.draw(Results(written(tmp_path / "r", kernel=kernel)), "cycle")
    chart.save(drawn, tmp_path / "c.svg")
    root = ET.fromstring((tmp_path / "c.svg").read_text())
    words = "\n".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))
    assert ["<script>alert(1)<", "script>$x^2$"][-1] in words
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    ids = [node.get("id") for node in root.iter() if "id" in node.attrib]
    assert len(ids) == len(set(ids))
    for said in ("madv_zap", "≠ punch_hole", "µs", "shmem, 4k pages, 4k range"):
        assert said in words


def test_a_full_disk_leaves_the_chart_of_before(results: Results, small_disk: Path) -> None:
    file = small_disk / "c.svg"
    file.write_text("before")
    (small_disk / "ballast").write_bytes(bytes(248 << 10))
    with pytest.raises(ZapbenchError, match="No space left on device") as caught:
        chart.save(chart.draw(results, "cycle"), file)
    assert caught.value.exit_code == 2
    assert file.read_text() == "before"
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "c.svg"]


def test_an_unknown_suffix_is_refused_by_save_too(results: Results, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.svg or \.png"):
        chart.save(chart.draw(results, "cycle"), tmp_path / "c.jpeg")
