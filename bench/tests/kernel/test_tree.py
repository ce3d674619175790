# SPDX-License-Identifier: GPL-2.0-only
"""Trees that go from one series to another."""

from pathlib import Path

import pytest
import toy_kernel
from toy_build import line_of

from zapbench.error import BuildFailed
from zapbench.kernel import build, tree
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")


def test_a_patch_that_does_not_apply_names_itself_and_its_hunk(toy: Path) -> None:
    wrong = """\
--- a/mm/madvise.c
+++ b/mm/madvise.c
@@ -1,4 +1,4 @@
 int zap(void)
 {
-\treturn 26;
+\treturn 27;
 }
@@ -11,4 +11,4 @@
 int second(void)
 {
-\treturn 22;
+\treturn 23;
 }
"""
    (toy / "series/1.2/0002-wrong.patch").write_text(wrong)
    assert "0002-wrong.patch does not apply: hunk 2 of mm/madvise.c" in line_of(
        BuildFailed, "1.2+zap"
    )
    (toy / "series/1.2/0002-wrong.patch").write_text("no patch at all\n")
    assert "0002-wrong.patch does not apply: there is no patch in it" in line_of(
        BuildFailed, "1.2+zap"
    )
    # The tree was not touched, so the base and another series build from it.
    (toy / "series/1.2/0002-wrong.patch").unlink()
    build.build(parse("1.2+zap"))


def test_a_patch_cannot_write_outside_the_tree(toy: Path, tmp_path: Path) -> None:
    (toy / "series/1.2/0001-zap.patch").write_text(
        toy_kernel.PATCH.replace("b/mm/zap.c", "b/../../../../escaped")
    )
    line_of(BuildFailed, "1.2+zap")
    assert not list(tmp_path.rglob("escaped"))


def test_a_series_comes_and_goes_without_touching_other_files(tmp_path: Path) -> None:
    linux = tree.Tree(tmp_path / "tree", "toy")
    toy_kernel.write(linux.source)
    stamps = {path: path.stat().st_mtime_ns for path in linux.source.rglob("*") if path.is_file()}
    series = parse("1.2+zap").series
    linux.apply(series)
    assert "return 26;" in (linux.source / "mm/madvise.c").read_text()
    assert (linux.source / "mm/zap.c").read_text() == "int added;\n"
    patched = (linux.source / "mm/madvise.c").stat().st_mtime_ns
    linux.apply(series)
    assert (linux.source / "mm/madvise.c").stat().st_mtime_ns == patched
    linux.apply(None)
    assert (linux.source / "mm/madvise.c").read_text() == toy_kernel.MADVISE
    assert not (linux.source / "mm/zap.c").exists()
    changed = {path.name for path in stamps if path.stat().st_mtime_ns != stamps[path]}
    assert changed == {"madvise.c"}
