# SPDX-License-Identifier: GPL-2.0-only
"""Fetch the source of a kernel: Debian package, git commit or tarball, checked and cached."""

import hashlib
import shutil
import subprocess
import tarfile
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress
from zapbench.host.process import running
from zapbench.kernel import apt, checkout, clone
from zapbench.kernel.catalogue import DebianSource, GitSource, Source, TarballSource
from zapbench.kernel.clone import Clone
from zapbench.kernel.git import FETCH, Repository
from zapbench.kernel.tree import Tree

UNPACKED_SIZE = 2_500_000_000  # bytes: a 7.3 tree and one build of it, rounded up
"""Free space asked for before a tree is unpacked."""
CHUNK = 1 << 20

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Located:
    """A source that is known exactly, but need not be here yet."""

    tree: Tree
    fill: Callable[[Progress], None]

    @contextmanager
    def opened(self, progress: Progress) -> Iterator[Tree]:
        """The tree, fetched if need be, and held under its lock for the block.

        Raises:
            EnvironmentMissing: it cannot be fetched, or there is no room for it.
        """
        with cache.locked(self.tree.path.name, progress):
            self.fill(progress)
            yield self.tree


def locate(source: Source, progress: Progress) -> Located:
    """What a source is today: the newest point release, the commit of a ref.

    Raises:
        UsageError: there is no such release or ref.
        EnvironmentMissing: package lists or a remote repository cannot be read.
    """
    match source:
        case DebianSource():
            return _debian(source)
        case GitSource():
            return _git(source, progress)
        case TarballSource():
            return _tarball(source)


@contextmanager
def checked_out(source: Source, progress: Progress) -> Iterator[Tree]:
    """`locate` a source and open it; raises what both raise."""
    with locate(source, progress).opened(progress) as tree:
        yield tree


def _debian(source: DebianSource) -> Located:
    package = apt.find(source.package, suite=source.suite, release=source.release)
    tree = Tree(_place(f"{package.name}_{package.version}"), f"{package.name}={package.version}")

    def fill(progress: Progress) -> None:
        if tree.source.is_dir():
            return
        cache.require_space(UNPACKED_SIZE, f"unpacking {package.name}")
        with cache.locked("download", progress):
            archive = apt.download(package, cache.subdirectory("download"), progress)
        with cache.staged(tree.path) as stage:
            _unpack_package(archive, package.name, stage, progress)
        archive.unlink()

    return Located(tree, fill)


def _place(name: str) -> Path:
    return cache.subdirectory("tree") / name


def _unpack_package(archive: Path, name: str, stage: Path, progress: Progress) -> None:
    """The package holds one tarball, usr/src/NAME.tar.xz; its one directory becomes ``source``."""
    inner = stage / "inner.tar"
    with running(["dpkg-deb", "--fsys-tarfile", str(archive)], stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        try:
            with tarfile.open(fileobj=process.stdout, mode="r|") as outer:
                member = next(
                    (m for m in outer if Path(m.name).name.startswith(f"{name}.tar")), None
                )
                content = outer.extractfile(member) if member else None
                if content is None:
                    raise EnvironmentMissing(f"{archive.name} holds no {name}.tar.xz")
                with inner.open("wb") as file:
                    shutil.copyfileobj(content, file, CHUNK)
        except (tarfile.TarError, OSError) as error:
            raise EnvironmentMissing(f"cannot unpack {archive.name}: {error}") from error
        process.kill()  # what follows the tarball is of no use
    _unpack(inner, stage, progress)
    inner.unlink()


def _unpack(archive: Path, stage: Path, progress: Progress) -> None:
    """Unpack the one directory of a tarball as ``source``.

    Raises:
        EnvironmentMissing: it is damaged, holds no kernel, or the disk is full.
    """
    target = stage / "source"
    target.mkdir()
    command = ["tar", "-x", "--strip-components=1", "--no-same-owner", "-f", "-", "-C", str(target)]
    # Unbuffered: the child reads from the offset that this descriptor has.
    with archive.open("rb", buffering=0) as file:
        magic = file.read(6)
        option = next(
            (flag for head, flag in _COMPRESSIONS.items() if magic.startswith(head)), None
        )
        file.seek(0)
        total = archive.stat().st_size
        with running([*command, *([option] if option else [])], stdin=file) as process:
            while process.poll() is None:
                progress("unpack", file.seek(0, 1), total)
                time.sleep(0.1)
            said = process.stdout.read().decode(errors="replace") if process.stdout else ""
    if process.returncode:
        raise EnvironmentMissing(f"cannot unpack {archive.name}: {(said.splitlines() or ['?'])[0]}")
    if not (target / "Kbuild").is_file() or not (target / "Makefile").is_file():
        raise EnvironmentMissing(f"{archive.name} holds no kernel source (no Kbuild, Makefile)")


_COMPRESSIONS = {
    b"\xfd7zXZ\0": "--xz",
    b"\x1f\x8b": "--gzip",
    b"BZh": "--bzip2",
    b"\x28\xb5\x2f\xfd": "--zstd",
}


def _tarball(source: TarballSource) -> Located:
    tree = Tree(_place(f"tar-{source.sha256[:20]}"), f"sha256:{source.sha256}")

    def fill(progress: Progress) -> None:
        if tree.source.is_dir():
            return
        cache.require_space(UNPACKED_SIZE, "unpacking a kernel")
        with _local(source.location, progress) as archive:
            _check(archive, source)
            with cache.staged(tree.path) as stage:
                _unpack(archive, stage, progress)

    return Located(tree, fill)


def _check(archive: Path, source: TarballSource) -> None:
    with archive.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != source.sha256:
        raise UsageError(f"{source.location} has the SHA-256 {actual}, not {source.sha256}")


@contextmanager
def _local(location: str, progress: Progress) -> Iterator[Path]:
    """A tarball as a local file: a path as it is, a URL downloaded (going on from last time)."""
    if not urllib.parse.urlsplit(location).scheme:
        path = Path(location).expanduser()
        if not path.is_file():
            raise UsageError(f"no tarball at {path}")
        yield path
        return
    name = _hashed(location)
    path = cache.subdirectory("download") / name
    _download(location, path, progress)
    try:
        yield path
    finally:
        path.unlink()  # also when its checksum is wrong: the next run must not go on from it


def _download(url: str, path: Path, progress: Progress) -> None:
    if urllib.parse.urlsplit(url).scheme not in ("http", "https", "ftp", "file"):
        raise UsageError(f"{url} is not an http, https, ftp or file URL")
    have = path.stat().st_size if path.exists() else 0
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})  # noqa: S310
    try:
        with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
            if getattr(answer, "status", None) != 206:  # the server begins from the start
                have = 0
            total = have + int(answer.headers.get("Content-Length") or 0)
            with path.open("r+b" if have else "wb") as file:
                file.seek(have)
                while chunk := answer.read(CHUNK):
                    file.write(chunk)
                    progress("download", file.tell(), total)
    except urllib.error.HTTPError as error:
        if error.code == 416:  # nothing after what we have: complete, or not what it was
            return
        raise EnvironmentMissing(f"cannot download {url}: {error}") from error
    except OSError as error:
        raise EnvironmentMissing(
            f"cannot download {url}: {error}; run it again to go on"
        ) from error


