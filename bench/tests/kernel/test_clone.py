# SPDX-License-Identifier: GPL-2.0-only
"""Repositories of every form, and every name of a commit in them."""

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_kernel
from toy_kernel import git

from zapbench import bisect
from zapbench.error import UsageError
from zapbench.host import cache
from zapbench.kernel import build, clone, source
from zapbench.kernel.catalogue import GitSource, parse
from zapbench.pairs import Subject

pytestmark = pytest.mark.usefixtures("toy")


def as_is(path: Path) -> dict[str, tuple[int, int, bytes]]:
    """All files below a path with owner and time stamp."""
    found = {}
    for each in sorted(path.rglob("*")):
        about = each.lstat()
        if stat.S_ISREG(about.st_mode):
            found[str(each)] = about.st_uid, about.st_mtime_ns, each.read_bytes()
    return found


def linked(path: Path) -> Path:
    """A further work tree."""
    git(path, "worktree", "add", "-q", str(path.with_name("place")), "main~1")
    return path.with_name("place")


def bare(path: Path) -> Path:
    """Without a work tree, its refs packed."""
    git(path.parent, "clone", "-q", "--bare", str(path), "place")
    git(path.with_name("place"), "pack-refs", "--all")
    return path.with_name("place")


def cloned(*options: str) -> Callable[[Path], Path]:
    """A clone with options."""

    def make(path: Path) -> Path:
        git(path.parent, "clone", "-q", *options, f"file://{path}", "place")
        return path.with_name("place")

    return make


def sparse(path: Path) -> Path:
    """With but one directory checked out."""
    place = cloned("--sparse")(path)
    git(place, "sparse-checkout", "set", "init")
    assert not (place / "mm/madvise.c").exists()
    return place


def of_links(path: Path) -> Path:
    """As Android's repo makes them: a git directory of symbolic links."""
    place = path.with_name("place")
    (place / ".git").mkdir(parents=True)
    for name in ("config", "objects", "refs", "packed-refs", "logs", "info"):
        (place / ".git" / name).symlink_to(path / ".git" / name)
    (place / ".git/HEAD").write_text("ref: refs/heads/main\n")
    return place


def with_split_index(path: Path) -> Path:
    """As git keeps a large index."""
    place = cloned()(path)
    git(place, "update-index", "--split-index", "--untracked-cache")
    return place


def with_crlf(path: Path) -> Path:
    """As a user on another system has it."""
    return cloned("-c", "core.autocrlf=true")(path)


