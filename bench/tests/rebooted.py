# SPDX-License-Identifier: GPL-2.0-only
"""This machine as if it was booted again: with another boot id, and another release if wanted.

What is started gets a mount namespace in which /proc/sys/kernel/random/boot_id is another file,
and a personality(2) by which uname(2) says 2.6.  All else is what it is: turns of a campaign, the
processes that they start, and their records.
"""

import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from limits import seconds

CASE = "zap/dontneed/shmem/4k/4k"
_MOUNTED = 'mount --bind "$0" /proc/sys/kernel/random/boot_id && exec "$@"'
_OTHER = ("setarch", "--uname-2.6")


class Computer:
    """Boots one of two kernels; ``place`` is where its commands are run, and its boot ids are."""

    def __init__(self, place: Path) -> None:
        self.place = place
        said = subprocess.run([*_OTHER, "uname", "-r"], check=True, capture_output=True, text=True)
        self.kernels = (os.uname().release, said.stdout.strip())
        self.boot(self.kernels[0])

    def boot(self, kernel: str) -> str:
        """Boot it; the boot id that it has now."""
        assert kernel in self.kernels
        self.other = kernel == self.kernels[1]
        self.boot_id = str(uuid.uuid4())
        self._file = self.place / f"boot-id-{self.boot_id}"
        self._file.write_text(f"{self.boot_id}\n")
        return self.boot_id

    def start(self, *words: object, cwd: Path | None = None) -> subprocess.Popen[str]:
        """Begin a command of zapbench's in this boot."""
        mounted = ["unshare", "--mount", "sh", "-c", _MOUNTED, str(self._file)]
        command = [sys.executable, "-m", "zapbench", *map(str, words)]
        return subprocess.Popen(
            [*mounted, *(_OTHER if self.other else ()), *command],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            cwd=cwd or self.place,
        )

    def zapbench(self, *words: object, status: int = 0, cwd: Path | None = None) -> tuple[str, str]:
        """Run a command of zapbench's in this boot; what it wrote, on both streams."""
        process = self.start(*words, cwd=cwd)
        out, err = process.communicate(timeout=seconds(120))
        assert process.returncode == status, out + err
        assert "Traceback" not in err
        return out, err


@pytest.fixture
def computer(tmp_path: Path, userfaultfd: None, require: Callable[[object, str], None]) -> Computer:
    """This one."""
    if os.geteuid() != 0:
        pytest.skip("root alone can mount another boot id")
    require(shutil.which("unshare") and shutil.which("setarch"), "util-linux is not installed")
    return Computer(tmp_path)
