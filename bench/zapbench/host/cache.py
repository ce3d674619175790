# SPDX-License-Identifier: GPL-2.0-only
"""Where kernel sources and images are kept, and how two runs stay out of each other's way.

Everything is made in a staging directory and renamed into place when it is complete, under
the lock of its name: a run that is killed leaves at most a staging directory, which the next
holder of the lock removes.
"""

import errno
import hashlib
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from functools import partial
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host import file

Progress = Callable[[str, int, int | None], None]
"""Called with a stage (``download``, ``unpack``, ``compile``, …), what is done and the total.

Units are bytes, or objects when compiling; the total is None when it is not known.
"""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """The `Progress` that shows nothing."""


BRIM = 16 << 20
"""Bytes, of an object or two: with less free, a disk is called full."""


class ReadOnly(EnvironmentMissing):
    """The cache lacks something, and nothing can be written to it."""


def root() -> Path:
    """``$ZAPBENCH_CACHE``, else ``$XDG_CACHE_HOME/zapbench``, else ``~/.cache/zapbench``."""
    chosen = os.environ.get("ZAPBENCH_CACHE")
    if chosen:
        return Path(chosen).absolute()
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache").absolute() / "zapbench"


def subdirectory(*names: str) -> Path:
    """A directory of the cache, made if need be.

    Raises:
        ReadOnly: it cannot be made.
    """
    path = root().joinpath(*names)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ReadOnly(_unwritable("make the cache directory", path, error)) from error
    return path


def _unwritable(what: str, path: Path, error: OSError) -> str:
    return (
        f"cannot {what} {path} ({error.strerror}): "
        "set ZAPBENCH_CACHE to a directory that can be written"
    )


@contextmanager
def locked(name: str, progress: Progress = no_progress) -> Iterator[None]:
    """Hold the lock called ``name``, waiting (and saying so) for another run that holds it.

    Where nobody can write there is nothing to wait for: a read-only cache is used without.

    Raises:
        EnvironmentMissing: the disk was full while it was held, or the cache is read-only.
    """
    try:
        with ExitStack() as stack:
            wait = partial(progress, "waiting for another run", 0, None)
            with suppress(FileNotFoundError, ReadOnly):
                stack.enter_context(file.locked(subdirectory("lock") / name, wait))
            yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise full() from error
        if error.errno in file.READ_ONLY and root() in Path(str(error.filename)).parents:
            raise ReadOnly(_unwritable("write to the cache", root(), error)) from error
        raise


def remember(name: str, content: bytes) -> None:
    """Keep in the cache what can be found out again; a cache that takes nothing is no error."""
    digest = hashlib.sha256(content).hexdigest().encode()
    with suppress(OSError):
        file.write_if_changed(root() / name, digest + b"\n" + content)


def recall(name: str) -> bytes | None:
    """What `remember` kept; None if that is not there, or is damaged."""
    try:
        digest, _, content = (root() / name).read_bytes().partition(b"\n")
    except OSError:
        return None
    return content if hashlib.sha256(content).hexdigest().encode() == digest else None


def full() -> EnvironmentMissing:
    """The error for a disk that was found full half-way."""
    return EnvironmentMissing(
        f"no space left in {root()}: make room, or set ZAPBENCH_CACHE to a larger disk"
    )


@contextmanager
def staged(target: Path) -> Iterator[Path]:
    """A fresh directory that becomes ``target`` if the block ends well, and nothing otherwise.

    The caller holds the lock of ``target``.
    """
    stage = target.with_name(f".{target.name}.part")
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    try:
        yield stage
        shutil.rmtree(target, ignore_errors=True)
        stage.rename(target)
    except BaseException:
        shutil.rmtree(stage, ignore_errors=True)
        raise


def is_full() -> bool:
    """Whether the cache's file system has no room for what a build writes next."""
    with suppress(OSError):
        return shutil.disk_usage(root()).free < BRIM
    return False


def require_space(size: int, purpose: str) -> None:
    """Raise EnvironmentMissing unless the cache's file system has ``size`` bytes free."""
    free = shutil.disk_usage(subdirectory()).free
    if free < size:
        raise EnvironmentMissing(
            f"{purpose} needs {size / 1e9:.1f} GB in {root()}, which has {free / 1e9:.1f} GB free: "
            "make room, or set ZAPBENCH_CACHE to a larger disk"
        )
