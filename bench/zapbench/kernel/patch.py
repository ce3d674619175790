# SPDX-License-Identifier: GPL-2.0-only
"""A series of patches on a tree, as git applies it: by its parser, to an index, or not at all."""

import os
import re
from collections.abc import Iterator, Mapping, Set
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Protocol

from zapbench.error import BuildFailed
from zapbench.host.scratch import scratch
from zapbench.kernel import beneath, mail
from zapbench.kernel.beneath import Content
from zapbench.kernel.catalogue import Series
from zapbench.kernel.git import DEVELOPERS, Repository
from zapbench.kernel.mail import Mail

_FAILED = re.compile(r"error: patch failed: (?P<file>.+):(?P<line>\d+)")
_HUNK = re.compile(r"@@ -(?P<start>\d+)(,\d+)? \+\d+(,\d+)? @@")
_SOURCE = re.compile(r"^(?:rename|copy) from (?P<path>[^\r\n]+)", re.MULTILINE)
_BARE = re.compile(rb"^diff --git (?P<path>[^\n]+) (?P=path)$", re.MULTILINE)
_PREFIXED = re.compile(rb"^diff --git a/(?P<path>[^\n]+) b/(?P=path)$", re.MULTILINE)
_OLD = re.compile(rb"^--- (?P<path>[^\t\n]+)[^\n]*\n\+\+\+ (?P<new>[^\t\n]+)", re.MULTILINE)
_ESCAPE = re.compile(rb'\\([0-7]{3}|[abtnvfr"\\])')
_ESCAPED = dict(zip(b'abtnvfr"\\', b'\a\b\t\n\v\f\r"\\', strict=True))
_LINK, _COMMIT = "120000", "160000"


class Base(Protocol):
    """The unpatched tree, which may be in no repository."""

    def content(self, name: str) -> Content | None:
        """What it has under a name."""

    def top(self) -> set[str]:
        """The names in its first directory."""

    def around(self, name: str) -> set[str]:
        """Its files where a name needs a directory, or beneath it."""


@dataclass(frozen=True, slots=True)
class Step:
    """A patch that was applied, and the tree that came out of it."""

    mail: Mail
    tree: str


def mails(series: Series) -> list[Mail]:
    """The patches of a series in their order.

    Raises:
        BuildFailed: a file cannot be read, or there is no patch in all of them.
    """
    found = [each for path in series.patches for each in mail.read(path)]
    if not found:
        raise BuildFailed(f"series {series.name}: there is no patch in {series.patches[0].name}")
    return found


def applied(
    repository: Repository,
    base: str,
    series: Series,
    *,
    top: Set[str] | None = None,
    on: str = "",
) -> Iterator[Step]:
    """Apply patch by patch to the repository's index, beginning with a commit.

    Strictly: an offset is fine, other context is not.  ``top`` are the names in the first directory
    of the whole tree, if the commit is but a part of it.  Messages call the commit ``on``.

    Raises:
        BuildFailed: with the patch, the file and the hunk; also when git read of a patch that it
            touches a file, and the tree did not change there, or changed elsewhere.
    """
    if top is None:
        top = set(repository.run("ls-tree", "-z", "--name-only", base).split("\0"))
    repository.run("read-tree", base)
    before = repository.run("rev-parse", f"{base}^{{tree}}").strip()
    for each in mails(series):
        where = f"{each.name} on {on}:" if on else f"{each.name} does not apply:"
        _names_have_prefixes(each, top, where)
        named = touched(repository, each, where)
        strip = _strip(each)
        words = ("apply", "--cached", "--whitespace=nowarn", strip, "-")
        status, _, said = repository.told(*words, given=each.text)
        if status:
            raise BuildFailed(f"{where} {_why(each, said, strip)}")
        tree = repository.run("write-tree").strip()
        _compare(repository, before, tree, named, where)
        yield Step(each, tree)
        before = tree


def touched(repository: Repository, each: Mail, where: str) -> tuple[set[str], set[str]]:
    """The files that git reads a patch to change, and the sources of renames and copies.

    Raises:
        BuildFailed: git cannot read it.
    """
    strip = _strip(each)
    words = ("apply", "--numstat", "-z", "--whitespace=nowarn", strip, "-")
    status, out, said = repository.told(*words, given=each.text)
    if status:
        raise BuildFailed(f"{where} {_first(said)}")
    lines = out.decode(errors="surrogateescape").split("\0")
    changed = {line.split("\t", 2)[2] for line in lines if line}
    text = each.text.decode(errors="surrogateescape")
    return changed, {_unquoted(match["path"]) for match in _SOURCE.finditer(text)}


def patched(series: Series, base: Base) -> Mapping[str, Content | None]:
    """The files that a series changes in a tree; None for removed ones.

    Raises:
        BuildFailed: a patch does not apply, or makes what is no file of a tree.
    """
    with _scratch() as repository:
        names: set[str] = set()
        for each in mails(series):
            names |= set().union(*touched(repository, each, f"{each.name} does not apply:"))
        names |= set().union(*(base.around(name) for name in names))
        there = {
            name: content for name in sorted(names) if (content := base.content(name)) is not None
        }
        commit = _imported(repository, there)
        *_, last = applied(repository, commit, series, top=base.top())
        return _difference(repository, commit, last, there)


