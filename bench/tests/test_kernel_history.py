# SPDX-License-Identifier: GPL-2.0-only
"""The history repository: from toy Debian packages, and on top of a clone."""

import json
import random
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import toy_archive
import toy_kernel
from toy_kernel import git

from zapbench import cli
from zapbench.error import BuildFailed, EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.kernel import catalogue
from zapbench.kernel.history import borrow, releases, snapshot
from zapbench.kernel.history.git import Repository

Require = Callable[[object, str], None]

KERNELS = """\
[kernel."1.2"]
debian = "linux-source-1.2"
series = { zap = "series/1.2" }
[kernel."1.10"]
debian = "linux-source-1.10"
"""
SECOND = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: Some One <some@localhost>
Date: Fri, 07 Mar 2025 12:00:00 +0200
Subject: [RFC PATCH 2/2] init: end at
 once

Why: it may.

Signed-off-by: Some One <some@localhost>
---
 init/main.c | 2 +-

diff --git a/init/main.c b/init/main.c
--- a/init/main.c
+++ b/init/main.c
@@ -1 +1 @@
-void start(void) { for (;;) ; }
+void start(void) { }
"""
# The older line goes on after the newer one began: its last release is the newest of all.
DATES = {
    "1.2.3": "Mon, 06 Jan 2025 10:00:00 +0100",
    "1.2.4": "Thu, 06 Mar 2025 10:00:00 +0100",
    "1.10.1": "Thu, 06 Feb 2025 10:00:00 +0000",
    "1.10.2": "Tue, 01 Apr 2025 10:00:00 +0000",
}
SECONDS = {"1.2.3": 1736154000, "1.2.4": 1741251600, "1.10.1": 1738836000, "1.10.2": 1743501600}
SERIES = 1741341600  # 2025-03-07 10:00 UTC


def files(name: str) -> dict[str, str]:
    """The toy with what git finds hard: ignored, executable, linked, oddly named."""
    hard = {
        ".gitignore": "*.o\n",
        "kept.o": "not ignored",
        "run.sh": "#!/bin/sh\n",
        "link": "->Makefile",
        "same": "=Makefile",
        'odd "name"\\ é': name,
        "VERSION": name,
    }
    return toy_kernel.FILES | hard


def offer(directory: Path, *names: str) -> None:
    """Let the archive have these releases."""
    for name in names:
        package = f"linux-source-{name.rpartition('.')[0]}"
        toy_archive.package(directory / "pool", package, f"{name}-1", files(name), DATES.get(name))
    toy_archive.index(directory, "toys")
    toy_archive.read_lists()


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require) -> Iterator[Path]:
    """A machine whose apt offers four releases of two lines."""
    for program in ("apt-get", "dpkg-deb", "git"):
        require(shutil.which(program), f"{program} is not installed")
    kernels = tmp_path / "kernel"
    (kernels / "series/1.2").mkdir(parents=True)
    (kernels / "kernels.toml").write_text(KERNELS)
    (kernels / "series/1.2/0001-zap.patch").write_text(toy_kernel.PATCH)
    (kernels / "series/1.2/0002-init.patch").write_text(SECOND)
    monkeypatch.setenv("ZAPBENCH_KERNEL_DIR", str(kernels))
    toy_archive.configure(tmp_path, monkeypatch)
    monkeypatch.setattr(releases, "SIZE", 1 << 20)
    catalogue.directory.cache_clear()
    offer(tmp_path / "archive", *DATES)
    yield tmp_path
    catalogue.directory.cache_clear()


def make(path: Path, *globs: str) -> releases.Made:
    """A history without progress."""
    return releases.make(path, globs, cache.no_progress)


def log(path: Path, ref: str, form: str) -> list[str]:
    """One line for each commit of a ref, oldest first."""
    return git(path, "log", "--reverse", f"--format={form}", ref, "--").splitlines()


def heads(path: Path) -> dict[str, str]:
    """Every ref of a repository."""
    said = git(path, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in said.splitlines())


def test_a_commit_a_release_a_branch_a_line_and_one_through_all(tmp_path: Path) -> None:
    made = make(tmp_path / "history")
    assert made.new == ("1.2.3", "1.2.4", "1.10.1", "1.10.2")
    assert log(made.path, "1.2", "%s") == [
        "Linux 1.2.3 (Debian 1.2.3-1)",
        "Linux 1.2.4 (Debian 1.2.4-1)",
    ]
    assert log(made.path, "1.10", "%s")[-1] == "Linux 1.10.2 (Debian 1.10.2-1)"
    assert [line.split(" (")[0] for line in log(made.path, "releases", "%s")] == [
        "Linux 1.2.3",
        "Linux 1.2.4",
        "Linux 1.2.4+zap",
        "Linux 1.10.1",
        "Linux 1.10.2",
    ]
    commits = log(made.path, "releases", "%H")
    assert log(made.path, "releases", "of:%P") == ["of:", *(f"of:{c}" for c in commits[:-1])]
    assert git(made.path, "symbolic-ref", "HEAD") == "refs/heads/releases"
    git(made.path, "fsck", "--strict", "--no-dangling")


def test_the_trees_are_what_the_packages_hold(tmp_path: Path) -> None:
    made = make(tmp_path / "history", "1.2.3")
    expected = tmp_path / "expected"
    toy_archive.tarball(tmp_path / "toy.tar", files("1.2.3"))
    expected.mkdir()
    subprocess.run(
        ["tar", "-xf", tmp_path / "toy.tar", "--strip-components=1", "-C", expected], check=True
    )
    git(expected, "init", "-q")
    git(expected, "add", "-A", "--force")
    assert git(made.path, "rev-parse", "v1.2.3^{tree}") == git(expected, "write-tree")


def test_dates_are_the_packages_and_committer_dates_increase(tmp_path: Path) -> None:
    made = make(tmp_path / "history")
    authored = dict(
        line.split(" ") for line in log(made.path, "releases", "%f %at") if "zap" not in line
    )
    assert {int(when) for when in authored.values()} == set(SECONDS.values())
    assert log(made.path, "1.2", "%at") == [str(SECONDS[name]) for name in ("1.2.3", "1.2.4")]
    assert log(made.path, "1.10", "%ct") == [str(SECONDS[name]) for name in ("1.10.1", "1.10.2")]
    committed = [int(when) for when in log(made.path, "releases", "%ct")]
    assert committed == [
        SECONDS["1.2.3"],
        SECONDS["1.2.4"],
        SERIES,
        SERIES + 1,  # 1.10.1 is older than the line before it
        SECONDS["1.10.2"],
    ]
    people = set(log(made.path, "releases", "%cn <%ce> %an"))
    assert people == {"zapbench developers <zapbench@localhost> zapbench developers"}


def test_without_a_changelog_the_newest_file_gives_the_date(tmp_path: Path) -> None:
    offer(tmp_path / "archive", "1.10.3")
    made = make(tmp_path / "history", "1.10.3")
    assert log(made.path, "1.10", "%at") == ["1000000000"]


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


def test_ranges_of_tags_are_stretches_of_releases(tmp_path: Path) -> None:
    made = make(tmp_path / "history")
    stretch = git(made.path, "rev-list", "--first-parent", "v1.2.3..v1.10.1").split()
    names = [git(made.path, "describe", "--tags", "--exact-match", commit) for commit in stretch]
    assert names == ["v1.10.1", "v1.2.4+zap", "v1.2.4"]


def test_made_twice_is_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = make(tmp_path / "one")
    settings = tmp_path / "gitconfig"
    settings.write_text(
        "[core]\nautocrlf = true\n[i18n]\ncommitEncoding = latin1\n[user]\nname = x\n[apply]\n"
        "whitespace = error\n[init]\ndefaultObjectFormat = sha256\n"
    )
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    monkeypatch.setenv("GIT_AUTHOR_DATE", "2001-01-01T00:00:00")
    second = make(tmp_path / "two", "1.10.*", "1.2.*")
    assert second.refs == first.refs
    assert heads(first.path).keys() >= set(first.refs)
    # One by one, in another order: the same again.
    for name in ("1.10.2", "1.2.4", "1.2.3", "1.10.1"):
        last = make(tmp_path / "three", name)
        assert last.new == (name,)
    assert last.refs == first.refs
    assert heads(last.path) == heads(first.path)


def test_again_adds_what_is_new_and_keeps_what_apt_lost(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history"
    before = make(path, "1.2").refs
    git(path, "branch", "mine", "v1.2.3")
    git(path, "branch", "1.2+mine", "v1.2.3")
    (tmp_path / "archive/pool/linux-source-1.2_1.2.3-1_all.deb").unlink()
    date = "Thu, 10 Apr 2025 10:00:00 +0000"
    toy_archive.package(
        tmp_path / "archive/pool", "linux-source-1.2", "1.2.5-1", files("1.2.5"), date
    )
    offer(tmp_path / "archive")
    added: list[str] = []
    original = snapshot.add
    monkeypatch.setattr(snapshot, "add", lambda *what: added.append(what[2]) or original(*what))
    made = make(path)
    assert added == ["linux-source-1.2", "linux-source-1.10", "linux-source-1.10"]
    assert made.new == ("1.2.5", "1.10.1", "1.10.2")
    assert [release.name for release in made.releases] == [
        *("1.2.3", "1.2.4", "1.2.5", "1.10.1", "1.10.2"),
    ]
    there = heads(path)
    assert there["refs/tags/v1.2.4"] == before["refs/tags/v1.2.4"]
    assert there.keys() >= {"refs/heads/mine", "refs/heads/1.2+mine"}
    assert "refs/tags/v1.2.5+zap" in there
    assert "refs/tags/v1.2.4+zap" not in there  # the series is on the newest alone
    git(path, "cat-file", "-e", before["refs/tags/v1.2.4+zap"])  # but results may name it
    assert make(path).new == ()
    assert heads(path) == there


def test_nothing_of_it_stays_in_the_cache(tmp_path: Path) -> None:
    make(tmp_path / "history")
    assert list((tmp_path / "cache/download").iterdir()) == []
    assert not (tmp_path / "cache/tree").exists()


def test_a_candidate_comes_before_its_release(tmp_path: Path) -> None:
    offer(tmp_path / "archive", "1.10.3~rc1", "1.10.3")
    made = make(tmp_path / "history", "1.10.3*")
    assert made.new == ("1.10.3-rc1", "1.10.3")
    assert log(made.path, "1.10", "%s")[0] == "Linux 1.10.3-rc1 (Debian 1.10.3~rc1-1)"
    assert make(made.path, "1.10.3*").new == ()


def test_a_series_that_does_not_apply_leaves_the_releases(tmp_path: Path) -> None:
    broken = toy_kernel.PATCH.replace("return 0", "return 77")
    (tmp_path / "kernel/series/1.2/0001-zap.patch").write_text(broken)
    with pytest.raises(BuildFailed, match=r"0001-zap\.patch on 1\.2\.4: .*mm/madvise\.c"):
        make(tmp_path / "history")
    assert len(log(tmp_path / "history", "1.2", "%H")) == 2


def test_an_interrupted_run_leaves_what_is_finished(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "history"
    complete = make(tmp_path / "complete")

    def interrupting(stage: str, done: int, total: int | None) -> None:
        if "1.10.1" in stage and "import" in stage:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        releases.make(path, (), interrupting)
    assert [line[:11] for line in log(path, "1.2", "%s")] == ["Linux 1.2.3", "Linux 1.2.4"]
    assert list((tmp_path / "cache/download").iterdir()) == []
    (path / "objects/pack/tmp_pack_left").write_text("by a run that was killed")
    made = make(path)
    assert made.new == ("1.10.1", "1.10.2")
    assert made.refs == complete.refs
    assert not (path / "objects/pack/tmp_pack_left").exists()


def test_what_is_no_history_is_left_alone(tmp_path: Path) -> None:
    other = tmp_path / "other"
    toy_kernel.repository(other)
    before = heads(other)
    for path in (other, other / ".git"):
        with pytest.raises(UsageError, match="is there already and is no history"):
            make(path)
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match="is there already"):
        make(tmp_path / "file")
    assert heads(other) == before
    assert not (other / "HEAD").exists()


def test_a_glob_that_matches_nothing(tmp_path: Path) -> None:
    with pytest.raises(UsageError) as caught:
        make(tmp_path / "history", "1.2.*", "1.10.7")
    assert "no release matches '1.10.7'" in str(caught.value)
    assert "1.2.3, 1.2.4, 1.10.1, 1.10.2" in str(caught.value)
    with pytest.raises(UsageError, match=r"only the lines 1\.2, 1\.10"):
        make(tmp_path / "history", "9.*")
    assert not (tmp_path / "history").exists()


def test_a_damaged_package_is_one_line(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "history")
    releases.begin(repository, "debian")
    good = tmp_path / "archive/pool/linux-source-1.2_1.2.3-1_all.deb"
    cut = tmp_path / "cut.deb"
    cut.write_bytes(good.read_bytes()[:-9000])
    empty = toy_archive.package(tmp_path / "x", "linux-source-1.2", "1-1", {"README": "no"})
    for archive, reason in ((cut, "cannot unpack cut.deb"), (empty, "holds no kernel source")):
        with pytest.raises(EnvironmentMissing, match=reason) as caught:
            snapshot.add(repository, archive, "linux-source-1.2", cache.no_progress)
        assert "\n" not in str(caught.value)


def test_a_full_disk_is_one_line(
    tmp_path: Path, small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noise = random.Random(1).randbytes(300_000).hex()
    big = files("1.10.3") | {"big": noise}
    toy_archive.package(tmp_path / "archive/pool", "linux-source-1.10", "1.10.3-1", big)
    offer(tmp_path / "archive")
    with pytest.raises(EnvironmentMissing, match=r"1 MB .* free: make room"):
        make(small_disk / "history", "1.10.3")
    monkeypatch.setattr(releases, "SIZE", 0)
    with pytest.raises(EnvironmentMissing, match=r"Out of diskspace|No space left"):
        make(small_disk / "history", "1.10.3")


def clone(path: Path) -> Path:
    """A clone with tags of two bases, one of which the series does not apply to."""
    toy_kernel.repository(path)
    git(path, "tag", "v1.2.3", "main~1")
    git(path, "tag", "-a", "-m", "annotated", "v1.2.10", "main~1")
    git(path, "tag", "v1.2.9-rc1", "main")
    git(path, "tag", "a-tree", "main^{tree}")
    git(path, "branch", "v9", "main")
    return path


def contents(path: Path) -> dict[str, tuple[int, bytes]]:
    """All that is below a path, with time stamps."""
    found = sorted(each for each in path.rglob("*") if each.is_file())
    return {str(each): (each.stat().st_mtime_ns, each.read_bytes()) for each in found}


@pytest.mark.parametrize("form", ["work tree", "bare", "linked", "url"])
def test_a_clone_is_followed_and_stays_untouched(tmp_path: Path, form: str) -> None:
    theirs = clone(tmp_path / "theirs")
    origin = str(theirs)
    if form == "bare":
        origin = str(tmp_path / "bare.git")
        git(tmp_path, "clone", "-q", "--bare", str(theirs), origin)
    elif form == "linked":
        origin = str(tmp_path / "linked")
        git(theirs, "worktree", "add", "-q", origin, "v9")
    elif form == "url":
        origin = f"file://{theirs}"
    before = contents(theirs)
    made = borrow.make(tmp_path / "history", origin, cache.no_progress)
    assert contents(theirs) == before
    added = "refs/heads/v1.2.10+zap"
    assert set(made.refs) == {added}
    there = heads(made.path)
    assert there.pop(added) == made.refs[added]
    assert there == heads(theirs)
    assert log(made.path, "v1.2.10..v1.2.10+zap", "%s") == ["zap", "init: end at once"]
    assert git(made.path, "symbolic-ref", "HEAD") == "refs/heads/main"
    packed = git(made.path, "count-objects").split()[0]
    assert form == "url" or int(packed) < 12, "objects were copied"
    # Again, after they moved on.
    git(theirs, "commit", "-q", "--allow-empty", "-m", "third")
    if form == "bare":
        git(Path(origin), "fetch", "-q", str(theirs), "+main:main")
    again = borrow.make(tmp_path / "history", origin, cache.no_progress)
    assert again.refs == made.refs
    assert git(made.path, "rev-parse", "main") == git(theirs, "rev-parse", "main")


def test_a_shallow_clone_is_followed(tmp_path: Path) -> None:
    theirs = clone(tmp_path / "theirs")
    git(tmp_path, "clone", "-q", "--depth=1", f"file://{theirs}", "shallow")
    made = borrow.make(tmp_path / "history", str(tmp_path / "shallow"), cache.no_progress)
    assert log(made.path, "main", "%s") == ["second"]


def test_a_series_that_does_not_apply_to_a_clone_is_said(tmp_path: Path) -> None:
    theirs = clone(tmp_path / "theirs")
    (theirs / "init/main.c").write_text("something else\n")
    git(theirs, "commit", "-q", "-a", "-m", "third")
    git(theirs, "tag", "v1.2.11")
    made = borrow.make(tmp_path / "history", str(theirs), cache.no_progress)
    assert made.refs == {}
    (reason,) = made.skipped
    assert reason.startswith("v1.2.11+zap: 0002-init.patch on 1.2.11: ")


def test_a_history_of_the_other_kind_and_no_clone(tmp_path: Path) -> None:
    theirs = clone(tmp_path / "theirs")
    borrow.make(tmp_path / "history", str(theirs), cache.no_progress)
    with pytest.raises(UsageError, match="is a history made from git"):
        make(tmp_path / "history")
    (tmp_path / "plain").mkdir()
    for origin, reason in (
        (tmp_path / "plain", "is not a git repository"),
        (tmp_path / "none", "no git repository at"),
        (f"file://{tmp_path}/none", "cannot fetch from file:"),
    ):
        with pytest.raises(UsageError, match=reason) as caught:
            borrow.make(tmp_path / "other", str(origin), cache.no_progress)
        assert "\n" not in str(caught.value)


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """The command line's status and what it printed."""
    with pytest.raises(SystemExit) as caught:
        cli.main(["kernel", "history", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code, *capsys.readouterr()


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / ".asv/history"  # as in README: .asv is not there
    status, out, err = run(capsys, "-o", str(path), "--kernels", "1.2.*,1.10.1")
    assert (status, out) == (0, f"{path}\n")
    assert "3 releases, new: 1.2.3, 1.2.4, 1.10.1; branches 1.10, 1.2, 1.2+zap, releases" in err
    status, out, err = run(capsys, "-o", str(path), "--json")
    told = json.loads(out)
    assert (status, told["new"], told["path"]) == (0, ["1.10.2"], str(path))
    assert [release["name"] for release in told["releases"]] == sorted(DATES, key=releases.order)
    status, out, err = run(capsys, "-o", str(path))
    assert "4 releases, new: none" in err


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        (("--from", "git:"), "--from needs git:PATH or git:URL"),
        (("--from", "git:x", "--kernels", "1.*"), "leave it out with --from"),
        (("--from", "git:nowhere"), "no git repository at nowhere"),
        (("--kernels", "8.*"), "no release matches '8.*'"),
    ],
)
def test_a_wrong_request_is_one_line(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    arguments: tuple[str, ...],
    reason: str,
) -> None:
    status, out, err = run(capsys, "-o", str(tmp_path / "history"), *arguments)
    assert (status, out) == (2, "")
    assert reason in err
    assert err.count("\n") == 1


