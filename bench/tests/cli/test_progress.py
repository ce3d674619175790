# SPDX-License-Identifier: GPL-2.0-only
"""Progress on a terminal."""

import os
import pty
import subprocess
import sys
from pathlib import Path


def test_a_terminal_gets_a_bar(toy: Path) -> None:
    master, slave = pty.openpty()
    command = [sys.executable, "-m", "zapbench", "kernel", "build", "1.2"]
    env = {**os.environ, "TERM": "xterm"}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=slave, env=env) as child:
        os.close(slave)
        shown = bytearray()
        while True:
            try:
                chunk = os.read(master, 4096)
            except OSError:  # EIO: the last writer has gone
                break
            if not chunk:
                break
            shown += chunk
        assert child.stdout is not None
        image = Path(child.stdout.read().decode().strip())
    os.close(master)
    assert image.is_file()
    assert b"compile" in shown
    assert b"100%" in shown
    assert b"\x1b[" in shown
