# SPDX-License-Identifier: GPL-2.0-only
"""What is generated from the code is as the code makes it, and drift is seen and made good."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from places import ROOT

PARTS = (
    "README.md",
    "kernel/README.md",
    "CONTRIBUTING.md",
    "bench/zapbench/schema/record-v1.json",
    "reports/2026-11-28-kernels/records.jsonl.gz",
    "reports/2026-11-28-equal-locks/records.jsonl.gz",
)


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The script, what it reads and what it writes; the package is the installed one."""
    shutil.copytree(ROOT / "bench/zapbench", tmp_path / "bench/zapbench")
    for name in (*PARTS, "pyproject.toml", "bench/generate.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    return tmp_path


def generate(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "bench/generate.py", *arguments],
        cwd=root,
        capture_output=True,
        text=True,
        check=False,
    )


def test_nothing_generated_is_old() -> None:
    done = generate(ROOT, "--check")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.parametrize(
    ("name", "now", "then"),
    [
        ("README.md", "munmap, mmap, UFFDIO_REGISTER", "munmap"),
        ("README.md", "| `dontunmap` | 9.91 (5.39) |", "| `dontunmap` | 11.2 (6.01) |"),
        ("kernel/README.md", "7.3 at equal locks, [3 boots]", "7.3 at equal locks, [5 boots]"),
        ("CONTRIBUTING.md", "Charts of results", "Pictures"),
        ("bench/zapbench/schema/record-v1.json", '"samples"', '"sample"'),
    ],
)
def test_what_drifted_is_named_and_made_again(copy: Path, name: str, now: str, then: str) -> None:
    path = copy / name
    good = path.read_text(encoding="utf-8")
    assert now in good
    path.write_text(good.replace(now, then), encoding="utf-8")
    found = generate(copy, "--check")
    assert (found.returncode, found.stderr) == (1, f"{name} is old: run `make generate`\n")
    assert generate(copy).stdout == f"{name} rewritten\n"
    assert path.read_text(encoding="utf-8") == good
    assert generate(copy, "--check").returncode == 0
