# SPDX-License-Identifier: GPL-2.0-only
"""The real guest program: where it reads the clock, and who asks for it."""

import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.error import EnvironmentMissing
from zapbench.explain import program
from zapbench.explain.windows import CALLERS
from zapbench.target import guest_path


def test_functions_of_the_guest_program() -> None:
    found = program.read(guest_path())
    assert 0 < len(found.clock) < 256
    assert found.name(found.clock.start) == found.name(found.clock.stop - 1) == program.CLOCK
    assert found.name(0) == "?"


def test_who_reads_the_clock_is_there() -> None:
    """But for what a compiler may put into its caller."""
    names = set(program.read(guest_path()).names)
    assert {name for name in CALLERS if name not in names} <= {"handle"}


def test_a_program_without_symbols_is_one_line(
    tmp_path: Path, require: Callable[[object, str], None]
) -> None:
    require(shutil.which("strip"), "strip is not installed")
    stripped = tmp_path / "guest"
    subprocess.run(["strip", "-o", str(stripped), str(guest_path())], check=True)
    with pytest.raises(EnvironmentMissing, match="has no symbols: install zapbench without"):
        program.read(stripped)


@pytest.mark.parametrize("size", [0, 5, 60, 100, 5000])
def test_half_a_program_is_one_line(tmp_path: Path, size: int) -> None:
    (tmp_path / "guest").write_bytes(guest_path().read_bytes()[:size])
    with pytest.raises(EnvironmentMissing, match="has no symbols"):
        program.read(tmp_path / "guest")
