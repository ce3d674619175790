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
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress
from zapbench.host.file import write_if_changed
from zapbench.host.process import output, running
from zapbench.kernel import apt
from zapbench.kernel.catalogue import DebianSource, GitSource, Source, TarballSource
from zapbench.kernel.tree import Tree

UNPACKED_SIZE = 2_500_000_000  # bytes: a 7.3 tree and one build of it, rounded up
"""Free space asked for before a tree is unpacked."""
CHUNK = 1 << 20


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
    name = hashlib.sha256(location.encode()).hexdigest()[:20]
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


def _git(source: GitSource, progress: Progress) -> Located:
    name = f"git-{hashlib.sha256(source.repository.encode()).hexdigest()[:20]}"
    local = Path(source.repository).expanduser()
    if local.exists():
        store, commit = _local_commit(local, source.ref)
    else:
        with cache.locked(f"{name}-fetch", progress):
            store, commit = _remote_commit(source)
    tree = Tree(_place(name), f"tree:{_built_part(store, commit)}")
    return Located(tree, lambda progress: _check_out(tree, store, commit, progress))


NOT_BUILT = {
    "Documentation",
    "CREDITS",
    "MAINTAINERS",
    "README",
    ".mailmap",
    ".get_maintainer.ignore",
}
"""Entries of a tree's root that no build reads, but for Documentation/Kconfig."""


def _built_part(store: Path, commit: str) -> str:
    """A hash of what a build can read of a commit: one of documentation only leaves it as it is."""
    listed = _in(store, "ls-tree", "-z", commit).split("\0")
    kept = [line for line in listed if line.partition("\t")[2] not in NOT_BUILT]
    kept.append(_in(store, "ls-tree", commit, "Documentation/Kconfig"))
    return hashlib.sha256("\0".join(kept).encode()).hexdigest()


def _in(store: Path, *words: str, env: dict[str, str] | None = None) -> str:
    # A repository of another user is read, never configured or hooked by: this is safe.
    git = ["git", "--no-optional-locks", "-c", "safe.directory=*", "-C", str(store)]
    return output([*git, *words], env=env, failure=UsageError, purpose=f"git {words[0]} in {store}")


def _local_commit(path: Path, ref: str) -> tuple[Path, str]:
    """The repository of a path, and the commit that the ref names there.

    Raises:
        UsageError: no repository, no such ref, or changes that no commit holds.
    """
    try:
        store = Path(_in(path, "rev-parse", "--absolute-git-dir").strip())
    except UsageError as error:
        raise UsageError(f"{path} is not a git repository") from error
    try:
        commit = _in(path, "rev-parse", "--verify", "--end-of-options", f"{ref}^{{commit}}").strip()
    except UsageError as error:
        if _in(path, "rev-parse", "--is-shallow-repository").strip() == "true":
            raise UsageError(
                f"{path} is a shallow clone without {ref!r}: git -C {path} fetch --unshallow"
            ) from error
        raise UsageError(f"{path} has no commit {ref!r}") from error
    bare = _in(path, "rev-parse", "--is-bare-repository").strip() == "true"
    if not bare and not commit.startswith(ref) and commit == _in(path, "rev-parse", "HEAD").strip():
        changed = _in(path, "status", "--porcelain", "--untracked-files=no").splitlines()
        if changed:
            raise UsageError(
                f"{path} has {len(changed)} changed files that {ref} does not hold "
                f"({changed[0][3:]}): commit them, or name the commit as {commit[:12]}"
            )
    return store, commit


def _remote_commit(source: GitSource) -> tuple[Path, str]:
    """Fetch one commit of a URL, without its history, into a bare repository of our own."""
    store = cache.subdirectory("git") / hashlib.sha256(source.repository.encode()).hexdigest()[:20]
    if not (store / "HEAD").is_file():
        output(["git", "init", "--quiet", "--bare", str(store)], purpose="git init")
    url = source.repository
    command = ["git", "-C", str(store), "fetch", "--quiet", "--depth=1", "--no-tags"]
    try:
        output([*command, "--", url, source.ref], env={"GIT_TERMINAL_PROMPT": "0"})
    except EnvironmentMissing as error:
        raise UsageError(f"cannot fetch {source.ref!r} from {url}: {error}") from error
    return store, _in(store, "rev-parse", "FETCH_HEAD^{commit}").strip()


def _check_out(tree: Tree, store: Path, commit: str, progress: Progress) -> None:
    """Bring the work tree to a commit, touching only the files that differ (git's own index)."""
    state = tree.path / "commit"
    if state.is_file() and state.read_text() == commit:
        return
    if not tree.source.is_dir():
        cache.require_space(UNPACKED_SIZE, "checking out a kernel")
        tree.source.mkdir(parents=True)
    else:
        tree.restore()
    state.unlink(missing_ok=True)
    progress("unpack", 0, None)
    places = {"GIT_DIR": str(store), "GIT_WORK_TREE": str(tree.source)}
    env = {**places, "GIT_INDEX_FILE": str(tree.path / "index")}
    (tree.path / "index.lock").unlink(missing_ok=True)
    _in(tree.source, "read-tree", "-u", "--reset", commit, env=env)
    # Completes what an interrupted check-out left; skips what is as the index says.
    _in(tree.source, "checkout-index", "--all", "--force", "--quiet", "--index", env=env)
    if not (tree.source / "Kbuild").is_file() or not (tree.source / "Makefile").is_file():
        raise UsageError(f"commit {commit[:12]} holds no kernel source (no Kbuild, Makefile)")
    write_if_changed(state, commit.encode())
