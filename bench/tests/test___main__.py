# SPDX-License-Identifier: GPL-2.0-only
"""The program from its first moment to its last."""

import subprocess
import sys

import pytest
from limits import seconds

INTERRUPT = """\
import os, signal, sys
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Finder())
sys.argv = ["zapbench", "list", "zap/dontneed/shmem/4k/4k"]
from zapbench.__main__ import main
main()
"""


@pytest.mark.parametrize("module", ["zapbench.cli", "click", "zapbench.cli.list", "rich.table"])
def test_an_interrupt_while_it_starts_is_no_traceback(module: str) -> None:
    command = [sys.executable, "-c", INTERRUPT.format(module=module)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds(60))
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip() in {"", "zapbench: interrupted"}
    assert done.stdout == ""
