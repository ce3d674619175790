# SPDX-License-Identifier: GPL-2.0-only
"""How the figures came about, and how to get them again."""

import shlex
from pathlib import Path

import pytest
from drawn import FIGURES, written

from zapbench import report
from zapbench.report.method import title_of


def test_commands_of_the_letter_are_those_of_the_page(tmp_path: Path) -> None:
    kernel = "6.12-" + "very-long-name" * 9
    directory = written(
        tmp_path / "long", FIGURES, kernel=kernel, tier="icount", unit="instructions"
    )
    where = report.make([directory], tmp_path / "reports/x", title="It's \n a title, & long " * 4)
    letter = (where / "cover-letter.txt").read_text(encoding="utf-8")
    commands = letter.partition("To make it again:")[2].replace("\\\n", "").splitlines()
    assert max(map(len, letter.splitlines())) <= 72
    (run_again, made_again) = (
        next(shlex.split(line) for line in commands if line.strip().startswith(start))
        for start in ("zapbench run", "zapbench report x-1")
    )
    assert run_again[run_again.index("--kernel") + 1] == kernel
    assert made_again[made_again.index("--title") + 1] == " ".join(["It's a title, & long"] * 4)


@pytest.mark.parametrize(
    ("slug", "title"),
    [("2026-11-22-all-methods", "All methods, 2026-11-22"), ("duel", "Duel"), ("x-1", "X 1")],
)
def test_titles_come_from_names(slug: str, title: str) -> None:
    assert title_of(slug) == title
