# SPDX-License-Identifier: GPL-2.0-only
"""Patches of every kind that git and diff make, in every form: applied as git does, or refused.

``ZAPBENCH_TORTURE=1`` tries each kind in each form, and many random series of them.
"""

import random
import subprocess
from pathlib import Path

import pytest
from patch_kinds import (
    ALONE,
    FORMS,
    KINDS,
    LINES,
    QUICK,
    commit,
    files,
    fresh,
    link,
    put,
    tree_of,
)
from tally import TORTURE, Faults
from toy_kernel import git

from zapbench.kernel import catalogue
from zapbench.kernel.git import Repository
from zapbench.kernel.history import patches


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A repository with the base."""
    return fresh(tmp_path / "repository")


@pytest.fixture(scope="module")
def all_kinds(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A repository with every kind of change, and the commit before them."""
    path = fresh(tmp_path_factory.mktemp("kinds"))
    first = git(path, "rev-parse", "HEAD")
    for name, change in KINDS.items():
        change(path)
        commit(path, name)
    return path, first


def check(root: Path, first: str, out: Path, place: Path) -> None:
    """Both ways of applying a series to the first commit make what the last one is."""
    series = catalogue.series_at("x", out)
    tree = tree_of(root, first, place / "tree")
    before, wanted = files(tree.source), files(tree_of(root, "HEAD", place / "wanted").source)
    tree.apply(series)
    assert files(tree.source) == wanted
    stamps = {path: path.lstat().st_mtime_ns for path in tree.source.rglob("*") if path.is_file()}
    tree.apply(series)
    assert stamps == {path: path.lstat().st_mtime_ns for path in stamps}
    repository = Repository(place / "history")
    repository.make(root / ".git/objects")
    tip = patches.put(repository, first, series, "toy")
    assert tip.tree == git(root, "rev-parse", "HEAD^{tree}")
    assert not tip.notes
    tree.restore()
    assert files(tree.source) == before
    for path in (tree.source, *tree.source.rglob("*")):
        assert not path.is_dir() or any(path.iterdir()), "an empty directory is left"


@pytest.mark.parametrize("form", FORMS if TORTURE else QUICK)
def test_a_series_of_every_kind(
    all_kinds: tuple[Path, str], tmp_path: Path, form: str, fault: Faults
) -> None:
    path, first = all_kinds
    with fault("a series of patches of every kind").only():
        FORMS[form](path, tmp_path / "series", first)
        check(path, first, tmp_path / "series", tmp_path)


@pytest.mark.parametrize("kind", sorted(ALONE))
@pytest.mark.parametrize("form", FORMS if TORTURE else ["format-patch"])
def test_every_kind_alone(root: Path, tmp_path: Path, kind: str, form: str, fault: Faults) -> None:
    first = git(root, "rev-parse", "HEAD")
    KINDS[kind](root)
    commit(root, kind)
    with fault("a patch of one kind").only():
        FORMS[form](root, tmp_path / "series", first)
        check(root, first, tmp_path / "series", tmp_path)


def test_git_am_takes_what_is_taken_here(all_kinds: tuple[Path, str], tmp_path: Path) -> None:
    path, first = all_kinds
    git(path, "format-patch", "-q", "-o", str(tmp_path / "series"), first)
    git(tmp_path, "clone", "-q", "--no-checkout", str(path), "clone")
    git(tmp_path / "clone", "checkout", "-q", first)
    mails = map(str, sorted((tmp_path / "series").iterdir()))
    git(tmp_path / "clone", "am", "-q", "--keep-cr", *mails)
    tip = git(path, "rev-parse", "HEAD^{tree}")
    assert git(tmp_path / "clone", "rev-parse", "HEAD^{tree}") == tip


@pytest.mark.parametrize("seed", range(200 if TORTURE else 4))
def test_random_series(root: Path, tmp_path: Path, seed: int, fault: Faults) -> None:
    chance = random.Random(seed)
    first = git(root, "rev-parse", "HEAD")
    for number in range(chance.randint(1, 8)):
        shuffle(root, chance)
        put("step", f"{number}\n")(root)  # git am refuses the empty file of an empty commit, too
        commit(root, f"step {number}")
    form = chance.choice(sorted(FORMS))
    with fault("a series of random changes").only():
        FORMS[form](root, tmp_path / "series", first)
        check(root, first, tmp_path / "series", tmp_path)


def shuffle(root: Path, chance: random.Random) -> None:
    """Change some files at random."""
    for _ in range(chance.randint(1, 4)):
        there = sorted(path for path in root.rglob("*") if ".git" not in path.parts[:-1]
                       and path.parts[len(root.parts)] != ".git"
                       and (path.is_symlink() or path.is_file()))  # fmt: skip
        path = chance.choice(there)
        fresh = root / chance.choice(["mm", "new dir", 'q"']) / f"f{chance.randrange(30)}"
        what = chance.randrange(7)
        if what == 0:
            path.unlink()
        elif what == 1 and not fresh.exists():
            link(str(fresh.relative_to(root)), "../Makefile")(root)
        elif what == 2 and not fresh.exists():
            fresh.parent.mkdir(exist_ok=True)
            path.rename(fresh)
        elif what == 3 and not path.is_symlink():
            path.chmod(path.stat().st_mode ^ 0o111)
        elif path.is_symlink() or what == 4:
            content = chance.choice(["", LINES, "x", "\r\n", LINES[100:], "\0\xff"])
            put(str(fresh.relative_to(root)), content)(root)
        else:
            lines = path.read_bytes().splitlines(keepends=True)
            at = chance.randrange(len(lines) + 1)
            path.write_bytes(b"".join([*lines[:at], b"changed %d\n" % at, *lines[at + 2 :]]))


def gnu(root: Path, out: Path, *options: str) -> bytes:
    """What diff(1) says about base and work tree."""
    old, new = out / "linux-1", out / "linux-2"
    tree_of(root, "HEAD~1", out / "x").source.rename(old)
    tree_of(root, "HEAD", out / "y").source.rename(new)
    command = ["diff", *options, "linux-1", "linux-2"]
    return subprocess.run(command, check=False, cwd=out, stdout=subprocess.PIPE).stdout


@pytest.mark.parametrize("kind", ["edit", "edit in the root", "new", "CRLF", "fill", "no newline"])
def test_diffs_of_directories(root: Path, tmp_path: Path, kind: str) -> None:
    KINDS[kind](root)
    commit(root, kind)
    out = tmp_path / "series"
    out.mkdir()
    (out / "x.diff").write_bytes(gnu(root, tmp_path, "-urN"))
    check(root, git(root, "rev-parse", "HEAD~1"), out, tmp_path)