FORMS: dict[str, Callable[[Path], Path]] = {
    "bare": bare,
    "linked": linked,
    "no check-out": cloned("--no-checkout"),
    "sparse": sparse,
    "shallow": cloned("--depth=1"),
    "links": of_links,
    "split index": with_split_index,
    "CRLF": with_crlf,
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_a_repository_gives_the_same(tmp_path: Path, form: str) -> None:
    path = tmp_path / "linux"
    toy_kernel.repository(path)
    place = FORMS[form](path)
    ref = "HEAD"
    located = source.locate(GitSource(str(place), ref), cache.no_progress)
    here = git(place, "rev-parse", "HEAD")
    assert source.locate(GitSource(str(path), here), cache.no_progress).tree.source_id == (
        located.tree.source_id
    )
    with located.opened(cache.no_progress) as tree:
        git(path, "checkout", "-q", here)
        names = [name for name in toy_kernel.FILES if (path / name).exists()]
        assert all((tree.source / n).read_bytes() == (path / n).read_bytes() for n in names)


def test_inside_a_work_tree(tmp_path: Path) -> None:
    toy_kernel.repository(tmp_path / "linux")
    inner = source.locate(GitSource(str(tmp_path / "linux/mm"), "HEAD"), cache.no_progress)
    outer = source.locate(GitSource(str(tmp_path / "linux"), "HEAD"), cache.no_progress)
    assert inner.tree.source_id == outer.tree.source_id


def test_a_repository_of_the_other_hash(tmp_path: Path) -> None:
    path = tmp_path / "linux"
    toy_kernel.write(path)
    git(path, "init", "-q", "--object-format=sha256", "-b", "main")
    git(path, "add", "-A")
    git(path, "commit", "-q", "-m", "first")
    with source.checked_out(GitSource(str(path), "main"), cache.no_progress) as tree:
        assert (tree.source / "mm/madvise.c").read_text() == toy_kernel.MADVISE


def test_a_partial_clone_is_complete_or_refused_and_fetches_nothing(tmp_path: Path) -> None:
    marks = tmp_path / "marks"
    marks.mkdir()
    path = tmp_path / "linux"
    toy_kernel.repository(path)
    git(path, "config", "uploadpack.allowFilter", "true")
    place = cloned("--filter=blob:none", "--no-checkout")(path)
    git(place, "config", "remote.origin.uploadpack", f"touch {marks}/fetched; git-upload-pack")
    with pytest.raises(UsageError, match=r"a partial clone: git -C .* fetch --refetch") as caught:
        build.build(parse(f"git:{place}@main"))
    assert "\n" not in str(caught.value)
    assert not list(marks.iterdir())
    git(place, "config", "--unset", "remote.origin.uploadpack")
    git(place, "checkout", "-q", "main")  # which fetches what is missing
    build.build(parse(f"git:{place}@main"))


def test_refs_that_are_not_files_are_refused_by_name(tmp_path: Path) -> None:
    toy_kernel.repository(tmp_path / "linux")
    (tmp_path / "linux/.git/reftable").mkdir()
    with pytest.raises(UsageError, match=r"reftable format.* refs migrate --ref-format=files"):
        source.locate(GitSource(str(tmp_path / "linux"), "main"), cache.no_progress)


NAMES = (
    *("HEAD", "@", "main", "heads/main", "refs/heads/main", "v1.2.3", "tags/v1.2.3"),
    *("v1.2.3^{commit}", "v1.2.3^0", "v1.2.3^{}", "main~1", "HEAD^", "@~1", "main@{0}", "main@{1}"),
    *("HEAD@{1}", "@{1}", "@{-1}", ":/first", "HEAD^{/first}", "v1.2.3+madv-zap", "topic+a/b"),
    *("with@sign", "v1.2.3+madv-zap~0", "origin", "origin/main", "@{upstream}", "main@{u}"),
    *("@{push}", "ORIG_HEAD", "v1.2.3-1-g{short}", "{short}", "{full}", "stash@{0}", "annotated"),
)


def many_refs(tmp_path: Path) -> Path:
    """A repository in which all of NAMES mean something."""
    toy_kernel.repository(tmp_path / "origin")
    git(tmp_path, "clone", "-q", str(tmp_path / "origin"), "linux")
    path = tmp_path / "linux"
    for name in ("v1.2.3", "v1.2.3+madv-zap"):
        git(path, "tag", name, "main~1")
    git(path, "tag", "-a", "-m", "x", "annotated", "main~1")
    for name in ("topic+a/b", "with@sign"):
        git(path, "branch", "--no-track", name, "main~1")
    git(path, "commit", "-q", "--allow-empty", "-m", "third")
    git(path, "checkout", "-q", "with@sign")
    git(path, "checkout", "-q", "main")
    git(path, "reset", "-q", "--hard", "main~1")
    (path / "Kbuild").write_text("# stashed\n")
    git(path, "stash", "-q")
    return path


def test_every_name_that_git_takes(tmp_path: Path) -> None:
    path = many_refs(tmp_path)
    full = git(path, "rev-parse", "HEAD")
    for packed in (False, True):
        if packed:
            git(path, "pack-refs", "--all")
        for name in NAMES:
            text = name.replace("{short}", full[:9]).replace("{full}", full)
            kernel = parse(f"git:{path}@{text}")
            assert kernel.source == GitSource(str(path), text)
            assert kernel.series is None
            wanted = git(path, "rev-parse", text if text[0] == ":" else f"{text}^{{commit}}")
            assert bisect.commit_of(path, text) == wanted, name
    for name in ("nothing", "main..HEAD", "^main", "main^{tree}", "main:mm", "--all", "HEAD~99"):
        with pytest.raises(UsageError, match="has no commit"):
            bisect.commit_of(path, name)


def test_refs_and_series_with_pluses_and_ats(tmp_path: Path) -> None:
    path = many_refs(tmp_path)
    series = tmp_path / "my@series/c++"
    series.mkdir(parents=True)
    (series / "0001-zap.patch").write_text(toy_kernel.PATCH)
    odd = tmp_path / "odd@place+x"
    path.rename(odd)
    for ref in ("v1.2.3", "v1.2.3+madv-zap", "topic+a/b", "with@sign", "main@{1}", "HEAD"):
        kernel = parse(f"git:{odd}@{ref}+{series}")
        assert kernel.source == GitSource(str(odd), ref)
        assert kernel.series
        assert kernel.series.patches == (series / "0001-zap.patch",)
    with pytest.raises(UsageError, match=r"has no commit 'v1\+typo'; a directory .* needs a slash"):
        source.locate(parse(f"git:{odd}@v1+typo").source, cache.no_progress)
    with pytest.raises(UsageError, match=r"no \*\.patch in typo"):
        parse(f"git:{odd}@v1.2.3+./typo")
    url = f"file://{odd}"
    assert parse(f"git:{url}@v1.2.3+madv-zap").source == GitSource(url, "v1.2.3+madv-zap")
    assert parse(f"git:{url}@topic+a/b").source == GitSource(url, "topic+a/b")
    assert parse(f"git:{url}@v1.2.3+{series}").series
    build.build(parse(f"git:{url}@v1.2.3+madv-zap"))


def test_a_bisection_walks_without_touching_the_repository(tmp_path: Path) -> None:
    path = tmp_path / "linux"
    toy_kernel.repository(path)
    commits = [git(path, "rev-parse", "main")]
    for number in range(4):
        (path / "mm/madvise.c").write_text(f"does not build {number}\n")
        git(path, "commit", "-q", "-a", "-m", f"broken {number}")
        commits.append(git(path, "rev-parse", "main"))
    before = as_is(path)
    subject = Subject(path, ("cycle/dontneed/shmem/4k/2m",))
    with clone.find(path).shown() as scratch:
        said = bisect._run(scratch, bisect.Ends(commits[0], commits[-1]), subject)
        log = scratch.run("bisect", "log")
    # None can be tested, so each of them may be the first bad one.
    assert set(bisect._outcome(said)) == set(commits[1:])
    assert log.count("git bisect skip") == 3
    assert as_is(path) == before


def test_a_changed_file_is_found_and_one_that_was_touched_is_none(tmp_path: Path) -> None:
    path = tmp_path / "linux"
    toy_kernel.repository(path)

    def locate() -> None:
        source.locate(GitSource(str(path), "HEAD"), cache.no_progress)

    os.utime(path / "mm/madvise.c")
    (path / "not tracked").write_text("")
    locate()
    for change in (
        lambda: (path / "mm/madvise.c").write_text("changed\n"),
        lambda: (path / "Makefile").chmod(0o755),
        (path / "Kbuild").unlink,
        lambda: git(path, "rm", "-q", "--cached", "init/main.c"),
    ):
        change()
        with pytest.raises(UsageError, match="has 1 changed files"):
            locate()
        git(path, "reset", "-q", "--hard")
    # Of the same size, within the tick in which the index was written.
    stamp = (path / "mm/madvise.c").stat().st_mtime_ns
    (path / "mm/madvise.c").write_text(toy_kernel.MADVISE.replace("return 2", "return 4"))
    for each in (path / "mm/madvise.c", path / ".git/index"):
        os.utime(each, ns=(stamp, stamp))
    with pytest.raises(UsageError, match="has 1 changed files"):
        locate()
