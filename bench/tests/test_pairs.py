# SPDX-License-Identifier: GPL-2.0-only
"""Two commits by pairs of boots: built for real in a second, "booted" by reading the image."""

import math
from pathlib import Path

import pytest
import toy_kernel
from toy_commits import commits

from zapbench.error import BuildFailed, CaseFailed, LostVm, Unsupported
from zapbench.pairs import FRESH_SEED, Difference, Subject

DONTNEED, REMAP = "cycle/dontneed/shmem/4k/2m", "cycle/remap/shmem/4k/2m"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return tmp_path / "linux"


def test_pairs_say_how_commits_differ_and_boots_are_kept(linux: Path, booted: Path) -> None:
    first, second = commits(linux, ["COST=100000", "COST=102000"])
    subject = Subject(linux, (DONTNEED, REMAP))
    found = subject.differences((first, second), 3)
    assert set(found) == {DONTNEED, REMAP}
    for each in found.values():
        assert isinstance(each, Difference)
        assert math.exp(each.estimate.centre) == pytest.approx(1.02, rel=1e-4)
        assert (each.before, each.after) == (
            100_001,
            102_001,
        )  # a boot costs one more than the last
        assert each.is_one(rises=True)
        assert not each.is_one(rises=False)
        assert not each.is_one(rises=True, but=math.log(1.02))
    boots = booted.read_text()
    assert len(boots.splitlines()) == 6
    assert subject.differences((first, second), 3) == found
    assert booted.read_text() == boots
    subject.differences((first, second), 3, FRESH_SEED)
    assert len(booted.read_text().splitlines()) == 12


def test_equal_commits_do_not_differ(linux: Path, booted: Path) -> None:
    first, second = commits(linux, ["COST=100000", "COST=100000 other"])
    (found,) = Subject(linux, (DONTNEED,)).differences((first, second), 3).values()
    assert isinstance(found, Difference)
    assert not found.is_one(rises=True)
    assert not found.is_one(rises=False)


def test_what_has_no_figure_says_why(linux: Path, booted: Path) -> None:
    first, broken, panics, gone = commits(
        linux, ["COST=100000", "COST=100000 BROKEN", "COST=1 PANIC", '"; int main(void) { x; } "']
    )
    subject = Subject(linux, (DONTNEED, REMAP))
    found = subject.differences((first, broken), 3)
    assert isinstance(found[DONTNEED], CaseFailed)
    assert isinstance(found[REMAP], Difference)
    with pytest.raises(LostVm, match="kernel panic: toy"):
        subject.differences((first, panics), 3)
    with pytest.raises(BuildFailed):
        subject.differences((first, gone), 3)


def test_a_kernel_without_the_method_says_so(linux: Path, booted: Path) -> None:
    (with_it,) = commits(linux, ["COST=100000"])
    (linux / "mm/madvise.c").write_text('const char words[] = "COST=100000";\n')
    toy_kernel.git(linux, "commit", "-q", "-a", "-m", "revert")
    without = toy_kernel.git(linux, "rev-parse", "HEAD")
    subject = Subject(linux, ("cycle/madv_zap/shmem/4k/2m",))
    (found,) = subject.differences((with_it, without), 1).values()
    assert isinstance(found, Unsupported)
    assert "no MADV_ZAP" in str(found)
