# SPDX-License-Identifier: GPL-2.0-only
"""A series as commits."""

from pathlib import Path

import pytest
import toy_kernel
from toy_history import SERIES, log, make
from toy_kernel import git

from zapbench.error import BuildFailed

pytestmark = pytest.mark.usefixtures("toy_apt")


def test_a_series_is_a_commit_a_patch_on_its_line_and_one_commit_in_releases(
    tmp_path: Path,
) -> None:
    made = make(tmp_path / "history")
    assert log(made.path, "1.2..1.2+zap", "%s") == ["zap", "init: end at once"]
    last = git(made.path, "log", "-1", "--format=%an <%ae> %at%n%b", "1.2+zap")
    assert last.startswith(f"Some One <some@localhost> {SERIES}\nWhy: it may.\n\nSigned-off-by:")
    assert git(made.path, "show", "1.2+zap:init/main.c") == "void start(void) { }"
    assert git(made.path, "show", "1.2+zap:mm/zap.c") == "int added;"
    tree = git(made.path, "rev-parse", "1.2+zap^{tree}")
    assert git(made.path, "rev-parse", "v1.2.4+zap^{tree}") == tree
    body = git(made.path, "log", "-1", "--format=%B", "v1.2.4+zap")
    assert body == "Linux 1.2.4+zap (2 patches)\n\n- zap\n- init: end at once"
    assert "mm/zap.c" not in git(made.path, "ls-tree", "-r", "--name-only", "v1.10.1")


def test_a_series_that_does_not_apply_leaves_the_releases(tmp_path: Path) -> None:
    broken = toy_kernel.PATCH.replace("return 0", "return 77")
    (tmp_path / "kernel/series/1.2/0001-zap.patch").write_text(broken)
    with pytest.raises(BuildFailed, match=r"0001-zap\.patch on 1\.2\.4: .*mm/madvise\.c"):
        make(tmp_path / "history")
    assert len(log(tmp_path / "history", "1.2", "%H")) == 2
