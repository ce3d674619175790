# SPDX-License-Identifier: GPL-2.0-only
"""asv over commits of the real kernel, counted under icount."""

import json
import math

import kernel_commits
import pytest
from kernel_project import ONE_PAGE, ZAP, Project

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
PLANTED = 0.02


def test_two_commits_one_of_them_documented(linux: Project) -> None:
    """6.12 has no MADV_ZAP, the next commit has, and slows nothing else down."""
    linux.asv_run(f"{linux.base}^!")
    linux.asv_run(f"{linux.patched}^!")
    before, after = (linux.figures(each, ZAP) for each in (linux.base, linux.patched))
    assert math.isnan(before[ONE_PAGE])
    assert after[ONE_PAGE] > 0
    for method in ("dontneed", "remap", "overmap", "guard_toggle"):
        key = ("4k", method, "shmem")
        if not math.isnan(before[key]):
            assert after[key] == pytest.approx(before[key], rel=PLANTED)
    boots = linux.boots
    documented = kernel_commits.document(linux.repository, "topic", "Document the zap")
    linux.asv_run(f"{documented}^!")
    assert linux.boots == boots
    assert linux.figures(documented, ZAP)[ONE_PAGE] == after[ONE_PAGE]


@pytest.mark.kernels
def test_a_planted_regression_is_found_bisected_and_published(linux: Project) -> None:
    """Two per cent in the zap of one page, between commits that change documentation only."""
    linux.asv_run(f"{linux.patched}^!")
    cost = linux.figures(linux.patched, ZAP)[ONE_PAGE]
    for number in range(3):
        kernel_commits.document(linux.repository, "topic", f"Before {number}")
    culprit = kernel_commits.slow_down(
        linux.repository, "topic", "Slow the zap down", math.ceil(cost * PLANTED)
    )
    for number in range(3):
        kernel_commits.document(linux.repository, "topic", f"After {number}")
    span = f"{linux.patched}..topic"
    found = linux.run("asv", "find", "--machine", "icount", span, ZAP)
    assert f"Greatest regression found: {culprit[:8]}" in found
    words = [
        linux.patched,
        "topic",
        "zap/madv_zap/shmem/4k/4k",
        "--repo",
        str(linux.repository),
    ]
    bisected = linux.run("zapbench", "kernel", "bisect", *words)
    assert f"{culprit[:12]} Slow the zap down" in bisected
    assert "\nconfirmed against its parent: +" in bisected
    linux.asv_run(span)
    linux.run("asv", "publish")
    regressions = json.loads((linux.path / "html/regressions.json").read_text())["regressions"]
    index = json.loads((linux.path / "html/index.json").read_text())
    revision = next(r for r, commit in index["revision_to_hash"].items() if commit == culprit)
    jumps = {str(jump[1]) for entry in regressions for jump in entry[6]}
    assert jumps == {revision}
    assert any(entry[0].startswith(f"{ZAP}('4k', 'madv_zap'") for entry in regressions)
    words = ["asv", "steps", "zap/madv_zap/shmem/4k/4k", "--confirm"]
    (step,) = [
        line
        for line in linux.run("zapbench", *words, status=1).splitlines()
        if line.startswith("step")
    ]
    assert culprit[:12] in step
    assert " confirmed: +" in step
