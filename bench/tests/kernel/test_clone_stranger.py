# SPDX-License-Identifier: GPL-2.0-only
"""Repositories of strangers: nothing of theirs is run, written or believed.

Every program that git can be told to run is told to leave a mark; that marks are left when git
itself reads the repository is checked first.
"""

import os
import shutil
import stat
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_kernel
from toy_kernel import git

from zapbench import bisect
from zapbench.asv_kernel.repository import KernelGit
from zapbench.error import UsageError
from zapbench.host import cache
from zapbench.kernel import clone, source
from zapbench.kernel.catalogue import GitSource
from zapbench.kernel.history import borrow
from zapbench.pairs import Subject

pytestmark = pytest.mark.usefixtures("toy")

NOBODY = 65534


HOOKS = (
    *("post-checkout", "post-index-change", "reference-transaction", "pre-auto-gc"),
    *("fsmonitor-watchman", "post-rewrite", "post-merge", "applypatch-msg", "pre-applypatch"),
)


CONFIG = """\
[core]
	repositoryformatversion = 0
	bare = false
	fsmonitor = {run}/fsmonitor
	hooksPath = {run}/hooks
	sshCommand = {run}/ssh
	gitProxy = {run}/proxy
	pager = {run}/pager
	editor = {run}/editor
	askPass = {run}/askpass
	alternateRefsCommand = {run}/alternates
	attributesFile = {run}/attributes
	autocrlf = true
	worktree = {run}
	sparseCheckout = true
[include]
	path = {run}/included
[includeIf "gitdir:/"]
	path = {run}/included
[filter "stranger"]
	smudge = {run}/smudge
	clean = {run}/clean
	process = {run}/process
	required = true
[diff]
	external = {run}/diff
[diff "stranger"]
	textconv = {run}/textconv
	command = {run}/driver
[merge "stranger"]
	driver = {run}/merge
[uploadpack]
	packObjectsHook = {run}/pack
[remote "origin"]
	url = ext::{run}/url
	uploadpack = {run}/uploadpack
	promisor = true
	vcs = {run}/vcs
[credential]
	helper = {run}/credential
[log]
	showSignature = true
[gpg]
	program = {run}/gpg
[pager]
	status = {run}/pager
[alias]
	status = !{run}/alias
"""


ATTRIBUTES = "* filter=stranger diff=stranger merge=stranger ident\n*.c text eol=crlf\n"


MADE_OF = b"int zap;\r\n/* $Id$ */\n"


@pytest.fixture
def marks(tmp_path: Path) -> Path:
    """Where programs of the stranger leave their marks."""
    path = tmp_path / "marks"
    path.mkdir(mode=0o777)
    path.chmod(0o777)
    return path


@pytest.fixture
def stranger(tmp_path: Path, marks: Path) -> Path:
    """A repository that tells git to run something wherever that is possible."""
    path = tmp_path / "stranger"
    toy_kernel.write(path)
    (path / "mm/odd.c").write_bytes(MADE_OF)
    (path / ".gitattributes").write_text(ATTRIBUTES)
    git(path, "init", "-q", "-b", "main")
    # The blob is as it is here, and an attribute would change it.
    blob = git(path, "hash-object", "-w", "--no-filters", "mm/odd.c")
    git(path, "add", "-A")
    git(path, "update-index", "--cacheinfo", f"100644,{blob},mm/odd.c")
    git(path, "commit", "-q", "-m", "first")
    git(path, "tag", "v1.2.3")
    (path / "mm/madvise.c").write_text(toy_kernel.MADVISE.replace("return 2", "return 3"))
    git(path, "add", "mm/madvise.c")
    git(path, "commit", "-q", "-m", "second")
    run = tmp_path / "run"
    words = {word.rsplit("/", 1)[-1] for word in CONFIG.split() if word.startswith("{run}/")}
    programs = [run / each for each in words - {"hooks", "attributes", "included"}]
    hooks = [where / each for each in HOOKS for where in (run / "hooks", path / ".git/hooks")]
    for place in (*programs, *hooks):
        place.parent.mkdir(exist_ok=True, parents=True)
        place.write_text(f"#!/bin/sh\ntouch {marks}/{place.name}\nexec cat\n")
        place.chmod(0o755)
    (run / "included").write_text(f"[core]\nfsmonitor = {run}/fsmonitor\n")
    (run / "attributes").write_text(ATTRIBUTES)
    (path / ".git/config").write_text(CONFIG.format(run=run))
    (path / ".git/info").mkdir(exist_ok=True)
    (path / ".git/info/attributes").write_text(ATTRIBUTES)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", f"{NOBODY}:{NOBODY}", str(path), str(run)], check=True)
    return path