def _hashed(location: str) -> str:
    """What the cache calls a path or a URL; bytes of a name may be no text."""
    return hashlib.sha256(location.encode(errors="surrogateescape")).hexdigest()[:20]


def _git(source: GitSource, progress: Progress) -> Located:
    name = f"git-{_hashed(source.repository)}"
    local = Path(source.repository).expanduser()
    opened: Callable[[], AbstractContextManager[Repository]]
    if local.exists():
        found = clone.find(local)
        with found.shown(tracking="@{" in source.ref) as store:
            commit = _local_commit(found, store, local, source.ref)
            identity = _of(source, lambda: checkout.identity(store, commit))
        opened = found.shown
    else:
        with cache.locked(f"{name}-fetch", progress):
            fetched, commit = _remote_commit(source)
        identity = checkout.identity(fetched, commit)
        opened = _as_it_is(fetched)
    tree = Tree(_place(name), f"tree:{identity}")

    def fill(progress: Progress) -> None:
        if checkout.is_at(tree, commit):
            return
        if not tree.source.is_dir():
            cache.require_space(UNPACKED_SIZE, "checking out a kernel")
        progress("unpack", 0, None)
        with opened() as store:
            _of(source, lambda: checkout.bring(tree, store, commit))

    return Located(tree, fill)


def _as_it_is(repository: Repository) -> Callable[[], AbstractContextManager[Repository]]:
    return lambda: nullcontext(repository)


def _of(source: GitSource, call: Callable[[], T]) -> T:
    """What a call gives; an error of it names the repository.

    Raises:
        UsageError: the call did.
    """
    try:
        return call()
    except UsageError as error:
        local = Path(source.repository).expanduser()
        hint = ""
        if local.exists() and clone.find(local).is_partial():
            hint = f" (a partial clone: git -C {local} fetch --refetch --no-filter)"
        raise UsageError(f"{source.repository}: {error}{hint}") from error


def _local_commit(found: Clone, store: Repository, path: Path, ref: str) -> str:
    """The commit that a ref of a clone names; ``store`` shows the clone.

    Raises:
        UsageError: there is no such ref, or there are changes that no commit holds.
    """
    commit = clone.commit(store, ref)
    if commit is None:
        if found.shallow():
            raise UsageError(
                f"{path} is a shallow clone without {ref!r}: git -C {path} fetch --unshallow"
            )
        plus = "; a directory of patches needs a slash" if "+" in ref else ""
        raise UsageError(f"{path} has no commit {ref!r}{plus}")
    if not commit.startswith(ref) and commit == clone.commit(store, "HEAD"):
        changed = found.changed(store)
        if changed:
            raise UsageError(
                f"{path} has {len(changed)} changed files that {ref} does not hold "
                f"({changed[0]}): commit them, or name the commit as {commit[:12]}"
            )
    return commit


def _remote_commit(source: GitSource) -> tuple[Repository, str]:
    """Fetch one commit of a URL, without its history, into a bare repository of our own."""
    url = source.repository
    name = _hashed(url)
    store = Repository(cache.subdirectory("git") / name)
    store.make()
    try:
        store.fetch(url, *FETCH, "--depth=1", "--", url, source.ref)
    except EnvironmentMissing as error:
        raise UsageError(f"cannot fetch {source.ref!r} from {url}: {error}") from error
    return store, store.run("rev-parse", "FETCH_HEAD^{commit}").strip()
