# SPDX-License-Identifier: GPL-2.0-only
"""asv over commits of a toy kernel: built for real in a second, "booted" by reading the image."""

import json
import math
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
import toy_kernel

from zapbench.asv_kernel import suite
from zapbench.case import Case
from zapbench.result.store import Results

HERE = Path(__file__).parent
ROOT = HERE.parents[1]
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
            timeout=120,
        )
        assert done.returncode == status, done.stdout + done.stderr
        assert "Traceback" not in done.stdout + done.stderr
        return done.stdout + done.stderr

    def run(self, commits: str, *words: str, status: int = 0) -> str:
        """``asv run`` on the machine that counts."""
        return self.asv("run", "--machine", "icount", commits, *words, status=status)

    @property
    def boots(self) -> int:
        """How many boots the machine was made for."""
        log = self.path / "records/booted"
        return len(log.read_text().splitlines()) if log.exists() else 0

    def benchmarks(self) -> list[dict[str, object]]:
        """What asv discovered."""
        kept = json.loads((self.path / "results/benchmarks.json").read_text())
        return [each for each in kept.values() if isinstance(each, dict)]

    def result(self, commit: str) -> dict[tuple[str, ...], float | None]:
        """What asv kept of one benchmark, by parameters."""
        (file,) = (self.path / "results/icount").glob(f"{commit[:8]}-*.json")
        kept = json.loads(file.read_text())
        row = dict(zip(kept["result_columns"], kept["results"][BENCHMARK], strict=False))
        names = [[value.strip("'") for value in column] for column in row["params"]]
        keys = [
            (page, method, backing)
            for page in names[0]
            for method in names[1]
            for backing in names[2]
        ]
        values = row["result"] or [None] * len(keys)
        return dict(zip(keys, values, strict=True))


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
        "PYTHONPATH": str(HERE),
    }
    made = Project(path, repository, env)
    made.commit("one", "COST=1000 ZAP")
    made.commit("two", "COST=1100 ZAP")
    made.zapbench("asv", "setup")
    return made


def configuration(repository: Path) -> dict[str, object]:
    """The project's own asv.conf.json, with the toy in place of the kernel."""
    import json5

    real = json5.loads((ROOT / "asv.conf.json").read_text())
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


def test_run_keeps_the_median_of_every_boot(project: Project) -> None:
    head = toy_kernel.git(project.repository, "rev-parse", "HEAD")
    project.run("main~1..main")
    figures = project.result(head)
    assert figures[DONTNEED] == 1100.5  # boots of 1100 and 1101
    assert figures["2m", "dontneed", "shmem"] == 1100.5
    # The tables rule it out: asv writes NaN for "n/a", and None for "failed".
    assert math.isnan(figures["2m", "dontunmap", "hugetlb"] or 0)
    (known,) = [each for each in project.benchmarks() if each["name"] == BENCHMARK]
    assert known["rounds"] == 2
    assert known["direction"] == "lower"
    assert "cycle/madv_zap/shmem/2m/2m: 1.01 x cycle/dontneed" in known["budget"]
    assert project.boots in (1, 2)  # with two CPUs one machine serves two boots


def test_a_commit_with_the_same_image_costs_no_boot_and_documentation_no_build(
    project: Project,
) -> None:
    project.run("HEAD^!")
    images = sorted((Path(project.env["ZAPBENCH_CACHE"]) / "image").iterdir())
    before = project.boots
    documented = project.commit("document", "words\n", "Documentation/mm/zap.rst")
    project.run("HEAD^!")
    assert project.boots == before
    assert sorted((Path(project.env["ZAPBENCH_CACHE"]) / "image").iterdir()) == images
    assert project.result(documented)[DONTNEED] == 1100.5
    unused = project.commit("unused", "no part of the image", "mm/unused.c")
    project.run("HEAD^!")
    assert project.boots == before  # built, but to the same bytes
    assert project.result(unused)[DONTNEED] == 1100.5


def test_a_kernel_without_the_method_is_not_a_failure(project: Project) -> None:
    commit = project.commit("revert", "COST=1100")
    project.run("HEAD^!")
    assert math.isnan(project.result(commit)["4k", "madv_zap", "shmem"] or 0)
    assert project.result(commit)[DONTNEED] == 1100.5


def test_what_does_not_build_or_boot_fails_and_the_run_goes_on(project: Project) -> None:
    broken = project.commit("broken", '"; int main(void) { return gone; } char x[] = "')
    panics = project.commit("panics", "COST=1 PANIC")
    impostor = project.commit("impostor", "COST=1 IMPOSTOR")
    partly = project.commit("partly", "COST=1300 ZAP BROKEN")
    last = project.commit("last", "COST=1200 ZAP")
    said = project.run("main~5..main", "--show-stderr", status=2)
    assert "does not build: mm/madvise.c:1:" in said.replace("../", "")
    assert "does not run: kernel panic: toy" in said
    assert "guest says it is build 000" in said
    for commit in (broken, panics, impostor):
        assert set(project.result(commit).values()) == {None}
    assert project.result(partly)[DONTNEED] is None  # its contract broke
    assert project.result(partly)["4k", "remap", "shmem"] == 1300.5
    assert project.result(last)[DONTNEED] == 1200.5


