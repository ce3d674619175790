# SPDX-License-Identifier: GPL-2.0-only
"""What asv.conf.json may say about kernels."""

import json

from toy_project import Project


def test_mistakes_in_the_configuration_end_in_one_line(project: Project) -> None:
    real = json.loads((project.path / "asv.conf.json").read_text())
    for change, line in (
        ({"kernel": {"round": 3}}, "kernel has no 'round'; there are records"),
        ({"kernel": {"rounds": "x"}}, "kernel.rounds cannot be 'x'"),
        ({"repo": "nowhere"}, "zapbench kernel history -o nowhere"),
        ({"matrix": {"req": {"numpy": [""]}}}, "a kernel has no Python packages (numpy)"),
    ):
        (project.path / "asv.conf.json").write_text(json.dumps(real | change))
        assert line in project.run("HEAD^!", status=1)
