# SPDX-License-Identifier: GPL-2.0-only
"""Series of figures out of asv's result files, which asv's own classes wrote."""

import math
from pathlib import Path

import pytest
import synthetic
import toy_kernel
from toy_project import Project as Toy

from zapbench.asv_kernel import history, results
from zapbench.asv_kernel.history import Series
from zapbench.record import Context, Unit, load

CASE = "cycle/dontneed/shmem/4k/2m"


@pytest.fixture
def kept(project: Toy, monkeypatch: pytest.MonkeyPatch) -> results.Project:
    """The project, opened in this process."""
    monkeypatch.chdir(project.path)
    for name, value in project.env.items():
        monkeypatch.setenv(name, value)
    return results.Project(project.path / "asv.conf.json")


def keep(kept: results.Project, commit: str, boots: list[int], tier: str, machine: str) -> None:
    """Let asv keep a case's figures of a commit, one a boot."""
    path = Path(f"{commit}-{tier}.jsonl")
    unit: Unit = "instructions" if tier == "icount" else "ns"
    with path.open("wb") as file:
        for boot, figure in enumerate(boots):
            run = synthetic.run_of(boot, "toy", tier)
            record = synthetic.samples(run, CASE, (figure,) * 3, unit=unit)
            file.writelines(synthetic.stream(run, record, unit=unit))
    recording = load(path)
    (context, *_) = recording.of(Context)
    results._save(kept, commit, tier, [recording], results.set_machine(machine, context))


def of_case(kept: results.Project) -> list[Series]:
    return [each for each in history.series(kept) if each.case == CASE]


def test_commits_are_in_the_order_of_the_branch_and_units_apart(
    project: Toy, kept: results.Project
) -> None:
    kept.options = type(kept.options)(records="records", units=("instructions", "ns"))
    commits = toy_kernel.git(project.repository, "rev-list", "--reverse", "main").split()
    for number in (1, 0):
        keep(kept, commits[number], [1000 + number] * 3, "icount", "icount")
        keep(kept, commits[number], [90, 100, 110], "native", "metal")
    counted, timed = sorted(of_case(kept), key=lambda each: each.unit)
    assert counted.commits == timed.commits == tuple(commits)
    assert counted.places == (0, 1)
    assert counted.figures == (1000.0, 1001.0)
    assert (counted.machine, counted.accel, timed.machine) == ("icount", "icount", "metal")
    assert counted.noise == 0.0
    # Quartiles of 90, 100, 110: 95 and 105.
    assert timed.noise == pytest.approx(10 / 1.349 / 100 / math.sqrt(3))


def test_the_smallest_change_is_what_asv_is_told(project: Toy, kept: results.Project) -> None:
    head = toy_kernel.git(project.repository, "rev-parse", "HEAD")
    keep(kept, head, [1000, 1000], "icount", "icount")
    assert of_case(kept)[0].least == pytest.approx(math.log(1.01))
    kept.conf.regressions_thresholds = {r"cycle\.2m.*'dontneed'.*@main": 0.03, "zap": 0.5}
    assert of_case(kept)[0].least == pytest.approx(math.log(1.03))
    kept.conf.regressions_thresholds = {}
    assert of_case(kept)[0].least == pytest.approx(math.log(1.05))


def test_what_is_on_no_branch_is_left_out(project: Toy, kept: results.Project) -> None:
    toy_kernel.git(project.repository, "checkout", "-q", "-b", "topic")
    topic = project.commit("topic", "COST=1 ZAP")
    kept = results.Project(Path("asv.conf.json"))  # it sees what there is when it is opened
    keep(kept, topic, [1000, 1000], "icount", "icount")
    assert of_case(kept) == []
    kept.conf.branches = ["main", "topic"]
    (series,) = of_case(kept)
    assert series.commits == (topic,)