def as_is(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files below a path with owner and time stamp."""
    found = {}
    for each in sorted(path.rglob("*")):
        about = each.lstat()
        if stat.S_ISREG(about.st_mode):
            found[str(each)] = about.st_uid, about.st_mtime_ns, each.read_bytes()
    return found


def test_the_marks_are_left_when_git_reads_the_repository(stranger: Path, marks: Path) -> None:
    trusting = ["-c", "safe.directory=*"]
    places = ["--git-dir", str(stranger / ".git"), "--work-tree", str(stranger)]
    (stranger / "mm/odd.c").touch()
    for words in (["status"], ["diff"], ["update-ref", "refs/heads/x", "HEAD"]):
        subprocess.run(["git", *trusting, *places, *words], check=False, capture_output=True)
    left = {path.name for path in marks.iterdir()}
    assert left >= {"fsmonitor", "process", "reference-transaction"}


def fetch(stranger: Path) -> None:
    """As zapbench kernel fetch."""
    for ref in ("main", "v1.2.3", "HEAD~1", "main@{1}"):
        with source.checked_out(GitSource(str(stranger), ref), cache.no_progress) as tree:
            assert (tree.source / "mm/odd.c").read_bytes() == MADE_OF
    with pytest.raises(UsageError, match="has no commit"):
        source.locate(GitSource(str(stranger), "main@{upstream}"), cache.no_progress)


def fetch_changed(stranger: Path) -> None:
    """With a changed file, which has to be compared."""
    (stranger / "mm/madvise.c").write_text("changed\n")
    with pytest.raises(UsageError, match=r"has 1 changed files .* \(mm/madvise\.c\)"):
        source.locate(GitSource(str(stranger), "main"), cache.no_progress)


def follow(stranger: Path) -> None:
    """As zapbench kernel history."""
    path = Path(os.environ["ZAPBENCH_CACHE"]) / "history"
    made = borrow.make(path, str(stranger), cache.no_progress)
    assert set(made.refs) == {"refs/heads/v1.2.3+zap"}


def walk(stranger: Path) -> None:
    """As asv does."""
    seen = KernelGit(str(stranger), "/nowhere")
    head = seen.get_hash_from_name("main")
    assert seen.get_hashes_from_range("main") == [head, seen.get_hash_from_parent("main")]
    assert seen.get_tags() == {"v1.2.3": seen.get_hash_from_name("v1.2.3")}
    assert seen.get_name_from_hash(seen.get_hash_from_name("v1.2.3")) == "v1.2.3"
    assert seen.get_date(head) > 0
    assert set(seen.get_revisions([head])) == {head}
    seen.pull()
    assert seen.path == stranger


def search(stranger: Path) -> None:
    """As zapbench kernel judge and bisect."""
    assert bisect.current(stranger) == bisect.commit_of(stranger, "main")
    with pytest.raises(UsageError, match="is no ancestor of"):
        bisect.search(Subject(stranger, ("cycle/dontneed/shmem/4k/2m",)), "main", "main~1")


@pytest.mark.parametrize("use", [fetch, fetch_changed, follow, walk, search])
def test_nothing_of_a_stranger_is_run_or_written(
    stranger: Path, marks: Path, use: Callable[[Path], None]
) -> None:
    os.utime(stranger / "mm/odd.c")  # so that its content has to be compared
    if use is not fetch_changed:
        before = as_is(stranger)
        use(stranger)
        assert as_is(stranger) == before
    else:
        use(stranger)
    assert not list(marks.iterdir())


def test_a_file_url_of_a_stranger_is_refused(
    stranger: Path, marks: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    if os.geteuid() != 0:
        pytest.skip("there is no other user")
    (tmp_path / "trusting").write_text("[safe]\ndirectory = *\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "trusting"))
    with pytest.raises(UsageError, match="dubious ownership") as caught:
        source.locate(GitSource(f"file://{stranger}", "main"), cache.no_progress)
    assert "\n" not in str(caught.value)
    assert not list(marks.iterdir())


def test_a_work_tree_whose_git_directory_is_elsewhere(
    stranger: Path, marks: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    toy_kernel.write(other)
    (other / ".git").write_text(f"gitdir: {stranger}/.git\n")
    (other / "mm/odd.c").write_bytes(MADE_OF)
    with pytest.raises(UsageError, match="changed files"):
        source.locate(GitSource(str(other), "main"), cache.no_progress)
    (other / ".git").write_text("gitdir: /proc/self\n")
    with pytest.raises(UsageError, match="does not name a git directory"):
        source.locate(GitSource(str(other), "main"), cache.no_progress)
    assert not list(marks.iterdir())


def test_pipes_and_links_in_the_place_of_files(stranger: Path) -> None:
    os.mkfifo(stranger / ".git/refs/heads/pipe")
    os.mkfifo(stranger / ".git/ORIG_HEAD")
    (stranger / ".git/refs/heads/shadow").symlink_to("/etc/shadow")
    (stranger / ".git/refs/heads/round").symlink_to("round")
    (stranger / ".git/refs/loop").symlink_to("..")
    (stranger / ".git/refs/heads/one").write_text("ref: refs/heads/two\n")
    (stranger / ".git/refs/heads/two").write_text("ref: refs/heads/one\n")
    (stranger / ".git/packed-refs").unlink(missing_ok=True)
    os.mkfifo(stranger / ".git/packed-refs")
    assert set(clone.find(stranger).refs()) == {"refs/heads/main", "refs/tags/v1.2.3"}
    fetch(stranger)


def test_the_command_says_one_line(stranger: Path, capsys: pytest.CaptureFixture[str]) -> None:
    from zapbench import cli

    shutil.rmtree(stranger / ".git/objects")
    with pytest.raises(SystemExit) as caught:
        cli.main(["kernel", "fetch", f"git:{stranger}@main"])
    assert caught.value.code == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "Traceback" not in said
