# SPDX-License-Identifier: GPL-2.0-only
"""Directories for a while, which do not outlive zapbench for longer than to its next command."""

import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host.file import locked

PREFIX = "zapbench-scratch-"


@contextmanager
def scratch(purpose: str, parent: Path | None = None) -> Iterator[Path]:
    """A fresh directory, removed with the block; in ``parent``, or among the temporary files.

    It is locked by this process and what it starts: `sweep` removes it when they have died.
    """
    sweep(parent)
    with ExitStack() as stack:
        path = _made(purpose, parent, stack)
        try:
            yield path
        finally:
            shutil.rmtree(path, ignore_errors=True)


def _made(purpose: str, parent: Path | None, stack: ExitStack) -> Path:
    while True:
        path = Path(tempfile.mkdtemp(prefix=f"{PREFIX}{purpose}-", dir=parent))
        with suppress(FileNotFoundError):
            stack.enter_context(locked(path))
        if path.is_dir():  # another's sweep may have come before the lock
            return path


def sweep(parent: Path | None = None) -> None:
    """Remove the directories of runs of this user that were killed."""
    for path in (parent or Path(tempfile.gettempdir())).glob(f"{PREFIX}*"):
        with suppress(OSError, EnvironmentMissing):
            found = path.lstat()
            if stat.S_ISDIR(found.st_mode) and found.st_uid == os.geteuid():
                with locked(path, patience=0):
                    shutil.rmtree(path, ignore_errors=True)
