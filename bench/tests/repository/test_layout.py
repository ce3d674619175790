# SPDX-License-Identifier: GPL-2.0-only
"""A module's test has the module's name and room, so that nobody has to search.

The test of ``zapbench/result/stats.py`` is ``result/test_stats.py``.  Where that would be long,
or a part needs a kernel, a browser or real time, it has a further word: ``test_stats_WORD.py``.
"""

import ast
from pathlib import Path

import pytest
from places import ROOT, TESTS

PACKAGE = ROOT / "bench/zapbench"
LINES = 400

OUTSIDE = {"program", "repository", "torture"}
"""Folders of tests that are of no module: of the C program, the source tree, and whole commands."""

ELSEWHERE = {
    "asv_kernel.identity": ("asv_kernel/test_environment.py", "asv's runs write and read it"),
    "asv_kernel.repository": ("asv_kernel/test_environment.py", "asv asks it in each run"),
    "asv_kernel.steps": ("cli/test_steps.py", "the command says all that it finds"),
    "campaign.plan": ("cli/test_campaign.py", "the command begins a campaign and shows its plan"),
    "case.tables": (
        "repository/test_generate.py",
        "they are the C core's, as README.md shows them",
    ),
    "chart.sheet": ("chart/test_cost.py", "a sheet is looked at with panels on it"),
    "cli.bisect": ("test_bisect.py", "the commands say what comes of it"),
    "cli.options": ("cli/test_cli.py", "they are what is asked wrongly there"),
    "error": ("cli/test_cli.py", "what a user can cause ends as one line, whatever the command"),
    "gate.calibrate": ("cli/test_calibrate.py", "the command is all that asks it"),
    "gate.claim": ("gate/test_judge.py", "a claim is known by its verdict"),
    "gate.judgement": ("gate/test_judge.py", "every verdict there is in one"),
    "gate.output.json": ("gate/test_judge.py", "most tests of the gate read it"),
    "gate.output.text": ("gate/test_wording.py", "it holds nothing but those words"),
    "gate.recorded": ("gate/test_judge.py", "result directories are judged there"),
    "host.machine": ("host/test_doctor.py", "the doctor is all that looks at a machine"),
    "host.signals": ("host/test_settings.py", "settings are put back whatever is sent"),
    "kernel.beneath": ("kernel/test_patch_refused.py", "patches try to get out by it"),
    "kernel.git": ("kernel/history/test_releases.py", "a history is made by it"),
    "kernel.inventory": ("cli/test_kernel.py", "`zapbench kernel list` alone asks it"),
    "observer": ("cli/test_progress.py", "it is what progress is told through"),
    "run": ("cli/test_run.py", "the command says what came of it"),
    "survey": ("cli/test_survey.py", "the command says what came of it"),
    "where": ("cli/test_run.py", "a run asks for a target and its settings"),
}
"""Modules without a file of their own: which test to look at, and why."""


def has_code(module: Path) -> bool:
    """False for a file that only says what is in its room."""
    kinds = (ast.FunctionDef, ast.ClassDef)
    return any(isinstance(each, kinds) for each in ast.parse(module.read_text()).body)


def expected(module: Path) -> Path:
    """The test of a module, relative to this directory; a room's own code is its namesake."""
    name = module.relative_to(PACKAGE)
    if name.name == "__init__.py":
        return name.parent / f"test_{name.parent.name}.py"
    return name.with_name(f"test_{name.name}")


def modules(package: Path) -> list[Path]:
    return [path for path in sorted(package.rglob("*.py")) if has_code(path)]


def parts(test: Path) -> list[Path]:
    """The file, and those with a further word."""
    return [*TESTS.glob(str(test)), *TESTS.glob(f"{test.with_suffix('')}_*.py")]


def name_of(module: Path) -> str:
    return ".".join(module.relative_to(PACKAGE).with_suffix("").parts)


@pytest.mark.parametrize("module", modules(PACKAGE), ids=name_of)
def test_a_module_has_a_test_of_its_name(module: Path) -> None:
    found = parts(expected(module))
    if name_of(module) in ELSEWHERE:
        test, _ = ELSEWHERE[name_of(module)]
        assert not found, "it has a test of its own: no exception is needed"
        assert (TESTS / test).is_file()
    else:
        assert found, f"write {expected(module)}, or say in ELSEWHERE what tests it"


def test_a_test_is_of_a_module_or_outside() -> None:
    of_modules = {part for module in modules(PACKAGE) for part in parts(expected(module))}
    for test in TESTS.rglob("test_*.py"):
        assert test in of_modules or test.relative_to(TESTS).parts[0] in OUTSIDE, test


def test_exceptions_are_modules() -> None:
    assert set(ELSEWHERE) <= set(map(name_of, modules(PACKAGE)))


def test_no_test_is_longer_than_can_be_read() -> None:
    long = {path.name for path in TESTS.rglob("*.py") if path.read_text().count("\n") > LINES}
    assert long == set()