def test_find_names_the_commit_and_passes_by_what_cannot_be_tested(project: Project) -> None:
    for number in range(3):
        project.commit(f"before {number}", f"COST=1100 ZAP {number}")
    project.commit("panics", "COST=1 PANIC")  # where asv looks first
    project.commit("between", "COST=1100 ZAP")
    culprit = project.commit("culprit", "COST=1122 ZAP")  # + 2 %
    for number in range(2):
        project.commit(f"after {number}", f"COST=1122 ZAP {number}")
    said = project.asv("find", "--machine", "icount", "main~8..main", BENCHMARK)
    assert f"Greatest regression found: {culprit[:8]}" in said


def test_continuous_and_compare_judge_two_commits(project: Project) -> None:
    words = ["--machine", "icount", "--record-samples", "-a", "rounds=7", "--interleave-rounds"]
    said = project.asv("continuous", *words, "--factor", "1.02", "main~1", "main", status=1)
    assert "PERFORMANCE DECREASED" in said
    assert "1.1" in said
    compared = project.asv("compare", "--machine", "icount", "main~1", "main")
    assert BENCHMARK in compared


def test_publish_reports_the_regression_where_it_came_in(project: Project) -> None:
    for number in range(3):
        project.commit(f"before {number}", f"COST=1100 ZAP {number}")
    culprit = project.commit("culprit", "COST=1122 ZAP")
    for number in range(3):
        project.commit(f"after {number}", f"COST=1122 ZAP {number}")
    project.run("main~6..main")
    project.asv("publish")
    text = (project.path / "html/index.json").read_text()
    index = json.loads(text, parse_constant=pytest.fail)  # a browser knows no NaN or Infinity
    revision = next(r for r, commit in index["revision_to_hash"].items() if commit == culprit)
    found = json.loads((project.path / "html/regressions.json").read_text())["regressions"]
    assert any(entry[0].startswith(f"{BENCHMARK}('4k', 'dontneed'") for entry in found)
    jumps = [jump for entry in found for jump in entry[6]]
    assert {str(jump[1]) for jump in jumps} == {revision}


def test_results_are_made_again_from_records(project: Project) -> None:
    head = toy_kernel.git(project.repository, "rev-parse", "HEAD")
    project.run("HEAD^!", "--record-samples")
    before = project.result(head)
    for file in (project.path / "results").rglob("*.json"):
        file.unlink()
    said = project.zapbench("asv", "rebuild")
    assert f"{head[:12]} icount: 2 boots" in said
    assert str(project.result(head)) == str(before)  # NaN is not equal to itself
    project.asv("show", "--machine", "icount", head)


def test_export_and_import_are_inverse(project: Project) -> None:
    head = toy_kernel.git(project.repository, "rev-parse", "HEAD")
    project.run("HEAD^!")
    toy_kernel.git(project.repository, "tag", "v1.2+zap")
    project.zapbench("asv", "export", "HEAD", "-o", "exported")
    assert Results(project.path / "exported").kernel == "1.2+zap"
    said = project.zapbench("asv", "import", "exported", "--machine", "other")
    assert f"commit {head[:12]} on other" in said
    (file,) = (project.path / "results/other").glob(f"{head[:8]}-*.json")
    assert "1100.5" in file.read_text()
    assert json.loads((project.path / "results/other/machine.json").read_text())["os"] == "Linux"


def test_mistakes_end_in_one_line(project: Project) -> None:
    assert "has no commit 'nosuch'" in project.zapbench(
        "asv", "export", "nosuch", "-o", "x", status=2
    )
    assert "no boots of HEAD" in project.zapbench("asv", "export", "HEAD", "-o", "x", status=2)
    assert "counted twice" in project.run("HEAD^!", "--append-samples", status=1)
    assert "none.json" in project.zapbench("asv", "rebuild", "--config", "none.json", status=2)
    real = json.loads((project.path / "asv.conf.json").read_text())
    for change, line in (
        ({"kernel": {"round": 3}}, "kernel has no 'round'; there are records"),
        ({"kernel": {"rounds": "x"}}, "kernel.rounds cannot be 'x'"),
        ({"repo": "nowhere"}, "zapbench kernel history -o nowhere"),
        ({"matrix": {"req": {"numpy": [""]}}}, "a kernel has no Python packages (numpy)"),
    ):
        (project.path / "asv.conf.json").write_text(json.dumps(real | change))
        assert line in project.run("HEAD^!", status=1)


def test_every_case_of_the_suite_has_one_benchmark_and_one_place_in_it() -> None:
    index = suite.index("instructions")
    placed = [case for members in index.values() for case in members.values()]
    assert sorted(placed) == sorted(case for case in suite.cases() if case.workload != "empty")
    case = Case.parse("cycle/dontneed/shmem/4k/2m")
    assert index[BENCHMARK][DONTNEED] == case
