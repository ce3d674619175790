# SPDX-License-Identifier: GPL-2.0-only
"""What of the tests runs at the same time, in two processes that are started as by `make test`."""

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest
from limits import seconds
from places import ROOT, TESTS
from shares import MACHINE, of_machine

ALONE = re.compile(
    r"userfaultfd: None|usefixtures\(\"userfaultfd|on_this_machine\(|c_build\.|Needs\(hugetlb=huge"
)
"""What tells that a test needs the machine for itself."""

CONFTEST = """\
import os, pytest
pytest_plugins = ["shares"]
@pytest.fixture(autouse=True)
def noted(request):
    with open("seen", "a") as seen:
        print(os.environ["PYTEST_XDIST_WORKER"], request.node.nodeid, file=seen)
"""
FILE = """\
import pytest
def test_native(): pass
def test_other(): pass
{mark}
def test_third(): pass
"""
FILES = ("chart/test_a.py", "chart/test_b.py", "cli/test_doctor.py", "torture/test_kills.py")
BOOTS = "torture/test_kills.py"


def at_once() -> list[str]:
    """The options of the Makefile, for two CPUs."""
    found = re.search(r"^AT_ONCE := (.*)$", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert found
    return found[1].replace("=logical", "=2").split()


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, str]:
    """The process of each test, in the order in which they began."""
    place = tmp_path_factory.mktemp("shares")
    (place / "conftest.py").write_text(CONFTEST)
    (place / "pytest.ini").write_text("[pytest]\nmarkers = kernel: boots\n")
    for name in FILES:
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_text(FILE.format(mark="@pytest.mark.kernel" if name == BOOTS else ""))
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", *at_once()],
        cwd=place,
        env={**env, "PYTHONPATH": str(TESTS)},
        capture_output=True,
        text=True,
        check=False,
        timeout=seconds(120),
    )
    assert done.returncode == 0, done.stdout + done.stderr
    lines = (line.split(maxsplit=1) for line in (place / "seen").read_text().splitlines())
    return {name: process for process, name in lines}


def test_what_needs_the_machine_is_of_one_process(seen: Mapping[str, str]) -> None:
    alone = {process for name, process in seen.items() if of_machine(name)}
    assert len([name for name in seen if of_machine(name)]) == 4
    assert len(alone) == 1
    assert set(seen.values()) == {"gw0", "gw1"}


@pytest.mark.parametrize("file", FILES)
def test_the_rest_of_a_file_is_of_one_process(seen: Mapping[str, str], file: str) -> None:
    rest = {seen[name] for name in seen if name.startswith(file) and not of_machine(name)}
    assert len(rest) == (file != "cli/test_doctor.py")


def test_the_table_and_what_boots_come_first(seen: Mapping[str, str]) -> None:
    first = {process: name for name, process in reversed([*seen.items()])}
    assert {of_machine(name) for name in first.values()} == {True, False}
    assert f"{BOOTS}::test_third" in first.values()


def test_what_needs_the_machine_is_in_the_table() -> None:
    paths = {*TESTS.rglob("test_*.py")} - {Path(__file__)}
    files = {path.relative_to(TESTS).as_posix(): path.read_text() for path in paths}
    listed = {name.partition("::")[0] for name in MACHINE}
    assert {name for name, text in files.items() if ALONE.search(text)} - listed == set()
    assert listed - files.keys() == set()
