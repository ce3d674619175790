# SPDX-License-Identifier: GPL-2.0-only
"""Output that goes nowhere."""

import subprocess
import sys

from command import start
from limits import seconds


def test_output_that_cannot_be_written_is_one_line() -> None:
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "zapbench", "doctor"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=seconds(60),
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr == (
        "zapbench: cannot write the output: No space left on device; make room and try again\n"
    )


def test_a_reader_that_goes_away_is_no_error_message() -> None:
    process = start("list", "--quick", "zap/mprotect/*")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    assert process.wait(timeout=seconds(120)) == 141
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()
