# SPDX-License-Identifier: GPL-2.0-only
"""asv over commits of the real kernel, counted under icount."""

import itertools
import json
import math
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import json5
import kernel_commits
import pytest

from zapbench.error import EnvironmentMissing
from zapbench.host import cache
from zapbench.host.cache import no_progress
from zapbench.kernel.history import releases

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]

ROOT = Path(__file__).parents[2]
PATCHED = "+madv-zap"
ZAP, CYCLE = "zap.4k.track_instructions", "cycle.2m.track_instructions"
ONE_PAGE = ("4k", "madv_zap", "shmem")
PLANTED = 0.02


@dataclass(frozen=True)
class Project:
    """The project's own asv.conf.json, over a history of 6.12 and 6.12 with the series."""

    path: Path
    repository: Path
    base: str
    patched: str

    def run(self, module: str, *words: str) -> str:
        """What asv or zapbench prints; it must succeed."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            check=False,
            cwd=self.path,
            env={**os.environ, "HOME": str(self.path), "ZAPBENCH_CACHE": str(cache.root())},
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout + done.stderr

    def asv_run(self, commits: str) -> None:
        """``asv run``, one boot a commit."""
        self.run("asv", "run", "--machine", "icount", commits)

    def figures(self, commit: str, benchmark: str) -> dict[tuple[str, ...], float]:
        """What asv kept of a benchmark, by parameters; NaN where there is no such method."""
        (file,) = (self.path / "results/icount").glob(f"{commit[:8]}-*.json")
        kept = json.loads(file.read_text())
        row = dict(zip(kept["result_columns"], kept["results"][benchmark], strict=False))
        names = [[value.strip("'") for value in column] for column in row["params"]]
        return dict(zip(itertools.product(*names), row["result"], strict=True))

    @property
    def boots(self) -> list[Path]:
        """The records of all boots."""
        return sorted((self.path / "records").rglob("boot-*"))


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Project:
    """The history from Debian's package, and asv's project.

    The history is kept in the cache: where a commit is built depends on its path, and objects of
    the last time save a minute.
    """
    path = tmp_path_factory.mktemp("asv")
    repository = cache.subdirectory("tests") / "linux"
    try:
        *_, newest = releases.offered(["6.12"])
        releases.make(repository, [newest], no_progress)
    except EnvironmentMissing as error:
        require(False, str(error))
    real = json5.loads((ROOT / "asv.conf.json").read_text())
    real |= {
        "repo": str(repository),
        "branches": ["topic"],
        "benchmark_dir": str(ROOT / "bench/suite"),
    }
    real |= {"env_dir": "env", "results_dir": "results", "html_dir": "html"}
    budgets = str(ROOT / "bench/budgets.toml")
    real["kernel"] |= {"records": "records", "rounds": 1, "budgets": budgets}
    (path / "asv.conf.json").write_text(json.dumps(real))
    listed = kernel_commits.git(repository, "rev-list", "--first-parent", "releases").split()
    patched, base, *_ = listed
    kernel_commits.git(repository, "branch", "--force", "topic", patched)
    made = Project(path, repository, base, patched)
    made.run("zapbench", "asv", "setup")
    return made


def test_two_commits_one_of_them_documented(project: Project) -> None:
    """6.12 has no MADV_ZAP, the next commit has, and slows nothing else down."""
    project.asv_run(f"{project.base}^!")
    project.asv_run(f"{project.patched}^!")
    before, after = (project.figures(each, ZAP) for each in (project.base, project.patched))
    assert math.isnan(before[ONE_PAGE])
    assert after[ONE_PAGE] > 0
    for method in ("dontneed", "remap", "overmap", "guard_toggle"):
        key = ("4k", method, "shmem")
        if not math.isnan(before[key]):
            assert after[key] == pytest.approx(before[key], rel=PLANTED)
    boots = project.boots
    documented = kernel_commits.document(project.repository, "topic", "Document the zap")
    project.asv_run(f"{documented}^!")
    assert project.boots == boots
    assert project.figures(documented, ZAP)[ONE_PAGE] == after[ONE_PAGE]


@pytest.mark.kernels
def test_a_planted_regression_is_found_bisected_and_published(project: Project) -> None:
    """Two per cent in the zap of one page, between commits that change documentation only."""
    project.asv_run(f"{project.patched}^!")
    cost = project.figures(project.patched, ZAP)[ONE_PAGE]
    for number in range(3):
        kernel_commits.document(project.repository, "topic", f"Before {number}")
    culprit = kernel_commits.slow_down(
        project.repository, "topic", "Slow the zap down", math.ceil(cost * PLANTED)
    )
    for number in range(3):
        kernel_commits.document(project.repository, "topic", f"After {number}")
    span = f"{project.patched}..topic"
    found = project.run("asv", "find", "--machine", "icount", span, ZAP)
    assert f"Greatest regression found: {culprit[:8]}" in found
    words = [
        project.patched,
        "topic",
        "zap/madv_zap/shmem/4k/4k",
        "--repo",
        str(project.repository),
    ]
    bisected = project.run("zapbench", "kernel", "bisect", *words)
    assert f"{culprit[:12]} Slow the zap down" in bisected
    project.asv_run(span)
    project.run("asv", "publish")
    regressions = json.loads((project.path / "html/regressions.json").read_text())["regressions"]
    index = json.loads((project.path / "html/index.json").read_text())
    revision = next(r for r, commit in index["revision_to_hash"].items() if commit == culprit)
    jumps = {str(jump[1]) for entry in regressions for jump in entry[6]}
    assert jumps == {revision}
    assert any(entry[0].startswith(f"{ZAP}('4k', 'madv_zap'") for entry in regressions)
