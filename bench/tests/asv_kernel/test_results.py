# SPDX-License-Identifier: GPL-2.0-only
"""asv's result files, made again, exported and imported."""

import json

import toy_kernel
from toy_project import Project

from zapbench.result.store import Results


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
