# SPDX-License-Identifier: GPL-2.0-only
"""This machine as files and programs; a test gives a made-up one."""

import os
import platform
import re
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from zapbench.uffd import Userfaultfd, probe_userfaultfd

CPU = "sys/devices/system/cpu"
SBIN = ":/usr/sbin:/sbin"  # depmod, for those who are not root


@dataclass(frozen=True)
class Machine:
    """What the checks look at; a test gives a made-up one."""

    root: Path = Path("/")
    search_path: str = field(default_factory=lambda: os.environ.get("PATH", os.defpath) + SBIN)
    architecture: str = field(default_factory=platform.machine)
    userfaultfd: Callable[[], Userfaultfd] = probe_userfaultfd

    def read(self, name: str) -> str | None:
        """The stripped text of a file; None if there is none that can be read."""
        try:
            return (self.root / name).read_text(encoding="utf-8", errors="replace").strip()
        except OSError:
            return None

    def chosen(self, name: str) -> str | None:
        """The chosen word of a file like ``always [madvise] never``."""
        found = re.search(r"\[(\S+)\]", self.read(name) or "")
        return found[1] if found else self.read(name)

    def glob(self, pattern: str) -> Iterator[str]:
        """The files that match, by their names below the root, sorted."""
        return (str(path.relative_to(self.root)) for path in sorted(self.root.glob(pattern)))

    def has(self, program: str) -> bool:
        """Whether a program is on the search path."""
        return shutil.which(program, path=self.search_path) is not None

    def writable(self, name: str) -> bool:
        """Whether this user may write a file."""
        return os.access(self.root / name, os.W_OK)
