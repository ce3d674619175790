# SPDX-License-Identifier: GPL-2.0-only
"""Names of kernels: what ``6.12+madv-zap`` or ``git:~/linux@HEAD`` stands for."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Any

import msgspec

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.kernel import clone, words


@dataclass(frozen=True, slots=True)
class DebianSource:
    """A Debian source package; ``release`` is a point release, None the newest there is."""

    package: str
    suite: str | None = None
    release: str | None = None


@dataclass(frozen=True, slots=True)
class GitSource:
    """A commit of a git repository, which is a path or a URL."""

    repository: str
    ref: str


@dataclass(frozen=True, slots=True)
class TarballSource:
    """A kernel tarball at a path or URL, with the SHA-256 that it must have."""

    location: str
    sha256: str


Source = DebianSource | GitSource | TarballSource


@dataclass(frozen=True, slots=True)
class Series:
    """Patches in the order of their file names, directory by directory."""

    name: str
    patches: tuple[Path, ...]


@dataclass(frozen=True, slots=True)
class Kernel:
    """What is to be built: a base source, a series on top of it, further config fragments."""

    name: str
    source: Source
    series: Series | None = None
    fragments: tuple[Path, ...] = ()


PATCHES = (".patch", ".diff", ".mbox", ".mbx")
"""What the names of patches in a directory end in."""

_POINT_RELEASE = re.compile(r"(?P<base>\d+\.\d+)\.\d+(-rc\d+)?")
_SHA256 = re.compile(r"[0-9a-f]{64}")


@cache
def directory() -> Path:
    """The directory of kernels.toml, config/ and series/: ``$ZAPBENCH_KERNEL_DIR`` or the clone's.

    Raises:
        EnvironmentMissing: there is none, as when only the package was installed.
    """
    chosen = os.environ.get("ZAPBENCH_KERNEL_DIR")
    path = Path(chosen) if chosen else Path(__file__).resolve().parents[3] / "kernel"
    if not (path / "kernels.toml").is_file():
        raise EnvironmentMissing(
            f"no kernels.toml in {path}: run zapbench from its clone, or set ZAPBENCH_KERNEL_DIR"
        )
    return path


class Base(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What kernels.toml says of a base: one source, its series, and what its config needs."""

    debian: str | None = None
    suite: str | None = None
    git: str | None = None
    ref: str | None = None
    tarball: str | None = None
    sha256: str | None = None
    series: dict[str, str | tuple[str, ...]] = {}
    config: tuple[str, ...] = ()

    def source(self, release: str | None = None) -> Source:
        """Where it comes from; ``release`` is a point release of a Debian package.

        Raises:
            UsageError: it does not say, or what it says is malformed.
        """
        if self.debian is not None:
            return DebianSource(self.debian, self.suite, release)
        if self.git is not None and self.ref is not None:
            return _git(self.git, self.ref)
        if self.tarball is not None and self.sha256 is not None:
            return _tarball(self.tarball, self.sha256)
        raise UsageError("needs debian, or git and ref, or tarball and sha256")


