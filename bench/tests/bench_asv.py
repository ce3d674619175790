# SPDX-License-Identifier: GPL-2.0-only
"""From a commit to its point on the chart, against the targets (make bench-kernel)."""

import json
from collections.abc import Callable

import kernel_commits
import pytest
from bench_kernel_build import Measure, measure
from kernel_project import ONE_PAGE, ZAP, Project

__all__ = ["measure"]  # a fixture

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(3600)]
MM_COMMIT, DOCUMENTATION = 90.0, 5.0  # seconds


def run_at(project: Project, commit: str) -> Callable[[], object]:
    """``asv run`` of one commit, as asv.conf.json has it: three boots."""
    return lambda: project.asv_run(f"{commit}^!")


def test_a_commit_that_changes_mm(linux: Project, measure: Measure) -> None:
    """Incremental build and three boots; the commit before it was measured already."""
    conf = json.loads((linux.path / "asv.conf.json").read_text())
    conf["kernel"]["rounds"] = 3
    (linux.path / "asv.conf.json").write_text(json.dumps(conf))
    linux.asv_run(f"{linux.patched}^!")
    commit = kernel_commits.slow_down(linux.repository, "topic", "Slow the zap down", 41)
    measure("asv run, mm/ changed", MM_COMMIT, run_at(linux, commit))
    assert linux.figures(commit, ZAP)[ONE_PAGE] > linux.figures(linux.patched, ZAP)[ONE_PAGE]


def test_a_commit_that_changes_documentation(linux: Project, measure: Measure) -> None:
    """Neither build nor boot."""
    boots = linux.boots
    commit = kernel_commits.document(linux.repository, "topic", "Document it")
    measure("asv run, documentation changed", DOCUMENTATION, run_at(linux, commit), cores=1)
    assert linux.boots == boots
