# SPDX-License-Identifier: GPL-2.0-only
"""What is easily done wrong with files: to replace one, to lock one, and to quote its name."""

import contextlib
import ctypes
import errno
import fcntl
import math
import os
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import DiskFull, EnvironmentMissing

READ_ONLY = (errno.EROFS, errno.EACCES, errno.EPERM)
"""What the kernel says where nothing may be written."""
_AT_FDCWD, _RENAME_EXCHANGE = -100, 1 << 1  # linux/fcntl.h, linux/fs.h
POLL = 0.1
"""Seconds between two looks at a lock that another holds."""


def write_atomically(
    path: Path, content: bytes, *, durable: bool = False, mode: int = 0o666
) -> None:
    """Replace a file as a whole.

    Its directory is made if need be.  A run that dies on the way leaves the file of before, and
    at most one of `drafts`.  ``durable``: on the disk when this returns, not just in memory.
    ``mode`` is what the umask leaves of it, as with open(2).

    Raises:
        OSError: it cannot be written; the file of before, if any, is left.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with open(draft, "wb", opener=lambda name, flags: os.open(name, flags, mode)) as file:
            file.write(content)
            if durable:
                file.flush()
                os.fsync(file.fileno())
        draft.replace(path)
    except BaseException:
        draft.unlink(missing_ok=True)
        raise
    if durable:
        _sync_directory(path.parent)


def exchange(one: Path, other: Path) -> None:
    """Give each of two directories the name of the other, at once (renameat2(2)).

    Where the file system cannot, one is without a name for a moment.

    Raises:
        OSError: they cannot be renamed.
    """
    renameat2 = ctypes.CDLL(None, use_errno=True).renameat2
    names = os.fsencode(one), os.fsencode(other)
    if renameat2(_AT_FDCWD, names[0], _AT_FDCWD, names[1], _RENAME_EXCHANGE) == 0:
        return
    error = ctypes.get_errno()
    if error not in (errno.EINVAL, errno.ENOSYS):
        raise OSError(error, os.strerror(error), str(other))
    between = one.with_name(f"{one.name}.before")
    other.rename(between)
    one.rename(other)
    between.rename(one)


def write_if_changed(path: Path, content: bytes) -> bool:
    """`write_atomically`, but a file that has this content already keeps its time stamp.

    Returns whether it changed.
    """
    if path.is_file() and path.read_bytes() == content:
        return False
    write_atomically(path, content)
    return True


def drafts(path: Path) -> Iterator[Path]:
    """What `write_atomically` left of a file in runs that were killed, or has not replaced yet."""
    return path.parent.glob(f".{path.name}.[0-9]*")


def _sync_directory(directory: Path) -> None:
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def write_output(path: Path, content: bytes) -> None:
    """Write what a user asked for with -o, as a whole; its directory is made if need be.

    Raises:
        DiskFull: it cannot be written; the file of before, if any, is left.
    """
    with _named(path):
        write_atomically(path, content)


def make_directory(path: Path) -> None:
    """Make what a user named with -o, or what is above it, unless it is there.

    Raises:
        DiskFull: it cannot be made.
    """
    with _named(path):
        path.mkdir(parents=True, exist_ok=True)


def readable(text: str) -> str:
    """Text for a file in UTF-8, though it has names of files or words of the command line in it.

    Bytes that the locale could make no characters of are taken for UTF-8, or else replaced.
    """
    return text.encode(errors="surrogateescape").decode(errors="replace")


@contextlib.contextmanager
def _named(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise DiskFull(f"cannot write {path}: {error.strerror}; choose another with -o") from error


@contextlib.contextmanager
def locked(
    path: Path,
    on_wait: Callable[[], None] = lambda: None,
    patience: float = math.inf,
    busy: str = "",
) -> Iterator[None]:
    """Hold the flock() of a directory, or of a file that is made if need be.

    ``on_wait`` is told once when another run holds it and must be waited for, ``patience``
    seconds at most.  The kernel gives the lock back when its holder dies, however it dies: it
    cannot go stale.

    Raises:
        EnvironmentMissing: another run held it all the time; ``busy`` is the message.
        OSError: it cannot be opened.
    """
    descriptor = _opened(path)
    deadline = time.monotonic() + patience
    waiting = False
    try:
        while not _taken(descriptor):
            if time.monotonic() >= deadline:
                raise EnvironmentMissing(busy or f"another run holds {path}")
            if not waiting:
                on_wait()
            waiting = True
            time.sleep(POLL)
        with _holding(descriptor):
            yield
    finally:
        os.close(descriptor)


def _opened(path: Path) -> int:
    if path.is_dir():
        return os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        if error.errno not in READ_ONLY:
            raise
        return os.open(path, os.O_RDONLY | os.O_CLOEXEC)  # enough for flock()


@dataclass(slots=True)
class _Held:
    descriptor: int
    released: bool = False


_HELD: ContextVar[tuple[_Held, ...]] = ContextVar("held", default=())


@contextlib.contextmanager
def _holding(descriptor: int) -> Iterator[None]:
    lock = _Held(descriptor)
    _HELD.set((*_HELD.get(), lock))
    try:
        yield
    finally:
        lock.released = True
        _HELD.set(tuple(each for each in _HELD.get() if not each.released))


def held() -> tuple[int, ...]:
    """The descriptors of the locks that this thread holds.

    A lock is its open file, so that a program that inherits the descriptor holds it too.
    """
    return tuple(each.descriptor for each in _HELD.get() if not each.released)


def _taken(descriptor: int) -> bool:
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    return True
