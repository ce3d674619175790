# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv``: mistakes."""

import json

from toy_project import Project


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