class _Kernels(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    kernel: dict[str, Any]


def load(path: Path | None = None) -> dict[str, Base]:
    """The bases of kernels.toml by name.

    Raises:
        UsageError: it is not TOML, or a base is written wrongly or has no source.
    """
    path = path or directory() / "kernels.toml"
    try:
        written = msgspec.toml.decode(path.read_bytes(), type=_Kernels).kernel
    except OSError as error:
        raise UsageError(f"cannot read {path}: {error.strerror}") from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise UsageError(f"{path} is not a table of kernels: {error}") from error
    bases = {}
    for name, each in written.items():
        try:
            bases[name] = msgspec.convert(each, Base)
            bases[name].source()
        except (msgspec.ValidationError, UsageError) as error:
            raise UsageError(f"{path}: kernel {name}: {error}") from error
    return bases


def _git(repository: str, ref: str) -> GitSource:
    for what, value in (("repository", repository), ("ref", ref)):
        if not value or value.startswith("-"):
            raise UsageError(f"{value!r} is not a git {what}: it is empty or starts with a dash")
    return GitSource(repository, ref)


def _tarball(location: str, sha256: str) -> TarballSource:
    if location.startswith("-") or not location:
        raise UsageError(f"{location!r} is not a path or URL of a tarball")
    if not _SHA256.fullmatch(sha256.lower()):
        raise UsageError(f"tarball {location} needs its SHA-256 (64 hex digits), not {sha256!r}")
    return TarballSource(location, sha256.lower())


def series_at(name: str, path: Path) -> Series:
    """The patches of a directory, or one patch.

    Raises:
        UsageError: there is none.
    """
    if path.is_file():
        return Series(name, (path,))
    try:
        patches = tuple(sorted(each for each in path.iterdir() if each.suffix in PATCHES))
    except OSError:
        patches = ()
    if not patches:
        raise UsageError(f"series {name}: no *.patch in {path} (nor {', '.join(PATCHES[1:])})")
    return Series(name, patches)


def _series(base: str, name: str, known: Mapping[str, str | tuple[str, ...]]) -> Series:
    if name in known:
        places = known[name]
        parts = (places,) if isinstance(places, str) else places
        found = (series_at(name, directory() / part).patches for part in parts)
        return Series(name, tuple(chain.from_iterable(found)))
    if "/" in name or name == ".":
        return series_at(name, Path(name).expanduser())
    choices = ", ".join(f"{base}+{known_name}" for known_name in sorted(known)) or "none"
    raise UsageError(
        f"no series {name!r} for {base} (known: {choices}); a directory of patches needs a slash"
    )


def _cuts(text: str, mark: str) -> list[tuple[str, str]]:
    """What is before and after each mark, the last mark first."""
    places = [place for place, character in enumerate(text) if character == mark]
    return [(text[:place], text[place + 1 :]) for place in reversed(places)]


def _git_words(text: str) -> tuple[str, str, str]:
    """Repository, ref and series of ``REPOSITORY@REF+SERIES``, all of which may hold @ and +.

    The whole of what may be a ref is tried as one first.
    """
    cuts = _cuts(text, "@")
    local = [cut for cut in cuts if cut[0] and Path(cut[0]).expanduser().exists()]
    every = [(place, *pair) for place, words in local or cuts for pair in _refs_and_series(words)]
    for place, ref, series in every if len(every) > 1 else ():
        # What a URL has is asked when it is fetched; what series there are is known here.
        if local and clone.has(Path(place), ref):
            return place, ref, series
        if series and not local and Path(series).expanduser().exists():
            return place, ref, series
    place, words = (local or cuts)[0]
    likely = (words, "") if not local and clone.is_name(words) else _refs_and_series(words)[-1]
    return place, *likely


def _refs_and_series(words: str) -> list[tuple[str, str]]:
    """The refs that words may begin with, each with its series: the longest ref first."""
    cuts = _cuts(words, "+")
    return [(words, ""), *(cut for cut in cuts if "/" in cut[1] or cut[1] == ".")]


def parse(text: str) -> Kernel:
    """The kernel that a name on the command line stands for; its boot words are no part of it.

    Raises:
        UsageError: no such kernel or series, or a malformed name.
    """
    typed = text
    text, _ = words.split(text)
    scheme, colon, rest = text.partition(":")
    if colon and scheme in ("git", "tar"):
        if "@" not in rest:
            raise UsageError(f"{text!r} lacks its @{'REF' if scheme == 'git' else 'SHA256'}")
        if scheme == "git":
            location, tail, series = _git_words(rest)
        else:
            location, _, tail = rest.rpartition("@")
            tail, _, series = tail.partition("+")
        source = _git(location, tail) if scheme == "git" else _tarball(location, tail)
        return Kernel(text, source, _series(text, series, {}) if series else None)
    base, _, series = text.partition("+")
    bases = load()
    line, release = base, None
    if base not in bases and (match := _POINT_RELEASE.fullmatch(base)):
        line, release = match["base"], base
    if line not in bases:
        known = ", ".join(names())
        raise UsageError(
            f"unknown kernel {typed!r}: it is neither one of `zapbench kernel list` ({known}) nor "
            "git:PATH-or-URL@REF, tar:PATH-or-URL@SHA256 or an image file"
        )
    found = bases[line]
    if release and found.debian is None:
        raise UsageError(f"kernel {line} is one commit or tarball: it has no {release}")
    return Kernel(
        text,
        found.source(release),
        _series(base, series, found.series) if series else None,
        tuple(directory() / "config" / f"{name}.config" for name in found.config),
    )


def names() -> list[str]:
    """Every name that kernels.toml gives, with and without each series."""
    return [
        name + suffix
        for name, base in load().items()
        for suffix in ("", *(f"+{series}" for series in base.series))
    ]
