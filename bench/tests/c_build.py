# SPDX-License-Identifier: GPL-2.0-only
"""The C core and its tests, built by meson: as in the package, or under a sanitizer."""

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from limits import seconds
from places import ROOT

SANITIZERS = {"asan": "address,undefined", "tsan": "thread"}
"""Build directories and what they are built with."""


class Outcome(NamedTuple):
    """How a C test ended; its output tells why it was skipped or failed."""

    status: int
    output: str
    seconds: float


def tests() -> dict[str, str]:
    """The suite of each C test, as the table in cbench/tests/meson.build has it."""
    table = (ROOT / "cbench/tests/meson.build").read_text()
    return dict(re.findall(r"^    '(\w+)': '(\w+)',$", table, re.MULTILINE))


def build(name: str) -> Path:
    """The build directory of a sanitizer, or of the package, with everything compiled."""
    if name not in SANITIZERS:
        return ROOT / f"build/cp{sys.version_info.major}{sys.version_info.minor}"
    directory = ROOT / "build" / name
    again = ["--reconfigure"] if (directory / "build.ninja").exists() else []
    _meson("setup", *again, f"-Db_sanitize={SANITIZERS[name]}", str(directory), str(ROOT))
    _meson("compile", "-C", str(directory))
    return directory


def run(directory: Path, *suites: str) -> Mapping[str, Outcome]:
    """Run the C tests of these suites, of all if none is named."""
    chosen = [f"--suite={suite}" for suite in suites]
    log = directory / "meson-logs/testlog.json"
    log.unlink(missing_ok=True)
    factor = f"--timeout-multiplier={seconds(1):.1f}"
    said = _meson("test", "-C", str(directory), factor, *chosen, check=False)
    assert log.exists(), said
    found = {}
    for line in log.read_text().splitlines():
        test = json.loads(line)
        output = (test.get("stdout", "") + test.get("stderr", "")).strip()
        name = test["name"].rpartition(":")[2]
        found[name] = Outcome(test["returncode"], output, test["duration"])
    return found


def _meson(*words: str, check: bool = True) -> str:
    programs = f"{Path(sys.executable).parent}:{os.environ['PATH']}"  # meson and ninja
    done = subprocess.run(
        ["meson", *words],
        check=False,
        capture_output=True,
        text=True,
        env={**os.environ, "PATH": programs},
    )
    assert done.returncode == 0 or not check, done.stdout + done.stderr
    return done.stdout + done.stderr
