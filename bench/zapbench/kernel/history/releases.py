# SPDX-License-Identifier: GPL-2.0-only
"""A git repository of kernel releases for those who have no clone, made of Debian packages.

A branch a line (``6.12``), each a chain of its releases; a branch with each series on top of
the newest release of its line (``6.12+madv-zap``), one commit a patch; and the branch
``releases`` through all of it in the order of versions, with tags.  The line branches are what
the history knows: everything else is made from them again, and always the same.
"""

import fnmatch
import hashlib
import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress
from zapbench.host.file import make_directory
from zapbench.kernel import apt, catalogue
from zapbench.kernel.apt import Package
from zapbench.kernel.catalogue import DebianSource, Series
from zapbench.kernel.git import DEVELOPERS, Repository
from zapbench.kernel.history import patches, snapshot

MAIN = "releases"
SIZE = 400_000_000  # bytes: a first release (290 MB) or another line's first, rounded up
"""Free space asked for before a release is added."""

_LINE = re.compile(r"refs/heads/(\d+\.\d+)")
_SUBJECT = re.compile(r"Linux (?P<name>\S+) \(Debian (?P<version>\S+)\)")
VERSION = re.compile(r"(\d+)\.(\d+)(?:\.(\d+))?(?:-rc(\d+))?")


@dataclass(frozen=True, slots=True)
class Release:
    """One release in a history; ``when`` is the time of its package, seconds since 1970."""

    name: str
    version: str
    tree: str
    when: int

    @property
    def line(self) -> str:
        """The base that it is a point release of: ``6.12``."""
        return ".".join(self.name.split(".")[:2]).partition("-")[0]

    @property
    def order(self) -> tuple[int, ...]:
        """What sorts releases."""
        return order(self.name)


@dataclass(frozen=True, slots=True)
class Made:
    """What a history holds, which of its releases are new, and its refs by their full names.

    ``skipped`` says which series do not apply to a clone's newest tag, and why; ``notes`` what
    of the patches' mails could not be read.
    """

    path: Path
    releases: tuple[Release, ...]
    new: tuple[str, ...]
    refs: Mapping[str, str]
    skipped: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()


def order(name: str) -> tuple[int, ...]:
    """What sorts names of releases; a candidate comes before its release."""
    match = VERSION.match(name)
    assert match is not None
    major, minor, point, candidate = match.groups()
    return int(major), int(minor), int(point or 0), int(candidate or 1 << 30)


def offered(globs: Sequence[str]) -> dict[str, Package]:
    """The releases that apt offers and a glob matches, oldest first.

    Without globs all of them.  A base (``6.12``) matches all of its releases.

    Raises:
        UsageError: a glob matches nothing.
        EnvironmentMissing: apt has no package of a base, or its lists cannot be read.
    """
    found: dict[str, Package] = {}
    seen: dict[str, Package] = {}
    for base in catalogue.load():
        source = catalogue.parse(base).source
        if isinstance(source, DebianSource) and any(_may_match(g, base) for g in globs or "*"):
            for package in apt.releases(source.package, suite=source.suite):
                seen.setdefault(package.upstream.replace("~", "-"), package)
    known = {name: seen[name] for name in sorted(filter(VERSION.fullmatch, seen), key=order)}
    for glob in globs or ("*",):
        matched = {n: p for n, p in known.items() if _matches(glob, n)}
        if not matched:
            raise UsageError(_nothing(glob, known))
        found |= matched
    return {name: found[name] for name in sorted(found, key=order)}


def _may_match(glob: str, base: str) -> bool:
    literal = re.split(r"[*?\[]", glob, maxsplit=1)[0]
    return base.startswith(literal) or literal == base or literal.startswith(f"{base}.")


def _matches(glob: str, name: str) -> bool:
    return fnmatch.fnmatchcase(name, glob) or name.startswith(f"{glob}.")


def _nothing(glob: str, known: Iterable[str]) -> str:
    there = ", ".join(known) or f"only the lines {', '.join(catalogue.load())}"
    return f"no release matches {glob!r}; there is {there}"


def make(path: Path, globs: Sequence[str], progress: Progress) -> Made:
    """Make a history, or add to one what it lacks.

    What apt no longer offers is kept.  Each release is complete when the next one is begun.

    Raises:
        UsageError: ``path`` is something else, or a glob matches nothing.
        EnvironmentMissing: git or a package is missing, or the disk is full.
        BuildFailed: a series does not apply; all releases are there without it.
    """
    path = path.expanduser().absolute()
    repository = check(path, "debian")
    wanted = offered(globs)
    with locked(repository, progress):
        begin(repository, "debian")
        _sweep(repository)
        there = read(repository)
        new = [name for name in wanted if name not in there]
        for number, name in enumerate(new, 1):
            told = _prefixed(f"{name} ({number} of {len(new)})", progress)
            there[name] = _fetched(repository, name, wanted[name], told)
            repository.update(_lines(repository, there))
        progress("series", 0, None)
        refs, notes = _linked(repository, there)
        if new:
            progress("repack", 0, None)
            # Nothing is dropped: results may name commits that are on no branch any more.
            repository.run("repack", "-a", "-d", "--keep-unreachable", "--quiet")
    return Made(path, tuple(_sorted(there)), tuple(new), refs, notes=notes)


def check(path: Path, kind: str) -> Repository:
    """The history at a path, which may not exist yet; ``kind`` is what it is made from.

    Raises:
        UsageError: something else is there.
    """
    repository = Repository(path)
    fresh = not path.exists() or (path.is_dir() and not any(path.iterdir()))
    if not fresh and kind_of(repository) != kind:
        there = (
            f"a history made from {kind_of(repository)}" if kind_of(repository) else "no history"
        )
        raise UsageError(f"{path} is there already and is {there}: choose another -o")
    return repository


