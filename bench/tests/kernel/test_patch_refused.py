# SPDX-License-Identifier: GPL-2.0-only
"""Patches that are refused by name, and links that are not followed."""

from pathlib import Path

import pytest
from patch_kinds import files, fresh, tree_of
from toy_kernel import git

from zapbench.error import BuildFailed
from zapbench.kernel import catalogue
from zapbench.kernel.beneath import Content, read
from zapbench.kernel.git import Repository
from zapbench.kernel.history import patches


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the base."""
    return fresh(tmp_path / "repository")


def refused(root: Path, out: Path, tmp_path: Path) -> str:
    """Why both ways refuse a series; the tree is as it was."""
    series = catalogue.series_at("x", out)
    tree = tree_of(root, "HEAD", tmp_path / "tree")
    before = files(tree.source)
    with pytest.raises(BuildFailed) as one:
        tree.apply(series)
    assert files(tree.source) == before
    repository = Repository(tmp_path / "history")
    repository.make(root / ".git/objects")
    with pytest.raises(BuildFailed) as two:
        patches.put(repository, git(root, "rev-parse", "HEAD"), series, "toy")
    assert "\n" not in f"{one.value}{two.value}"
    assert str(two.value).split(": ", 1)[-1] == str(one.value).split(": ", 1)[-1]
    return str(one.value)


HUNK = "@@ -0,0 +1 @@\n+int x;\n"


REFUSED = {
    "no newline at all": ("no patch at all\n", "there is no patch in it"),
    "a new file without prefix": (f"--- /dev/null\n+++ mm/x.c\n{HUNK}", "do not begin with a/"),
    "an old file without prefix": (
        "--- mm/old.c.orig\t2020-01-01\n+++ mm/old.c\n@@ -1 +1 @@\n-int old;\n+int new;\n",
        "do not begin with a/",
    ),
    "both prefixes": (
        f"diff --git a/x b/x\nnew file mode 100644\n--- /dev/null\n+++ b/x\n{HUNK}"
        f"diff --git y y\nnew file mode 100644\n--- /dev/null\n+++ y\n{HUNK}",
        "and some do not",
    ),
    "a context diff": (
        "*** a/mm/old.c\n--- b/mm/old.c\n***************\n"
        "*** 1 ****\n! int old;\n--- 1 ----\n! x\n",
        "is a context diff",
    ),
    "a file in one tree": (
        f"diff -ur a/Makefile b/Makefile\n--- a/Zap\n+++ b/Zap\n{HUNK}Only in b/mm: x.c\n",
        "only in one of the two trees",
    ),
    "an empty file of diff": (
        f"diff -urN a/Zap b/Zap\n--- a/Zap\n+++ b/Zap\n{HUNK}diff -urN a/mm/x.c b/mm/x.c\n",
        "content it does not say",
    ),
    "a binary file of diff": (
        "diff -urN a/x b/x\nBinary files a/x and b/x differ\n",
        "a binary file without its content",
    ),
    "a binary file of git": (
        "diff --git a/x b/x\nnew file mode 100644\nindex 0000000..1234567\n"
        "Binary files /dev/null and b/x differ\n",
        "binary",
    ),
    "outside": (f"--- /dev/null\n+++ b/../../x\n{HUNK}", "invalid path"),
    "in .git": (f"--- /dev/null\n+++ b/.git/hooks/x\n{HUNK}", "invalid path"),
    "absolute": (f"--- /dev/null\n+++ b//tmp/x\n{HUNK}", ""),
    "behind a link": (
        "diff --git a/mm/d b/mm/d\nnew file mode 120000\n--- /dev/null\n+++ b/mm/d\n"
        "@@ -0,0 +1 @@\n+sub\n\\ No newline at end of file\n"
        f"diff --git a/mm/d/x b/mm/d/x\nnew file mode 100644\n--- /dev/null\n+++ b/mm/d/x\n{HUNK}",
        "beyond a symbolic link",
    ),
    "a hunk without a file": ("Subject: x\n\n@@ -1 +1 @@\n-a\n+b\n", "without header"),
    "cut off": (
        "--- a/mm/madvise.c\n+++ b/mm/madvise.c\n@@ -1,4 +1,4 @@\n line 0\n-line 1\n",
        "corrupt patch",
    ),
    "other context": (
        "--- a/mm/old.c\n+++ b/mm/old.c\n@@ -1 +1 @@\n-int other;\n+int new;\n",
        "hunk 1 of mm/old.c",
    ),
    "a file that is not there": (
        "--- a/mm/gone.c\n+++ b/mm/gone.c\n@@ -1 +1 @@\n-int other;\n+int new;\n",
        "mm/gone.c: does not exist in index",
    ),
    "a file that is there": (
        "diff --git a/mm/old.c b/mm/old.c\nnew file mode 100644\n"
        f"--- /dev/null\n+++ b/mm/old.c\n{HUNK}",
        "mm/old.c: already exists in index",
    ),
    "a directory in the way": (
        f"diff --git a/mm/sub b/mm/sub\nnew file mode 100644\n--- /dev/null\n+++ b/mm/sub\n{HUNK}",
        "mm/sub",
    ),
    "a file in the way": (
        f"diff --git a/Makefile/x b/Makefile/x\nnew file mode 100644\n--- /dev/null\n"
        f"+++ b/Makefile/x\n{HUNK}",
        "Makefile/x",
    ),
}


@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused_by_name(root: Path, tmp_path: Path, name: str) -> None:
    text, reason = REFUSED[name]
    out = tmp_path / "series"
    out.mkdir()
    (out / "0001-x.patch").write_text(text)
    said = refused(root, out, tmp_path)
    assert "0001-x.patch" in said
    assert reason in said


SUBMODULE = (
    "diff --git a/sub b/sub\nnew file mode 160000\nindex 0000000..{0}\n--- /dev/null\n+++ b/sub\n"
    "@@ -0,0 +1 @@\n+Subproject commit {0}\n"
).format("1" * 40)


@pytest.mark.parametrize(
    ("target", "mode"),
    [("/etc/passwd", "120000"), ("../../etc/passwd", "120000"), ("sub/../..", "120000"), ("", "")],
)
def test_links_that_may_lead_out_and_submodules(
    root: Path, tmp_path: Path, target: str, mode: str
) -> None:
    text = (
        f"diff --git a/mm/x b/mm/x\nnew file mode {mode}\n--- /dev/null\n+++ b/mm/x\n"
        f"@@ -0,0 +1 @@\n+{target}\n\\ No newline at end of file\n"
    )
    patch = tmp_path / "x.patch"
    patch.write_text(text if mode else SUBMODULE)
    tree = tree_of(root, "HEAD", tmp_path / "tree")
    before = files(tree.source)
    with pytest.raises(BuildFailed, match="may lead out of the tree" if mode else "a submodule"):
        tree.apply(catalogue.series_at("x", patch))
    assert files(tree.source) == before


def test_a_link_in_the_tree_is_never_followed(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret.c").write_text("int secret;\n")
    tree = tree_of(root, "HEAD", tmp_path / "tree")
    (tree.source / "way").symlink_to(outside)
    (tree.source / "mm/secret.c").symlink_to(outside / "secret.c")
    through = "--- a/{0}\n+++ b/{0}\n@@ -1 +1 @@\n-int secret;\n+int known;\n"
    fresh = f"diff --git a/way/x b/way/x\nnew file mode 100644\n--- /dev/null\n+++ b/way/x\n{HUNK}"
    for number, text in enumerate(
        (through.format("way/secret.c"), through.format("mm/secret.c"), fresh)
    ):
        patch = tmp_path / f"{number}.patch"
        patch.write_text(text)
        with pytest.raises(BuildFailed):
            tree.apply(catalogue.series_at("x", patch))
    assert files(outside) == {"secret.c": ("100644", b"int secret;\n")}
    # A series puts a link where the next one has a file.
    one, two = tmp_path / "one.patch", tmp_path / "two.patch"
    one.write_text(
        "diff --git a/mm/y b/mm/y\nnew file mode 120000\n--- /dev/null\n+++ b/mm/y\n"
        "@@ -0,0 +1 @@\n+old.c\n\\ No newline at end of file\n"
    )
    two.write_text(fresh.replace("way/x", "mm/y"))
    for patch in (one, two, one):
        tree.apply(catalogue.series_at("x", patch))
    assert (tree.source / "mm/old.c").read_text() == "int old;\n"
    assert (tree.source / "mm/y").is_symlink()


def test_what_a_series_touches_and_the_tree_did_not_take(root: Path, tmp_path: Path) -> None:
    patch = tmp_path / "x.patch"
    patch.write_text("--- a/mm/old.c\n+++ b/mm/old.c\n@@ -1 +1 @@\n-int old;\n+int old;\n")
    tree = tree_of(root, "HEAD", tmp_path / "tree")
    with pytest.raises(BuildFailed, match=r"mm/old\.c is in the patch and did not change"):
        tree.apply(catalogue.series_at("x", patch))


def test_an_unreadable_file_and_a_series_of_cover_letters(root: Path, tmp_path: Path) -> None:
    series = tmp_path / "series"
    series.mkdir()
    (series / "0000-cover-letter.patch").write_text("Subject: [PATCH 0/1] x\n\nHello.\n")
    assert "there is no patch" in refused(root, series, tmp_path)
    (series / "0001-x.patch").mkdir()
    with pytest.raises(BuildFailed, match=r"cannot read patch .*0001-x\.patch"):
        tree_of(root, "HEAD", tmp_path / "again").apply(catalogue.series_at("x", series))


def test_originals_keep_their_modes(root: Path, tmp_path: Path) -> None:
    tree = tree_of(root, "HEAD", tmp_path / "tree")
    (tree.source / "mm/old.c").chmod(0o444)
    patch = tmp_path / "x.patch"
    patch.write_text("--- a/mm/old.c\n+++ b/mm/old.c\n@@ -1 +1 @@\n-int old;\n+int new;\n")
    tree.apply(catalogue.series_at("x", patch))
    there = read(tree.source, "mm/old.c")
    assert there == Content(0o100444, b"int new;\n")
    tree.apply(None)
    assert read(tree.source, "mm/old.c") == Content(0o100444, b"int old;\n")
