# SPDX-License-Identifier: GPL-2.0-only
"""A counted figure that fails has the functions that grew next to it, in every output."""

import json
import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from command import Outcome
from gate_boots import BUDGETS, SIX, MakeResult, slower

from zapbench.cli.progress import ON_STDERR
from zapbench.error import EnvironmentMissing
from zapbench.explain import plugin
from zapbench.explain.side import Side
from zapbench.gate import recorded
from zapbench.gate.budget import load
from zapbench.gate.judgement import Judgement
from zapbench.gate.moved import with_functions
from zapbench.gate.output import FORMATS
from zapbench.gate.verdict import Verdict
from zapbench.kernel import build, catalogue

CASE = "zap/dontneed/shmem/4k/2m"
NASTY = "a|b\x1b[31m"


@pytest.fixture
def failed(result: MakeResult, tmp_path: Path, state: Path) -> Judgement:
    (tmp_path / "b.toml").write_text(BUDGETS)
    sides = result("base", SIX), result("head", slower(SIX, 1.1))
    found = recorded.judgement(load(tmp_path / "b.toml"), sides, None, force=False)
    assert found.count(Verdict.FAIL) == 2
    return found


def test_what_cannot_be_said_is_one_warning_and_changes_no_verdict(failed: Judgement) -> None:
    """There are no such kernels."""
    found = with_functions(failed, lambda kernel: Side(kernel, kernel), ON_STDERR)
    assert replace(found, warnings=()) == replace(failed, warnings=())
    (warning,) = found.warnings
    assert warning.startswith("the functions that grew are not named: ")
    assert "\n" not in warning


def test_nothing_is_booted_where_nothing_failed(failed: Judgement) -> None:
    passing = replace(
        failed,
        checks=tuple(each for each in failed.checks if each.ruling.verdict is not Verdict.FAIL),
    )
    assert with_functions(passing, lambda kernel: Side(kernel, kernel), ON_STDERR) == passing


@pytest.mark.parametrize("form", FORMATS)
def test_every_output_names_them(failed: Judgement, form: str) -> None:
    grown = ("walk +130.8, called by do_madvise", f"{NASTY} +8.0")
    checks = tuple(
        replace(each, functions=grown if each.ruling.verdict is Verdict.FAIL else ())
        for each in failed.checks
    )
    text = FORMATS[form](replace(failed, checks=checks, day=date(2026, 1, 1)))
    assert text.count("walk +130.8, called by do_madvise") == 2
    if form == "junit":
        assert [each.tag for each in ET.fromstring(text).iter("failure")] == ["failure"] * 2
    if form == "ktap":
        assert all(line.startswith("# ") for line in text.splitlines() if "walk" in line)
    if form == "markdown":
        assert "a\\|b" in text
    if form == "json":
        assert [tuple(each["functions"]) for each in json.loads(text)["checks"]] == [
            each.functions for each in checks
        ]


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_a_gate_that_measures_boots_both_once_more(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    state: Path,
    require: Callable[[object, str], None],
) -> None:
    """6.12 with MADV_ZAP drops 2 MiB of pages with three more instructions for each page."""
    try:
        for name in ("6.12", "6.12+madv-zap"):
            build.build(catalogue.parse(name))
        plugin.choose()
    except EnvironmentMissing as error:
        require(False, str(error))
    budgets = tmp_path / "b.toml"
    budgets.write_text(f'[[budget]]\ncases = "{CASE}"\nlimit = "+0.1 %"\nreason = "no dearer"\n')
    words = ["--budgets", budgets, "--base", "6.12", "--kernel", "6.12+madv-zap", "--boots", 3]
    done = Outcome(capsys, ["gate", *words, "--results", tmp_path / "r"])
    assert done.status == 1, done.err
    (grew,) = [line for line in done.out.splitlines() if "grew: unmap_page_range +" in line]
    assert grew.endswith(", called by unmap_single_vma")
    assert done.err.count("is booted once more, to name the functions that grew") == 2
