# SPDX-License-Identifier: GPL-2.0-only
"""From a commit to its point on the chart, against the targets (make bench-kernel)."""

import json
from collections.abc import Callable

import kernel_commits
import pytest
from bench_kernel_build import Measure, measure
from test_asv_boot import ONE_PAGE, ZAP, Project, project

__all__ = ["measure", "project"]  # fixtures

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(3600)]
MM_COMMIT, DOCUMENTATION = 90.0, 5.0  # seconds


def run_at(project: Project, commit: str) -> Callable[[], object]:
    """``asv run`` of one commit, as asv.conf.json has it: three boots."""
    return lambda: project.asv_run(f"{commit}^!")


def test_a_commit_that_changes_mm(project: Project, measure: Measure) -> None:
    """Incremental build and three boots; the commit before it was measured already."""
    conf = json.loads((project.path / "asv.conf.json").read_text())
    conf["kernel"]["rounds"] = 3
    (project.path / "asv.conf.json").write_text(json.dumps(conf))
    project.asv_run(f"{project.patched}^!")
    commit = kernel_commits.slow_down(project.repository, "topic", "Slow the zap down", 41)
    measure("asv run, mm/ changed", MM_COMMIT, run_at(project, commit))
    assert project.figures(commit, ZAP)[ONE_PAGE] > project.figures(project.patched, ZAP)[ONE_PAGE]


def test_a_commit_that_changes_documentation(project: Project, measure: Measure) -> None:
    """Neither build nor boot."""
    boots = project.boots
    commit = kernel_commits.document(project.repository, "topic", "Document it")
    measure("asv run, documentation changed", DOCUMENTATION, run_at(project, commit), cores=1)
    assert project.boots == boots
