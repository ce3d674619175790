# SPDX-License-Identifier: GPL-2.0-only
"""A commit as a directory of files, each byte of which is compared with the commit's hashes.

The objects may be a stranger's, and an object borrowed from a directory of objects is whatever is
found there under its name.  The directory is kept from one commit to the next: git's own index
says which files differ, and only those are written and compared.
"""

import hashlib
import os
import stat
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path

from zapbench.error import UsageError
from zapbench.host.file import write_if_changed
from zapbench.kernel import beneath
from zapbench.kernel.git import Repository
from zapbench.kernel.tree import OBJECTS, Tree

Entry = tuple[str, str]
"""Mode and hash of a file, link or tree, as git has them."""

NOT_BUILT = {
    "Documentation",
    "CREDITS",
    "MAINTAINERS",
    "README",
    ".mailmap",
    ".get_maintainer.ignore",
}
"""Entries of a tree's root that no build reads, but for Documentation/Kconfig."""

_KCONFIG = "Documentation/Kconfig"
_TREE, _LINK, _COMMIT = "40000", "120000", "160000"
_STATE = "checked-out"
"""Holds the commit that the files are compared with; what wrote ``commit`` compared nothing."""


def identity(repository: Repository, commit: str) -> str:
    """A hash of what a build can read of a commit: one of documentation only leaves it as it is.

    Raises:
        UsageError: the commit, or a tree in it, is missing or not what its name says.
    """
    [root] = _entries(repository, [_root(repository, commit)])
    kept = {word: entry for word, entry in root.items() if word not in NOT_BUILT}
    if "Documentation" in root:
        [inner] = _entries(repository, [root["Documentation"][1]])
        kept |= {_KCONFIG: inner["Kconfig"]} if "Kconfig" in inner else {}
    lines = (f"{mode} {name}\t{word}" for word, (mode, name) in kept.items())
    return hashlib.sha256(os.fsencode("\0".join(lines))).hexdigest()


def is_at(tree: Tree, commit: str) -> bool:
    """Whether a tree's files are those of a commit, but for a series on them."""
    state = tree.path / _STATE
    return state.is_file() and state.read_text() == commit


def bring(tree: Tree, repository: Repository, commit: str) -> None:
    """Bring a tree to a commit, touching only the files that differ.

    Raises:
        UsageError: an object is missing or not what its name says, a symbolic link leads out of
            the tree, or there is no kernel in it.
    """
    state = tree.path / _STATE
    whole = state.is_file()
    if tree.source.is_dir():
        tree.restore()
    tree.source.mkdir(parents=True, exist_ok=True)
    (tree.path / "index.lock").unlink(missing_ok=True)
    env = {"GIT_WORK_TREE": str(tree.source), "GIT_INDEX_FILE": str(tree.path / "index")}
    place = ("-C", str(tree.source))
    before = _indexed(repository.run(*place, "ls-files", "-s", "-z", env=env)) if whole else {}
    state.unlink(missing_ok=True)
    wanted = _listing(repository, commit)
    purpose = f"checking out {commit[:12]}"
    reset = ("read-tree", "-u", "--reset", commit)
    repository.run(*place, *reset, env=env, failure=UsageError, purpose=purpose)
    if not whole:  # what an interrupted run left
        _sweep(tree.source, wanted)
    wrong = list(_wrong(tree.source, dict(wanted.items() - before.items())))
    if wrong:  # by such a run, or by one that did not compare
        for name in wrong:
            beneath.remove(tree.source, name)
        again = ("checkout-index", "--force", "-z", "--stdin")
        names = "".join(f"{name}\0" for name in wrong).encode(errors="surrogateescape")
        repository.run(*place, *again, env=env, given=names, failure=UsageError, purpose=purpose)
        wrong = list(_wrong(tree.source, {name: wanted[name] for name in wrong}))
    if wrong:
        raise UsageError(
            f"{wrong[0]} in commit {commit[:12]} is not what its hash says, or leads out of the "
            "tree: the repository is damaged or forged"
        )
    if not {"Kbuild", "Makefile"} <= wanted.keys():
        raise UsageError(f"commit {commit[:12]} holds no kernel source (no Kbuild, Makefile)")
    write_if_changed(state, commit.encode())


