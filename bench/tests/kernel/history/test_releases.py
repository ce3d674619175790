# SPDX-License-Identifier: GPL-2.0-only
"""The history repository, from toy Debian packages."""

import random
from pathlib import Path
from typing import Any

import pytest
import toy_archive
import toy_kernel
from toy_history import SERIES, files, heads, log, make, offer
from toy_kernel import git

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.kernel.history import releases, snapshot

pytestmark = pytest.mark.usefixtures("toy_apt")

SECONDS = {"1.2.3": 1736154000, "1.2.4": 1741251600, "1.10.1": 1738836000, "1.10.2": 1743501600}


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

    def noted(*what: Any) -> object:
        added.append(what[2])
        return original(*what)

    monkeypatch.setattr(snapshot, "add", noted)
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
