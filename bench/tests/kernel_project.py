# SPDX-License-Identifier: GPL-2.0-only
"""The project's own asv.conf.json over commits of the real kernel."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import json5
import kernel_commits
import pytest
from asv_results import figures
from places import ROOT

from zapbench.error import EnvironmentMissing
from zapbench.host import cache
from zapbench.host.cache import no_progress
from zapbench.kernel.history import releases

Require = Callable[[object, str], None]
ZAP, CYCLE = "zap.4k.track_instructions", "cycle.2m.track_instructions"
ONE_PAGE = ("4k", "madv_zap", "shmem")


@dataclass(frozen=True)
class Project:
    """The project's own asv.conf.json, over a history of 6.12 and 6.12 with the series."""

    path: Path
    repository: Path
    base: str
    patched: str

    def run(self, module: str, *words: str, status: int = 0) -> str:
        """What asv or zapbench prints; it must end with this status."""
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            check=False,
            cwd=self.path,
            env={**os.environ, "HOME": str(self.path), "ZAPBENCH_CACHE": str(cache.root())},
            capture_output=True,
            text=True,
        )
        assert done.returncode == status, done.stdout + done.stderr
        return done.stdout + done.stderr

    def asv_run(self, commits: str) -> None:
        """``asv run``, one boot a commit."""
        self.run("asv", "run", "--machine", "icount", commits)

    def figures(self, commit: str, benchmark: str) -> dict[tuple[str, ...], float]:
        """What asv kept of a benchmark, by parameters; NaN where there is no such method."""
        kept = figures(self.path, commit, benchmark)
        return {key: value for key, value in kept.items() if value is not None}

    @property
    def boots(self) -> list[Path]:
        """The records of all boots."""
        return sorted((self.path / "records").rglob("boot-*"))


@pytest.fixture(scope="module")
def linux(tmp_path_factory: pytest.TempPathFactory, require: Require) -> Project:
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
