# SPDX-License-Identifier: GPL-2.0-only
"""The worked example of CONTRIBUTING.md: its row alone makes a method, and nothing else is touched.

What is generated is made again by the one command that is named there; then the tests pass of all
that reads the tables.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import sysconfig
import time
from collections.abc import Callable
from pathlib import Path

import pytest
from core import sources
from limits import seconds
from places import ROOT

MADV_DONTNEED_LOCKED = 24
READERS = tuple(
    f"bench/tests/{name}"
    for name in (
        *("case", "chart", "repository", "result"),
        *("cli/test_contract.py", "cli/test_list.py", "cli/test_results.py"),
    )
)
"""The tests of what reads the tables: all others see names of their own."""


def example() -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"```c\n(.*?)```", text, re.DOTALL)
    assert found, "CONTRIBUTING.md shows no row"
    return found[1]


def add_example(table: Path) -> None:
    """Add the row at the end of the table of methods."""
    text = table.read_text(encoding="utf-8")
    end = "};\nconst unsigned int zapbench_nr_methods"
    assert text.count(end) == 1
    table.write_text(text.replace(end, example() + end), encoding="utf-8")


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program with the example in its table, and nothing else changed."""
    directory = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "cbench", directory / "cbench")
    add_example(directory / "cbench" / "method.c")
    binary = directory / "zapbench-guest"
    core = directory / "cbench"
    flags = ["-std=gnu11", "-O1", "-Wall", "-Wextra", "-Wno-unused-parameter", "-Werror"]
    flags += ["-D_GNU_SOURCE", "-pthread"]
    version = '-DZAPBENCH_VERSION="example"'
    subprocess.run(["cc", *flags, version, f"-I{core}", "-o", binary, *sources(core)], check=True)
    return binary


@pytest.mark.usefixtures("userfaultfd")
def test_the_row_alone_makes_a_method(program: Path) -> None:
    case = "zap/dontneed_locked/shmem/4k/64k"
    done = subprocess.run(
        [program, "--samples", "5", case], capture_output=True, check=False, timeout=seconds(60)
    )
    records = [json.loads(line) for line in done.stdout.splitlines()]
    kinds = {record["kind"]: record for record in records}
    assert done.returncode == 0, done.stderr
    if "skip" in kinds:
        pytest.skip(kinds["skip"]["reason"])
    assert kinds["contract"]["method"] == "dontneed_locked"
    assert kinds["contract"]["event"] == "minor"
    assert kinds["samples"]["case"] == case
    assert len(kinds["samples"]["values"]) == 5


def clone(target: Path) -> None:
    """Copy the files that git knows, or would take, as a repository of their own.

    Its virtual environment takes all but zapbench from the one that runs this test.
    """
    listed = subprocess.run(
        ["git", "-C", ROOT, "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True,
        check=True,
    ).stdout
    for name in filter(None, os.fsdecode(listed).split("\0")):
        if (ROOT / name).is_file():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, target / name)
    subprocess.run(["git", "init", "-q"], cwd=target, check=True)
    subprocess.run(["git", "add", "-A"], cwd=target, check=True)
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", target / ".venv"], check=True)
    (site,) = (target / ".venv/lib").glob("python*/site-packages")
    (site / "shared.pth").write_text(sysconfig.get_path("purelib") + "\n")
    for stamp in ("stamp-venv", "stamp-requirements"):
        (target / ".venv" / stamp).touch()


def run(command: list[str], where: Path) -> str:
    """What a command prints; its failure fails the test with all of it."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    env["PATH"] = f"{Path(sys.executable).parent}:{env['PATH']}"  # ruff, meson and their like
    done = subprocess.run(command, cwd=where, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"
    return done.stdout


@pytest.mark.timeout(1800)
def test_the_row_and_one_command_keep_all_tests_green(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    root = tmp_path / "zapbench"
    root.mkdir()
    clone(root)
    add_example(root / "cbench/method.c")
    started = time.monotonic()
    said = run(["make", "generate"], root)
    assert "README.md rewritten" in said
    assert "`dontneed_locked`" in (root / "README.md").read_text(encoding="utf-8")
    mine = f"--deselect={Path(__file__).relative_to(ROOT)}"
    fast = ["-q", "-m", "not kernel and not kernels", mine, *READERS]
    run([".venv/bin/python", "-m", "pytest", "--benchmark-disable", *fast], root)
    record_property("seconds", round(time.monotonic() - started))
    changed = run(["git", "diff", "--name-only"], root).split()
    assert changed[0] == "README.md"
    assert {name for name in changed if name.startswith("cbench/")} == {"cbench/method.c"}