def test_a_place_where_no_history_can_be(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    status, _, err = run(capsys, "-o", str(tmp_path / "file/history"))
    line = f"zapbench: cannot write {tmp_path}/file: File exists; choose another with -o\n"
    assert (status, err) == (2, line)


def test_without_git(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for program in ("apt-cache", "apt-get", "dpkg-deb", "setpriv"):
        (programs / program).symlink_to(str(shutil.which(program)))
    monkeypatch.setenv("PATH", str(programs))
    status, _, err = run(capsys, "-o", str(tmp_path / "history"))
    assert (status, err) == (2, "zapbench: git is not installed: sudo apt-get install git\n")


def test_ctrl_c_is_one_line_and_keeps_what_is_finished(tmp_path: Path) -> None:
    noise = random.Random(1).randbytes(20_000).hex()
    many = files("1.10.3") | {f"drivers/{n}.c": f"{n}{noise}" for n in range(1500)}
    toy_archive.package(tmp_path / "archive/pool", "linux-source-1.10", "1.10.3-1", many)
    offer(tmp_path / "archive")
    path = tmp_path / "history"
    # A shell that runs the tests in the background has them ignore the signal.
    heard = ["env", "--default-signal=INT"]
    command = [*heard, sys.executable, "-m", "zapbench", "kernel", "history", "-o", str(path)]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        said = iter(process.stderr)
        assert any("1.10.3 (5 of 5): import" in line for line in said)
        time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        rest = list(said)
    assert (process.returncode, rest[-1]) == (130, "zapbench: interrupted\n")
    assert [line[:12] for line in log(path, "1.10", "%s")] == ["Linux 1.10.1", "Linux 1.10.2"]
