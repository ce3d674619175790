# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv``: mistakes."""

from toy_project import Project


def test_mistakes_end_in_one_line(project: Project) -> None:
    assert "has no commit 'nosuch'" in project.zapbench(
        "asv", "export", "nosuch", "-o", "x", status=2
    )
    assert "no boots of HEAD" in project.zapbench("asv", "export", "HEAD", "-o", "x", status=2)
    assert "counted twice" in project.run("HEAD^!", "--append-samples", status=1)
    assert "none.json" in project.zapbench("asv", "rebuild", "--config", "none.json", status=2)
