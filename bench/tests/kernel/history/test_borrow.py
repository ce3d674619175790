# SPDX-License-Identifier: GPL-2.0-only
"""The history repository on top of a clone."""

from pathlib import Path

import pytest
import toy_kernel
from toy_history import heads, log, make
from toy_kernel import git

from zapbench.error import UsageError
from zapbench.host import cache
from zapbench.kernel.history import borrow

pytestmark = pytest.mark.usefixtures("toy_apt")


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
