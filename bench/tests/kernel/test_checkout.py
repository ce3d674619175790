# SPDX-License-Identifier: GPL-2.0-only
"""Check-outs: the bytes of the commit, whatever a configuration, a stranger or a killed run did."""

import os
import subprocess
import zlib
from pathlib import Path

import pytest
import toy_kernel
from toy_kernel import git

from zapbench.error import UsageError
from zapbench.host import cache
from zapbench.kernel import build, source
from zapbench.kernel.catalogue import GitSource, parse

pytestmark = pytest.mark.usefixtures("toy")

MADE_OF = b"int zap;\r\n/* $Id$ */\n"


def forge(path: Path, name: str, content: bytes) -> None:
    """Put something else under the name of an object."""
    place = path / ".git/objects" / name[:2] / name[2:]
    kind = git(path, "cat-file", "-t", name)
    place.unlink()
    place.write_bytes(zlib.compress(b"%s %d\0" % (kind.encode(), len(content)) + content))


@pytest.mark.parametrize("what", ["main:mm/madvise.c", "main:mm", "main^{tree}", "main"])
def test_a_forged_object_is_not_believed(tmp_path: Path, what: str) -> None:
    path = tmp_path / "linux"
    toy_kernel.repository(path)
    head, name = git(path, "rev-parse", "HEAD"), git(path, "rev-parse", what)
    other = {"main:mm": "main:init", "main^{tree}": "main:mm", "main": "main~1"}
    content = b"evil\n"
    if what in other:
        kind = git(path, "cat-file", "-t", name)
        command = ["git", f"--git-dir={path}/.git", "cat-file", kind, other[what]]
        content = subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout
    forge(path, name, content)
    with pytest.raises(UsageError, match=r"not what its hash says|has no commit"):
        build.build(parse(f"git:{path}@{head}"))
    assert not (cache.root() / "image").exists() or not list((cache.root() / "image").iterdir())


CONVERSIONS = (
    "* text eol=crlf\n",
    "* text=auto\n*.c crlf=input\n",
    "* ident\n",
    "* working-tree-encoding=UTF-16\n",
    "* filter=lfs\n",
    "mm/*.c -diff export-ignore export-subst\n",
)


@pytest.mark.parametrize("attributes", CONVERSIONS)
def test_a_file_is_the_bytes_of_its_blob(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, attributes: str
) -> None:
    path = tmp_path / "linux"
    toy_kernel.write(path)
    (path / "mm/odd.c").write_bytes(MADE_OF)
    git(path, "init", "-q", "-b", "main")
    git(path, "add", "-A")
    (path / ".gitattributes").write_text(attributes)
    blob = git(path, "hash-object", "-w", "--no-filters", ".gitattributes")
    git(path, "update-index", "--add", "--cacheinfo", f"100644,{blob},.gitattributes")
    git(path, "commit", "-q", "-m", "first")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        f"[core]\nautocrlf = true\neol = crlf\nattributesFile = {path}/.gitattributes\n"
        "symlinks = false\nfileMode = false\n"
        "[filter \"lfs\"]\nsmudge = tr a-z A-Z\nrequired = true\n"
    )  # fmt: skip
    plain = source.locate(GitSource(str(path), "main"), cache.no_progress)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("GIT_ATTR_SOURCE", "main")
    located = source.locate(GitSource(str(path), "main"), cache.no_progress)
    assert located.tree.source_id == plain.tree.source_id
    source.locate(GitSource(f"file://{path}", "main"), cache.no_progress)
    [store] = (cache.root() / "git").iterdir()  # as an older run would have made it
    (store / "info/attributes").unlink()
    fetched = source.locate(GitSource(f"file://{path}", "main"), cache.no_progress)
    for each in (located, fetched):
        with each.opened(cache.no_progress) as tree:
            assert (tree.source / "mm/odd.c").read_bytes() == MADE_OF
            assert (tree.source / "Makefile").read_text() == toy_kernel.MAKEFILE


def test_a_replaced_object_is_the_one_that_was_named(tmp_path: Path) -> None:
    first = toy_kernel.repository(tmp_path / "linux")
    git(tmp_path / "linux", "replace", "main", first)
    with source.checked_out(GitSource(f"{tmp_path}/linux", "main"), cache.no_progress) as tree:
        assert "return 3" in (tree.source / "mm/madvise.c").read_text()


def test_what_an_interrupted_or_older_run_left_is_put_right(tmp_path: Path) -> None:
    first = toy_kernel.repository(tmp_path / "linux")
    name = GitSource(f"{tmp_path}/linux", "main")
    with source.checked_out(name, cache.no_progress) as tree:
        (tree.path / "checked-out").rename(tree.path / "commit")
        (tree.path / "index.lock").write_text("")
        (tree.source / "left.c").write_text("of another commit\n")
        (tree.source / ".zapbench-bench-0").mkdir()
        (tree.source / ".zapbench-bench-0/main.o").write_text("kept")
        about = (tree.source / "mm/madvise.c").stat()
        text = (tree.source / "mm/madvise.c").read_text()
        (tree.source / "mm/madvise.c").write_text(text.replace("return 3", "return 5"))
        os.utime(tree.source / "mm/madvise.c", ns=(about.st_atime_ns, about.st_mtime_ns))
        untouched = (tree.source / "init/main.c").stat().st_mtime_ns
    with source.checked_out(name, cache.no_progress) as tree:
        assert (tree.source / "mm/madvise.c").read_text() == text
        assert not (tree.source / "left.c").exists()
        assert (tree.source / ".zapbench-bench-0/main.o").exists()
        assert (tree.source / "init/main.c").stat().st_mtime_ns == untouched
    with source.checked_out(GitSource(f"{tmp_path}/linux", first), cache.no_progress) as tree:
        assert "return 2" in (tree.source / "mm/madvise.c").read_text()


@pytest.mark.parametrize("target", ["/etc/passwd", "../../../etc/passwd", "mm/../.."])
def test_a_link_of_a_commit_that_leads_out_is_refused(tmp_path: Path, target: str) -> None:
    path = tmp_path / "linux"
    toy_kernel.repository(path)
    (path / "init/link.c").symlink_to(target)
    (path / "init/fine.c").symlink_to("../mm/madvise.c")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "link")
    with pytest.raises(UsageError, match=r"init/link\.c in commit .* leads out of the tree"):
        build.build(parse(f"git:{path}@HEAD"))
