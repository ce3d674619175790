# SPDX-License-Identifier: GPL-2.0-only
"""Commands that need root, as the user who reads them can type them."""

import os
import shlex
import shutil
import sys
from pathlib import Path

SECURE_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where sudo looks for programs, whatever the caller's PATH: sudoers(5), as Debian sets it."""


def as_root(command: str) -> str:
    """A command line, by sudo but for root; its program by its path where sudo finds none."""
    if os.geteuid() == 0:
        return command
    program, *words = command.split(" ")
    if shutil.which(program, path=SECURE_PATH) is None and (found := _found(program)):
        program = shlex.quote(found)
    return " ".join(["sudo", program, *words])


def _found(program: str) -> str | None:
    own = Path(sys.executable).with_name(program)  # as of `python -m zapbench`
    return shutil.which(program) or (str(own) if own.is_file() else None)


def write_as_root(value: str, *files: str) -> str:
    """A command line that writes a value into files; a file may be a shell's pattern."""
    return f"echo {value} | {as_root(' '.join(['tee', *files]))}"
