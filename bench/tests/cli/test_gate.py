# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench gate``: usage, exit status and files."""

import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from pathlib import Path

import pytest
from gate_boots import BUDGETS, QUIET, SIX, Gate, Machines, MakeResult, live, slower

from zapbench.error import BuildFailed
from zapbench.gate import live as live_gate
from zapbench.observer import Observer


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ((), "name --kernel HEAD, or one or two result directories"),
        (("--kernel", "6.12", "x"), "either --kernel or result directories"),
        (("--base", "6.12", "x"), "name --kernel HEAD"),
        (("nowhere",), "nowhere does not exist"),
        (("x", "-o", "report.pdf"), "no format is called '.pdf'"),
        (("x", "--time", "soon"), "cannot read the time"),
    ],
)
def test_wrong_usage_is_one_line(gate: Gate, arguments: tuple[str, ...], message: str) -> None:
    done = gate(*arguments)
    assert message in done.line
    assert done.status == 2


def test_budgets_about_other_cases_are_an_error(gate: Gate, result: MakeResult) -> None:
    other = BUDGETS.replace("64k", "2m")
    done = gate(result("base", QUIET), result("head", QUIET), budgets=other)
    assert "is about what was measured; why not: no such case was measured" in done.line
    assert done.status == 2


def test_bisect_wants_other_exit_codes(
    gate: Gate, result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = result("base", QUIET)
    assert gate(base, result("good", QUIET), "--bisect").status == 0
    assert gate(base, result("open", slower(QUIET, 1.1)), "--bisect").status == 125
    assert gate("nowhere", "--bisect").status == 255
    six = result("base6", SIX, "base")
    assert gate(six, result("bad", slower(SIX, 1.1)), "--bisect").status == 1

    def broken(kernel: str, accel: str, observer: Observer) -> None:
        raise BuildFailed("mm/madvise.c: error")

    monkeypatch.setattr(live_gate, "machine", broken)
    assert gate("--kernel", "6.12", "--bisect").status == 125


@pytest.mark.parametrize("words", [("--kernal", "6.12"), ("--boots", "1"), ("--accel", "foo")])
def test_words_that_are_not_understood_end_a_bisection(gate: Gate, words: tuple[str, ...]) -> None:
    """`git bisect run` takes 2 for a bad commit."""
    assert gate("--bisect", *words).status == 255
    assert gate(*words).status == 2


def test_one_command_measures_and_judges_again(gate: Gate, machines: Machines) -> None:
    machines(10_000, lambda case, boot: 20_000)
    data = json.loads(live(gate, "--seed", "5", "--format", "json").out)
    (line,) = data["reproduce"]
    assert line == (
        "zapbench gate --budgets b.toml --base base --kernel head --accel icount --seed 5 --boots 3"
    )


@pytest.mark.parametrize(
    "words", [("--boots", 5), ("--seed", 3), ("--time", "9s"), ("--results", "r")]
)
def test_what_is_about_measuring_is_refused_where_nothing_is(
    gate: Gate, result: MakeResult, words: tuple[object, ...]
) -> None:
    done = gate(result("base", QUIET), result("head", QUIET), *words)
    assert f"{words[0]}: for a gate that measures" in done.line
    assert done.status == 2


def test_results_go_into_a_place_of_their_own(
    gate: Gate, machines: Machines, result: MakeResult
) -> None:
    machines(10_000, 10_000)
    done = live(gate, "--results", result("base", QUIET))
    assert "is not empty: choose another with --results" in done.line
    assert done.status == 2


def test_files_are_written_in_the_format_of_their_name(
    gate: Gate, failing: list[str], tmp_path: Path
) -> None:
    done = gate(*failing, "-o", "a.md", "-o", "a.xml", "-o", "a.json")
    assert done.status == 1
    assert (tmp_path / "a.md").read_text().startswith("### FAIL: ")
    assert json.loads((tmp_path / "a.json").read_text())["status"] == "FAIL"
    ET.parse(tmp_path / "a.xml")
    assert gate(*failing, "-o", "new/place/a.md").status == 1
    assert (tmp_path / "new/place/a.md").read_text() == (tmp_path / "a.md").read_text()
    assert "cannot write a.md/b.md" in gate(*failing, "-o", "a.md/b.md").line


def test_json_is_asked_for_as_everywhere(gate: Gate, failing: list[str]) -> None:
    asked = gate(*failing, "--json")
    assert asked.out == gate(*failing, "--format", "json").out
    assert json.loads(asked.out)["status"] == "FAIL"


def test_the_exit_status_reaches_the_shell(result: MakeResult, tmp_path: Path) -> None:
    (tmp_path / "b.toml").write_text(BUDGETS)
    base, head = result("base", SIX), result("head", slower(SIX, 1.1))
    words = [sys.executable, "-m", "zapbench", "gate", "--budgets", "b.toml"]
    env = {**os.environ, "ZAPBENCH_STATE": str(tmp_path / "state")}
    done = subprocess.run(
        [*words, base, head], cwd=tmp_path, check=False, capture_output=True, text=True, env=env
    )
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout.rstrip().splitlines()[-1].startswith("FAIL: ")