@contextmanager
def _scratch() -> Iterator[Repository]:
    with scratch("series") as place:
        repository = Repository(place)
        repository.make()
        yield repository


def _strip(each: Mail) -> str:
    """How many directories git is to take off names: none from a diff made without prefixes.

    Raises:
        BuildFailed: it has both.
    """
    if _BARE.search(each.text) and _PREFIXED.search(each.text):
        raise BuildFailed(f"{each.name}: some of its names begin with a/ and b/, and some do not")
    return "-p0" if _BARE.search(each.text) else "-p1"


def _names_have_prefixes(each: Mail, top: Set[str], where: str) -> None:
    """Refuse names whose first directory is one of the tree: without it they are other files.

    Raises:
        BuildFailed: there is one.
    """
    names = (name for pair in _OLD.findall(each.text) for name in pair)
    for name in names if _strip(each) == "-p1" else ():
        first, slash, _ = _unquoted(os.fsdecode(name)).partition("/")
        if slash and first in top - {"", "a", "b"}:
            raise BuildFailed(
                f"{where} its names do not begin with a/ and b/: "
                "make it with git format-patch or git diff"
            )


def _why(each: Mail, said: str, strip: str) -> str:
    """What git said about a patch that it did not apply."""
    match = _FAILED.search(said)
    if match is None:
        return _first(said)
    number = _hunk_number(each, match["file"], int(match["line"]), strip)
    return f"hunk {number} of {match['file']} (line {match['line']})"


def _first(said: str) -> str:
    return (said.splitlines() or ["git apply failed without a word"])[0]


def _hunk_number(each: Mail, file: str, start: int, strip: str) -> int:
    """Which hunk of a file's patch begins at this line of the old file, counted from 1."""
    current, number = "", 0
    for line in each.text.decode(errors="surrogateescape").splitlines():
        if line.startswith("--- "):
            name = _unquoted(line[4:].partition("\t")[0])
            current, number = name if strip == "-p0" else name.partition("/")[2], 0
        elif current == file and (match := _HUNK.match(line)):
            number += 1
            if int(match["start"]) == start:
                return number
    return number


def _compare(
    repository: Repository, before: str, after: str, named: tuple[set[str], set[str]], where: str
) -> None:
    wanted, sources = named
    taken = {name for name, _, _ in _changes(repository, before, after)}
    for name in sorted((wanted - taken) | (taken - wanted - sources)):
        raise BuildFailed(
            f"{where} {name} is in the patch and did not change"
            if name in wanted
            else f"{where} {name} changed, and is not in the patch"
        )


def _changes(repository: Repository, before: str, after: str) -> Iterator[tuple[str, str, str]]:
    """The name, mode and hash of each file in which two trees differ; mode 000000 for removed."""
    words = ("diff-tree", "-r", "-z", "--raw", "--no-renames", before, after)
    parts = iter(repository.run(*words).split("\0")[:-1])
    for about, name in zip(parts, parts, strict=True):
        _, mode, _, value, _ = about.split(" ")
        yield name, mode, value


def _difference(
    repository: Repository, commit: str, last: Step, there: Mapping[str, Content]
) -> dict[str, Content | None]:
    changes = list(_changes(repository, commit, last.tree))
    blobs = repository.objects({value for _, mode, value in changes if int(mode, 8)})
    found: dict[str, Content | None] = {}
    for name, mode, value in changes:
        if mode == _COMMIT:
            raise BuildFailed(f"{last.mail.name} does not apply: {name} is a submodule")
        data = blobs[value][1] if int(mode, 8) else b""
        if mode == _LINK and beneath.leads_out(name, data):
            raise BuildFailed(
                f"{last.mail.name} does not apply: the link {name} may lead out of the tree"
            )
        before = there.get(name)
        if not int(mode, 8):
            found[name] = None
        elif before and before.kind == mode:
            found[name] = Content(before.mode, data)
        else:
            found[name] = Content(beneath.LINK if mode == _LINK else int(mode, 8), data)
    return found


def _imported(repository: Repository, files: Mapping[str, Content]) -> str:
    """A commit of files, as a tree of git's can be made of nothing less."""
    with repository.piped("fast-import", "--quiet", "--date-format=raw") as pipe:
        name, address = DEVELOPERS
        head = f"commit refs/heads/main\ncommitter {name} <{address}> 0 +0000\ndata 0\n"
        pipe.write(head.encode())
        for path, content in files.items():
            quoted = path.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
            line = f'M {content.kind} inline "{quoted}"\ndata {len(content.data)}\n'
            pipe.write(line.encode(errors="surrogateescape") + content.data + b"\n")
    return repository.run("rev-parse", "refs/heads/main").strip()


def _unquoted(name: str) -> str:
    """A name as it is, of one that git may have written in quotes."""
    if not (name.startswith('"') and name.endswith('"')):
        return name.rstrip("\r")
    raw = name[1:-1].encode(errors="surrogateescape")

    def plain(match: re.Match[bytes]) -> bytes:
        code = match[1]
        return bytes([int(code, 8) if len(code) == 3 else _ESCAPED[code[0]]])

    return _ESCAPE.sub(plain, raw).decode(errors="surrogateescape")