def _root(repository: Repository, commit: str) -> str:
    """The tree of a commit."""
    kind, content = _genuine(repository, [commit]).get(commit, ("", b""))
    if kind != "commit":
        raise UsageError(f"there is no commit {commit[:12]} in {repository.path}")
    return content.partition(b"\n")[0].removeprefix(b"tree ").decode(errors="replace")


def _genuine(repository: Repository, names: Iterable[str]) -> dict[str, tuple[str, bytes]]:
    """Objects by their names, which are their hashes."""
    found = repository.objects(names)
    for name, (kind, content) in found.items():
        if _hash(name, kind, content) != name:
            raise UsageError(
                f"{kind} {name[:12]} is not what its hash says: it is damaged or forged"
            )
    return found


def _hash(like: str, kind: str, content: bytes) -> str:
    """The name of an object in the hash that another name is of."""
    return hashlib.new(
        "sha1" if len(like) == 40 else "sha256",
        b"%s %d\0" % (kind.encode(), len(content)) + content,
        usedforsecurity=False,
    ).hexdigest()


def _entries(repository: Repository, trees: list[str]) -> list[dict[str, Entry]]:
    """What trees hold, by name."""
    found = _genuine(repository, dict.fromkeys(trees))
    for name in trees:
        if found.get(name, ("",))[0] != "tree":
            raise UsageError(f"tree {name[:12]} is missing: a partial clone?")
    read = {name: dict(_parsed(found[name][1], len(name) // 2)) for name in found}
    return [read[name] for name in trees]


def _parsed(content: bytes, size: int) -> Iterator[tuple[str, Entry]]:
    at = 0
    while at < len(content):
        end = content.index(b"\0", at)
        mode, _, name = content[at:end].partition(b" ")
        at = end + 1 + size
        yield os.fsdecode(name), (mode.decode(), content[end + 1 : at].hex())


def _listing(repository: Repository, commit: str) -> dict[str, Entry]:
    """Every file and link of a commit by its path."""
    files: dict[str, Entry] = {}
    level = {"": _root(repository, commit)}
    while level:
        inner: dict[str, str] = {}
        for place, entries in zip(level, _entries(repository, list(level.values())), strict=True):
            for name, (mode, value) in entries.items():
                if mode == _TREE:
                    inner[f"{place}{name}/"] = value
                elif mode != _COMMIT:
                    files[place + name] = mode, value
        level = inner
    return files


def _indexed(text: str) -> dict[str, Entry]:
    """Every entry of an index, from git ls-files."""
    found = {}
    for line in text.split("\0"):
        about, _, name = line.partition("\t")
        if name:
            mode, value, _ = about.split(" ")
            found[name] = mode, value
    return found


def _wrong(source: Path, wanted: Mapping[str, Entry]) -> Iterator[str]:
    """The names that are not as wanted."""
    for name, there in beneath.read_all(source, wanted):
        mode, value = wanted[name]
        # Old trees have 100664, which git takes for 100644.
        if (
            there is None
            or there.kind != {"100664": "100644"}.get(mode, mode)
            or _hash(value, "blob", there.data) != value
            or (there.is_link and beneath.leads_out(name, there.data))
        ):
            yield name


def _sweep(source: Path, wanted: Mapping[str, Entry]) -> None:
    """Remove what is neither of the commit nor made by a build."""
    for place, inner, files in os.walk(source):
        top = Path(place) == source
        inner[:] = [each for each in inner if not (top and each.startswith(OBJECTS))]
        for each in (*files, *inner):
            path = Path(place, each)
            name = str(path.relative_to(source))
            if name not in wanted and not stat.S_ISDIR(path.lstat().st_mode):
                path.unlink()
