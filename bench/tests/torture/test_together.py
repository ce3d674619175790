# SPDX-License-Identifier: GPL-2.0-only
"""Several commands at once: on one directory, in one cache, on one machine."""

from pathlib import Path

import pytest
import toy_kernel
from tally import TORTURE, Faults
from torture.test_kills import Process, done, figures, zapbench
from toy_settings import as_before, now

from zapbench.kernel import build
from zapbench.kernel.catalogue import parse

ASKED = ("--quick", "zap/*/shmem/4k/4k", "zap/*/hugetlb/2m/2m", "--boots", "2")

pytestmark = pytest.mark.timeout(1800)


@pytest.fixture(params=(2, 3, 4) if TORTURE else (3,))
def commands(request: pytest.FixtureRequest) -> int:
    """How many there are at once."""
    count: int = request.param
    return count


def ends(processes: list[Process]) -> list[tuple[int, str]]:
    """The status of each and what it wrote of its progress, none of it a traceback."""
    found = []
    for process in processes:
        _, err = process.communicate()
        assert "Traceback" not in err, err
        found.append((process.returncode, err))
    return found


def test_one_directory(userfaultfd: None, fault: Faults, tmp_path: Path, commands: int) -> None:
    done(zapbench("run", *ASKED, "-o", "whole", place=tmp_path))
    wanted = figures(tmp_path / "whole")
    row = fault("several runs at once into one directory")
    for number, _ in enumerate(row.tries(quick=1, long=5)):
        name = f"r{number}"
        with row.attempt():
            begun = [zapbench("run", *ASKED, "-o", name, place=tmp_path) for _ in range(commands)]
            found = ends(begun)
            assert sorted(status for status, _ in found) == [0, *[2] * (commands - 1)], found
            assert figures(tmp_path / name) == wanted
            words = ("run", "--resume", "-o", name, "--boots", "4")
            found = ends([zapbench(*words, place=tmp_path) for _ in range(commands)])
            assert {status for status, _ in found} <= {0, 2}, found
            assert 0 in {status for status, _ in found}
            assert figures(tmp_path / name) == wanted | {(boot + 2, case) for boot, case in wanted}
    row.survived()


def test_one_machine(userfaultfd: None, fault: Faults, tmp_path: Path, commands: int) -> None:
    before = now()
    row = fault("several runs at once on one machine")
    for number, _ in enumerate(row.tries(quick=1, long=5)):
        place = tmp_path / f"{number}"
        place.mkdir()
        with row.attempt():
            found = ends([zapbench("run", *ASKED, place=place) for _ in range(commands)])
            assert [status for status, _ in found] == [0] * commands, found
            made = list((place / "results").iterdir())
            assert len(made) == commands
            assert len({frozenset(figures(each)) for each in made}) == 1
            as_before(before)
    row.survived()


def test_one_cache(
    toy: Path, fault: Faults, tmp_path: Path, commands: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "linux"
    toy_kernel.repository(repository)
    name = f"git:{repository}@main"
    right = build.build(parse(name)).bzimage.read_bytes()
    row = fault("several builds at once in one cache")
    for number, _ in enumerate(row.tries(quick=1, long=10)):
        monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / f"cache-{number}"))
        with row.attempt():
            words = ("kernel", "build", name)
            found = ends([zapbench(*words, place=tmp_path) for _ in range(commands)])
            assert [status for status, _ in found] == [0] * commands, found
            assert build.build(parse(name)).bzimage.read_bytes() == right
    row.survived()
