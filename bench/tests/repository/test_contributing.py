# SPDX-License-Identifier: GPL-2.0-only
"""The worked example of CONTRIBUTING.md is compiled and run as it stands there."""

import json
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from core import sources
from places import ROOT

MADV_DONTNEED_LOCKED = 24


def example() -> str:
    text = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    found = re.search(r"```c\n(.*?)```", text, re.DOTALL)
    assert found, "CONTRIBUTING.md shows no row"
    return found[1]


@pytest.fixture(scope="module")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The C program with the example in its table, and nothing else changed."""
    directory = tmp_path_factory.mktemp("example")
    shutil.copytree(ROOT / "cbench", directory / "cbench")
    table = directory / "cbench" / "method.c"
    text = table.read_text(encoding="utf-8")
    end = "};\nconst unsigned int zapbench_nr_methods"
    assert text.count(end) == 1
    table.write_text(text.replace(end, example() + end), encoding="utf-8")
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
        [program, "--samples", "5", case], capture_output=True, check=False, timeout=60
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