def begin(repository: Repository, kind: str) -> None:
    """Make the repository unless it is there.

    Raises:
        DiskFull: there is no place for it.
        EnvironmentMissing: git cannot make it.
    """
    if kind_of(repository) != kind:
        make_directory(repository.path.parent)
        words = ("--bare", "--quiet", "--template=", f"--initial-branch={MAIN}")
        repository.run("init", *words, purpose=f"cannot make {repository.path}")
        repository.run("config", "zapbench.history", kind)


def locked(repository: Repository, progress: Progress) -> AbstractContextManager[None]:
    """Keep other runs out of a history."""
    return cache.locked(_lock(repository), progress)


def _lock(repository: Repository) -> str:
    return f"history-{hashlib.sha256(str(repository.path).encode()).hexdigest()[:20]}"


def kind_of(repository: Repository) -> str:
    """What a history was made from: ``debian`` or ``git``; empty if it is none."""
    if not (repository.path / "config").is_file():
        return ""
    asked = ("config", "--file", str(repository.path / "config"), "--default", "")
    return repository.run(*asked, "--get", "zapbench.history").strip()


def read(repository: Repository) -> dict[str, Release]:
    """The releases that a history holds, by name."""
    found = {}
    for ref in filter(_LINE.fullmatch, repository.refs("refs/heads")):
        for line in repository.run("log", "--format=%T %at %s", ref, "--").splitlines():
            tree, when, subject = line.split(" ", 2)
            if match := _SUBJECT.fullmatch(subject):
                found[match["name"]] = Release(match["name"], match["version"], tree, int(when))
    return found


def _fetched(repository: Repository, name: str, package: Package, progress: Progress) -> Release:
    free = shutil.disk_usage(repository.path).free
    if free < SIZE:
        raise EnvironmentMissing(
            f"adding {name} needs {SIZE / 1e6:.0f} MB in {repository.path}, "
            f"which has {free / 1e6:.0f} MB free: make room, or choose another -o"
        )
    with cache.locked("download", progress):
        archive = apt.download(package, cache.subdirectory("download"), progress)
        # Another run may want the same package: it must not take away this one's.
        archive = archive.rename(_own_archive(repository))
    try:
        tree, when = snapshot.add(repository, archive, package.name, progress)
    finally:
        archive.unlink()
    return Release(name, package.version, tree, when)


def _own_archive(repository: Repository) -> Path:
    """Where the package is while it is imported into this history."""
    return cache.subdirectory("download") / f"{_lock(repository)}.deb"


def _sweep(repository: Repository) -> None:
    """Remove what a run that was killed left behind.  The caller holds the lock."""
    places = ("fast_import_*", "objects/pack/tmp_*", "zapbench.index*", "packed-refs.*")
    for left in (each for place in places for each in repository.path.glob(place)):
        left.unlink()
    _own_archive(repository).unlink(missing_ok=True)


def _prefixed(text: str, progress: Progress) -> Progress:
    return lambda stage, done, total: progress(f"{text}: {stage}", done, total)


def _sorted(releases: Mapping[str, Release]) -> list[Release]:
    return sorted(releases.values(), key=lambda release: release.order)


def _release_commit(
    repository: Repository, release: Release, parent: tuple[str, int] | None
) -> tuple[str, int]:
    """A release after a commit and its time; the new commit and its time (seconds since 1970).

    The author's date is the package's.  The committer's always increases.
    """
    when = max(release.when, parent[1] + 1) if parent else release.when
    message = f"Linux {release.name} (Debian {release.version})"
    author = (*DEVELOPERS, release.when)
    commit = repository.commit(release.tree, parent and parent[0], message, author, when)
    return commit, when


def _lines(repository: Repository, releases: Mapping[str, Release]) -> dict[str, str]:
    """The line branches."""
    refs = {}
    for line, chain in groupby(_sorted(releases), key=lambda release: release.line):
        last = None
        for release in chain:
            last = _release_commit(repository, release, last)
        assert last is not None
        refs[f"refs/heads/{line}"] = last[0]
    return refs


def _linked(
    repository: Repository, releases: Mapping[str, Release]
) -> tuple[dict[str, str], tuple[str, ...]]:
    """Make and set all refs.

    Returns the branches and tags by their full names, and what of mails could not be read.
    """
    refs = _lines(repository, releases)
    notes: list[str] = []
    once = set()  # what had a series when it was the newest of its line
    last: tuple[str, int] | None = None
    for line, chain in groupby(_sorted(releases), key=lambda release: release.line):
        for release in chain:
            last = _release_commit(repository, release, last)
            tag = f"refs/tags/v{release.name}"
            refs[tag] = last[0]
            once |= {f"{tag}+{series.name}" for series in series_of(line)}
        for series in series_of(line):
            tip = patches.put(repository, refs[f"refs/heads/{line}"], series, release.name)
            refs[f"refs/heads/{line}+{series.name}"] = tip.commit
            notes += tip.notes
            last = patches.squashed(repository, tip, series, release.name, last)
            refs[f"{tag}+{series.name}"] = last[0]
    if last is not None:
        refs[f"refs/heads/{MAIN}"] = last[0]
    repository.update(refs, (once & repository.refs("refs/tags").keys()) - refs.keys())
    return refs, tuple(notes)


def series_of(line: str) -> list[Series]:
    """The series that kernels.toml has for a line, in the order of their names."""
    base = catalogue.load().get(line)
    names = sorted(base.series if base is not None else ())
    found = (catalogue.parse(f"{line}+{name}").series for name in names)
    return [series for series in found if series is not None]
