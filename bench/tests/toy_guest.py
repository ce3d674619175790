# SPDX-License-Identifier: GPL-2.0-only
"""A program in place of the C program."""

import sys
from pathlib import Path
from typing import Any

from zapbench.target import Job

CASES = ("empty/-/anon/4k/4k", "zap/dontneed/shmem/4k/64k")


def program(tmp_path: Path, body: str) -> Path:
    """An executable in place of the C program; `line(...)` writes a record."""
    path = tmp_path / "guest"
    path.write_text(
        # no interpreter in "#!": its path may hold a space
        f'#!/bin/sh\n"exec" "{sys.executable}" "$0" "$@"\n'
        "import os, signal, sys, time\n"
        f"sys.path[:0] = {sys.path!r}\n"
        "import synthetic\n"
        "from zapbench.record import encode\n"
        "run = synthetic.run_of(int(sys.argv[sys.argv.index('--boot') + 1]))\n"
        "def line(record):\n"
        "    sys.stdout.buffer.write(encode(record)); sys.stdout.buffer.flush()\n"
        "line(synthetic.context(run))\n" + body
    )
    path.chmod(0o755)
    return path


def job(*cases: str, **fields: object) -> Job:
    known: dict[str, Any] = {"kernel": "k", "tier": "native", "samples": 5, "max_seconds": 0.01}
    return Job(cases or CASES, **(known | fields))
