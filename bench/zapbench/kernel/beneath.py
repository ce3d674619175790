# SPDX-License-Identifier: GPL-2.0-only
"""Files beneath a directory whose symbolic links a stranger may have made: none is followed.

A file behind one is not there.  Names are relative, with slashes, without ``.`` and ``..``.
"""

import os
import stat
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import NamedTuple

LINK = stat.S_IFLNK | 0o777
"""The ``st_mode`` of every symbolic link."""
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_STAGE = ".zapbench-new"


class Content(NamedTuple):
    """What a name is: its ``st_mode``, and the bytes of a file or the target of a link."""

    mode: int
    data: bytes

    @property
    def is_link(self) -> bool:
        """Whether it is a symbolic link."""
        return stat.S_ISLNK(self.mode)

    @property
    def kind(self) -> str:
        """Its mode as git has it."""
        return "120000" if self.is_link else "100755" if self.mode & 0o100 else "100644"


def read(root: Path, name: str) -> Content | None:
    """A file or symbolic link; None if there is none of that name."""
    [(_, content)] = read_all(root, [name])
    return content


def read_all(root: Path, names: Iterable[str]) -> Iterator[tuple[str, Content | None]]:
    """Each name with its content, as `read` has it; many of a directory at little cost."""
    for place, members in groupby(sorted(names, key=_place), _place):
        with ExitStack() as opened:
            try:
                directory, _ = opened.enter_context(_parent(root, f"{place}/." if place else "."))
            except (FileNotFoundError, NotADirectoryError):
                yield from ((name, None) for name in members)
                continue
            for name in members:
                yield name, _content(directory, name.rpartition("/")[2])


def _place(name: str) -> str:
    """The directory that a name is in; empty for the first."""
    return name.rpartition("/")[0]


def _content(directory: int, last: str) -> Content | None:
    try:
        mode = os.stat(last, dir_fd=directory, follow_symlinks=False).st_mode
        if stat.S_ISLNK(mode):
            return Content(LINK, os.fsencode(os.readlink(last, dir_fd=directory)))
        if not stat.S_ISREG(mode):
            return None
        descriptor = os.open(last, os.O_RDONLY | os.O_NOFOLLOW, dir_fd=directory)
        with open(descriptor, "rb", buffering=0) as file:
            return Content(mode, file.read())
    except FileNotFoundError:
        return None


def write(root: Path, name: str, content: Content) -> None:
    """Make a name this content at once; leave it, with its time stamp, if it is already.

    Raises:
        OSError: a directory is in the way, or what is not a directory is on the way.
    """
    if read(root, name) == content:
        return
    with _parent(root, name, make=True) as (directory, last):
        with suppress(FileNotFoundError):
            os.unlink(_STAGE, dir_fd=directory)
        if content.is_link:
            os.symlink(content.data, os.fsencode(_STAGE), dir_fd=directory)
        else:
            flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL
            with open(os.open(_STAGE, flags, dir_fd=directory), "wb") as file:
                file.write(content.data)
                os.fchmod(file.fileno(), stat.S_IMODE(content.mode))
        os.replace(_STAGE, last, src_dir_fd=directory, dst_dir_fd=directory)


def remove(root: Path, name: str) -> None:
    """Remove a file or symbolic link if it is there, and the directories that it leaves empty."""
    with suppress(FileNotFoundError, NotADirectoryError):
        with _parent(root, name) as (directory, last):
            os.unlink(last, dir_fd=directory)
        with suppress(OSError):
            while name := _place(name):
                with _parent(root, name) as (directory, last):
                    os.rmdir(last, dir_fd=directory)


def around(root: Path, name: str) -> set[str]:
    """The files and links that are where ``name`` needs a directory, or beneath it if it is one."""
    words = name.split("/")
    above = {"/".join(words[:count]) for count in range(1, len(words))}
    found = {each for each in above if read(root, each) is not None}
    with (
        suppress(FileNotFoundError, NotADirectoryError),
        _parent(root, f"{name}/.") as (directory, _),
    ):
        for place, _, files, _ in os.fwalk(".", dir_fd=directory):
            found |= {os.path.normpath(f"{name}/{place}/{file}") for file in files}
    return found


def leads_out(name: str, target: bytes) -> bool:
    """Whether a symbolic link ``name`` may lead out of the directory that names start in.

    ``..`` counts directories as long as it comes first; after a name, that might be a link.
    """
    words = [word for word in os.fsdecode(target).split("/") if word != "."]
    up = next((count for count, word in enumerate(words) if word != ".."), len(words))
    return not target or target.startswith(b"/") or up > name.count("/") or ".." in words[up:]


@contextmanager
def _parent(root: Path, name: str, *, make: bool = False) -> Iterator[tuple[int, str]]:
    """A descriptor of the directory that holds a name, and the name's last word."""
    *words, last = name.split("/")
    held = os.open(root, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        for word in words:
            if make:
                with suppress(FileExistsError):
                    os.mkdir(word, dir_fd=held)
            inner = os.open(word, _DIRECTORY, dir_fd=held)
            os.close(held)
            held = inner
        yield held, last
    finally:
        os.close(held)
