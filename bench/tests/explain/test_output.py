# SPDX-License-Identifier: GPL-2.0-only
"""Answers as JSON, Markdown and folded stacks, with names that try to be more than names."""

import json
import re
from fractions import Fraction
from typing import Any

import pytest

from zapbench.error import UsageError
from zapbench.explain.answer import Answer, Figure
from zapbench.explain.difference import Cost, Difference, Function
from zapbench.explain.output import FORMS

NASTY = "a|b`c`;<i>\x1b[31m\nd"
CASE = "zap/dontneed/shmem/4k/4k"
PATH = ("entry", "do_syscall_64", "x64_sys_call", "madvise", "do_madvise", "zap", "walk")


def answer(*, compared: bool = True) -> Answer:
    def cost(base: int, head: int) -> Cost:
        return Cost(base if compared else None, head)

    functions = (
        Function(NASTY, cost(0, 30), (), (NASTY,), "base does not call it"),
        Function("walk", cost(20, 22), ("walk.isra.0",), ("walk",)),
    )
    paths = {("entry", NASTY): cost(0, 30), PATH: cost(20, 22)}
    found = Difference(CASE, 4, cost(20, 52), functions, paths)
    base = Figure("6.12", Fraction(5), 5.0, 4.5)
    return Answer(found, Figure("6.12|x", Fraction(13), 12.5), base if compared else None)


def test_json_has_whole_figures_that_add_up() -> None:
    found: dict[str, Any] = json.loads(FORMS[".json"]([answer()], 15))
    assert (found["case"], found["unit"], found["operations"]) == (CASE, "instructions", 4)
    assert found["total"] == {"base": 20, "head": 52}
    first, second = found["functions"]
    assert first == {
        "name": NASTY,
        "base": 0,
        "head": 30,
        "base_names": [],
        "head_names": [NASTY],
        "note": "base does not call it",
    }
    assert (second["base_names"], second["head_names"]) == (["walk.isra.0"], ["walk"])
    assert found["paths"][1] == {"path": list(PATH), "base": 20, "head": 22}
    assert found["unexplained"] == 0
    assert found["of"] == {"base": "6.12", "head": "6.12|x"}
    assert found["median"] == {"base": 5.0, "head": 12.5}
    assert found["recorded_median"] == {"base": 4.5, "head": None}


def test_json_of_one_side_has_no_base_and_several_cases_are_a_list() -> None:
    one, two = json.loads(FORMS[".json"]([answer(compared=False), answer()], 15))
    assert one["total"] == {"head": 52}
    assert set(one["functions"][1]) == {"name", "head"}
    assert one["of"] == {"head": "6.12|x"}
    assert two["total"] == {"base": 20, "head": 52}


def test_markdown_has_a_table_whose_cells_names_cannot_end() -> None:
    text = FORMS[".md"]([answer()], 15)
    assert "\x1b" not in text
    rows = [line for line in text.splitlines() if line.startswith("|")]
    nasty = [row for row in rows if "a\\|b" in row]
    assert len(nasty) == 2
    assert "`a\\|b\\x60c\\x60;<i>\\x1b[31m\\x0ad`" in nasty[0]
    for table in ("function", "call path"):
        at = next(number for number, row in enumerate(rows) if row.startswith(f"| {table}"))
        columns = {len(re.findall(r"(?<!\\)\|", row)) for row in rows[at : at + 4]}
        assert len(columns) == 1, rows
    assert "| total | 5.00 | 13.00 | +8.00 |" in text
    assert "| `walk.isra.0 -> walk` | 5.00 | 5.50 | +0.50 |" in text
    assert "6.12\\|x" in text


def test_markdown_of_one_side_has_shares() -> None:
    text = FORMS[".md"]([answer(compared=False)], 1)
    assert "| (1 other) | 5.50 | 42.3% |" in text
    assert "| total | 13.00 | 100.0% |" in text


def test_a_long_path_is_its_innermost_frames() -> None:
    text = FORMS[".md"]([answer()], 15)
    inner = "walk < zap < do_madvise < madvise < x64_sys_call < do_syscall_64 < …"
    assert f"| `{inner}` | 5.00 | 5.50 | +0.50 |" in text


def test_folded_stacks_are_of_one_case() -> None:
    assert FORMS[".folded"]([answer()], 1).endswith(f"{';'.join(PATH)} 20 22\n")
    with pytest.raises(UsageError, match="are of one case each"):
        FORMS[".folded"]([answer(), answer()], 1)
