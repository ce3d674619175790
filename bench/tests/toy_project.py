# SPDX-License-Identifier: GPL-2.0-only
"""An asv project over commits of a toy kernel."""

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import toy_kernel
from asv_results import Figures, figures
from limits import seconds
from places import ROOT, TESTS

BENCHMARK, DONTNEED = "cycle.2m.track_instructions", ("4k", "dontneed", "shmem")


@dataclass(frozen=True)
class Project:
    """A directory with an asv.conf.json, and the toy repository that it names."""

    path: Path
    repository: Path
    env: dict[str, str]

    def commit(self, subject: str, words: str, file: str = "mm/madvise.c") -> str:
        """A commit whose image says these words; its hash."""
        source = self.repository / file
        source.parent.mkdir(parents=True, exist_ok=True)
        text = f'const char words[] = "{words}";\n' if file.endswith(".c") else words
        source.write_text(text)
        toy_kernel.git(self.repository, "add", "-A")
        toy_kernel.git(self.repository, "commit", "-q", "--allow-empty", "-m", subject)
        return toy_kernel.git(self.repository, "rev-parse", "HEAD")

    def asv(self, *words: str, status: int = 0) -> str:
        """What asv prints; it must end with this status."""
        return self._python("asv", *words, status=status)

    def zapbench(self, *words: str, status: int = 0) -> str:
        """What zapbench prints; it must end with this status."""
        return self._python("zapbench", *words, status=status)

    def _python(self, module: str, *words: str, status: int) -> str:
        done = subprocess.run(
            [sys.executable, "-m", module, *words],
            check=False,
            cwd=self.path,
            env=self.env,
            capture_output=True,
            text=True,
            timeout=seconds(120),
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, commits: str, *words: str, status: int = 0) -> str:
        """``asv run`` on the machine that counts."""
        return self.asv("run", "--machine", "icount", commits, *words, status=status)

    @property
    def boots(self) -> int:
        """How many boots there were."""
        log = self.path / "records/booted"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def benchmarks(self) -> list[dict[str, Any]]:
        """What asv discovered."""
        kept = json.loads((self.path / "results/benchmarks.json").read_text())
        return [each for each in kept.values() if isinstance(each, dict)]

    def result(self, commit: str) -> Figures:
        """What asv kept of one benchmark, by parameters."""
        return figures(self.path, commit, BENCHMARK)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    """Two commits, 1000 and then 1100 instructions each case, both with MADV_ZAP."""
    catalogue = tmp_path / "kernel"
    catalogue.mkdir()
    toy_kernel.catalogue(catalogue)
    repository = tmp_path / "linux"
    toy_kernel.write(repository)
    toy_kernel.git(repository, "init", "-q", "-b", "main")
    path = tmp_path / "project"
    path.mkdir()
    (path / "asv.conf.json").write_text(json.dumps(configuration(repository)))
    env = {
        **os.environ,
        "HOME": str(tmp_path),
        "ZAPBENCH_CACHE": str(tmp_path / "cache"),
        "ZAPBENCH_KERNEL_DIR": str(catalogue),
        "ASV_PYTHONPATH": "",
        "PYTHONPATH": str(TESTS),
    }
    made = Project(path, repository, env)
    made.commit("one", "COST=1000 ZAP")
    made.commit("two", "COST=1100 ZAP")
    made.zapbench("asv", "setup")
    return made


def configuration(repository: Path) -> dict[str, object]:
    """The project's own asv.conf.json, with the toy in place of the kernel."""
    import json5

    real: dict[str, Any] = json5.loads((ROOT / "asv.conf.json").read_text())
    real |= {
        "repo": str(repository),
        "branches": ["main"],
        "plugins": [".toy_machine"],
        "environment_type": "toy",
        "benchmark_dir": str(ROOT / "bench/suite"),
    }
    real |= {"env_dir": "env", "results_dir": "results", "html_dir": "html"}
    budgets = str(ROOT / "bench/budgets.toml")
    real["kernel"] |= {"records": "records", "rounds": 2, "budgets": budgets}
    return real
