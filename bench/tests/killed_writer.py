# SPDX-License-Identifier: GPL-2.0-only
"""Kill a writer of records before each line of code that it runs, one after the other.

``killed_writer.py TEMPLATE PLACE LINES``: for every such line, a copy of the directory TEMPLATE,
``PLACE/<n>``, is written to as `zapbench run --resume` would, and left as SIGKILL left it.
``PLACE/<n>.told`` has a byte for each line of the file LINES that was flushed before.  The last
copy is of a writer that came to its end.
"""

import itertools
import os
import shutil
import signal
import sys
from pathlib import Path
from types import FrameType
from typing import Any

from zapbench.host import file as host_file
from zapbench.record import Writer
from zapbench.record import file as record_file

TRACED = {host_file.__file__, record_file.__file__}


def write(directory: Path, lines: list[bytes], told: Path) -> None:
    writer = Writer(directory / "records.jsonl.gz")
    with writer, told.open("wb", buffering=0) as said:
        for line in lines:
            writer.write(line)
            writer.flush()
            said.write(b".")


def main() -> None:
    template, place, lines = map(Path, sys.argv[1:])
    for step in itertools.count(1):
        directory = place / str(step)
        shutil.copytree(template, directory)
        child = os.fork()
        if child == 0:
            left = step

            def trace(frame: FrameType, event: str, _argument: object) -> Any:
                nonlocal left
                if frame.f_code.co_filename not in TRACED:
                    return None
                left -= event == "line"
                if left == 0:
                    os.kill(os.getpid(), signal.SIGKILL)
                return trace

            sys.settrace(trace)
            write(directory, lines.read_bytes().splitlines(keepends=True), place / f"{step}.told")
            os._exit(0)
        if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != -signal.SIGKILL:
            return


if __name__ == "__main__":
    main()
