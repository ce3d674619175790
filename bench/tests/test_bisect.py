# SPDX-License-Identifier: GPL-2.0-only
"""A figure that moves between commits of a toy kernel: found by pairs, and confirmed or not."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Outcome
from toy_commits import commits
from toy_machine import ToyMachine

from zapbench import bisect
from zapbench.pairs import FRESH, FRESH_SEED, Subject
from zapbench.target import Job

CASE = "cycle/dontneed/shmem/4k/2m"


@pytest.fixture
def linux(tmp_path: Path) -> Path:
    return tmp_path / "linux"


def run(
    capsys: pytest.CaptureFixture[str], linux: Path, good: str, bad: str, *more: str
) -> Outcome:
    words = ["kernel", "bisect", good, bad, CASE, "--repo", str(linux), *more]
    return Outcome(capsys, words)


@pytest.mark.parametrize("change", [1.005, 0.9])
def test_the_commit_is_found_and_confirmed_against_its_parent(
    linux: Path, booted: Path, capsys: pytest.CaptureFixture[str], change: float
) -> None:
    costs = [100_000] * 5 + [round(100_000 * change)] * 3
    made = commits(linux, [f"COST={cost} {number}" for number, cost in enumerate(costs)])
    done = run(capsys, linux, made[0], made[-1])
    assert done.status == 0, done.err
    assert f"{made[5][:12]} number 5: " in done.out
    percent = f"{change - 1:+.2%}".replace("%", " %")
    assert f"\nconfirmed against its parent: {percent} [" in done.out
    assert f", {FRESH} fresh pairs of boots\n" in done.out
    word, sign = ("grew", "<") if change > 1 else ("shrank", ">")
    assert done.out.endswith(f"\n{word}: {made[4][:12]} {sign} {made[5][:12]}\n")
    again = json.loads(run(capsys, linux, made[0], made[-1], "--json").out)
    assert again["commits"] == [made[5]]
    assert again["against_parent"]["confirmed"] is True
    assert again["against_parent"]["change"] == pytest.approx(change, rel=1e-4)


class Fickle(ToyMachine):
    """Costs what the image says in the boots of the first seed, in all others the same."""

    def run(self, job: Job) -> Iterator[bytes]:
        if job.seed == FRESH_SEED:
            self._content = b"COST=100000"
        return super().run(job)


def test_what_fresh_boots_do_not_show_is_not_confirmed(
    linux: Path,
    booted: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made = commits(linux, ["COST=100000", "COST=102000"])
    monkeypatch.setattr(Subject, "_machine", lambda self, image: Fickle(image, booted))
    done = run(capsys, linux, *made)
    assert done.status == 4
    assert "not confirmed against its parent: +0.000 % [+0.000 %, +0.000 %], 5 fresh" in done.out


def test_commits_that_cannot_be_told_apart_are_not_confirmed(
    linux: Path, booted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = commits(linux, ["COST=100000", "COST=1 PANIC", "COST=102000"])
    done = run(capsys, linux, made[0], made[-1])
    assert done.status == 4
    assert "one of these, which could not be told apart:" in done.out
    assert "not confirmed: several commits could not be told apart" in done.out


def test_ends_that_do_not_differ_are_one_line(
    linux: Path, booted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = commits(linux, ["COST=100000", "COST=100000 other"])
    done = run(capsys, linux, *made)
    assert done.status == 2
    assert "do not differ beyond noise (+0.000 % [" in done.err


@pytest.mark.parametrize(
    ("words", "status", "said"),
    [
        (["--above", "100500"], bisect.BAD, "is bad: 101001"),
        (["--below", "100500"], bisect.GOOD, "is good: 101001"),
        (["--good", "main~2", "--bad", "main"], bisect.GOOD, "is good: +1.00 % ["),
        (["--good", "main", "--bad", "main~2"], bisect.BAD, "is bad: -2.88 % ["),
        (["--good", "main"], 255, "or both --good and --bad"),
        (["--good", "main", "--bad", "main~2", "--above", "1"], 255, "give one of --above"),
    ],
)
def test_judge_compares_with_a_figure_or_two_commits(
    linux: Path,
    booted: Path,
    capsys: pytest.CaptureFixture[str],
    words: list[str],
    status: int,
    said: str,
) -> None:
    commits(linux, ["COST=100000", "COST=101000", "COST=104000"])
    done = Outcome(capsys, ["kernel", "judge", CASE, "--repo", linux, "--commit", "main~1", *words])
    assert said in done.err
    assert done.status == status
