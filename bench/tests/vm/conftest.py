# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures for virtual machines."""

import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from limits import seconds, until
from scripted_qemu import SCRIPT, running_programs

from zapbench.vm import Timeouts, VmTarget, machine


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., VmTarget]]:
    """``scripted(body, …)``: a target whose QEMU runs these lines of shell."""
    directory = tmp_path / "bin"
    directory.mkdir()
    image = tmp_path / "bzImage"
    image.write_bytes(bytes(510) + b"\x55\xaa\0\0HdrS")
    guest = tmp_path / "guest"
    guest.write_bytes(b"guest")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(machine, "LEAVE_SECONDS", 0.5)

    def make(
        body: str, accel: str = "tcg", timeouts: Timeouts | None = None, words: str = ""
    ) -> VmTarget:
        program = directory / "qemu-system-x86_64"
        program.write_text(SCRIPT.format(body=body))
        program.chmod(0o755)
        timeouts = timeouts or Timeouts(first=seconds(30), silence=seconds(30))
        return VmTarget(f"{image}{words}", accel, guest=guest, timeouts=timeouts)

    yield make
    until(lambda: str(directory) not in running_programs(), "no script is left")
