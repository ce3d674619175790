# SPDX-License-Identifier: GPL-2.0-only
"""The program from its first moment to its last."""

import subprocess
import sys

import pytest
from limits import seconds

INTERRUPT = """\
import os, signal, sys, time
class Finder:
    def find_spec(self, name, *_):
        if name == {module!r}:
            try:
                os.kill(os.getpid(), signal.SIGINT)
                time.sleep(60)  # until it came
            except KeyboardInterrupt as interrupt:
                raise {error}
sys.meta_path.insert(0, Finder())
sys.argv = ["zapbench", "list", "zap/dontneed/shmem/4k/4k"]
from zapbench.__main__ import main
main()
"""


IN_PYTHON, IN_C = "", "ImportError('initialization failed') from interrupt"
"""What an interrupt becomes: modules made with pybind11 raise an error of their own."""


@pytest.mark.parametrize("error", [IN_PYTHON, IN_C])
@pytest.mark.parametrize("module", ["zapbench.cli", "click", "zapbench.cli.list", "rich.table"])
def test_an_interrupt_while_it_starts_is_no_traceback(module: str, error: str) -> None:
    command = [sys.executable, "-c", INTERRUPT.format(module=module, error=error)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, timeout=seconds(60))
    assert done.returncode == 130, done.stderr
    assert done.stderr.strip() in {"", "zapbench: interrupted"}
    assert done.stdout == ""
