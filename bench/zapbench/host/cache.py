# SPDX-License-Identifier: GPL-2.0-only
"""Where kernel sources and images are kept, and how two runs stay out of each other's way.

Everything is made in a staging directory and renamed into place when it is complete, under
the lock of its name: a run that is killed leaves at most a staging directory, which the next
holder of the lock removes.
"""

import errno
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host import file

Progress = Callable[[str, int, int | None], None]
"""Called with a stage (``download``, ``unpack``, ``compile``, …), what is done and the total.

Units are bytes, or objects when compiling; the total is None when it is not known.
"""


def no_progress(stage: str, done: int, total: int | None) -> None:
    """The `Progress` that shows nothing."""


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
        EnvironmentMissing: it cannot be made.
    """
    path = root().joinpath(*names)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise EnvironmentMissing(
            f"cannot make the cache directory {path} ({error.strerror}): "
            "set ZAPBENCH_CACHE to a directory that can be written"
        ) from error
    return path


@contextmanager
def locked(name: str, progress: Progress = no_progress) -> Iterator[None]:
    """Hold the lock called ``name``, waiting (and saying so) for another run that holds it.

    Raises:
        EnvironmentMissing: the disk was full while it was held.
    """
    try:
        with file.locked(
            subdirectory("lock") / name, lambda: progress("waiting for another run", 0, None)
        ):
            yield
    except OSError as error:
        if error.errno not in (errno.ENOSPC, errno.EDQUOT):
            raise
        raise full() from error


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


def require_space(size: int, purpose: str) -> None:
    """Raise EnvironmentMissing unless the cache's file system has ``size`` bytes free."""
    free = shutil.disk_usage(subdirectory()).free
    if free < size:
        raise EnvironmentMissing(
            f"{purpose} needs {size / 1e9:.1f} GB in {root()}, which has {free / 1e9:.1f} GB free: "
            "make room, or set ZAPBENCH_CACHE to a larger disk"
        )
