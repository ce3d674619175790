# SPDX-License-Identifier: GPL-2.0-only
"""Scratch directories: gone with their block, or with the next command after a kill."""

import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from zapbench.host import scratch

HOLDER = """\
from zapbench.host import process
from zapbench.host.scratch import scratch
with scratch("vm") as root:
    (root / "initramfs").write_bytes(b"x")
    print(root, flush=True)
    input()
"""


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The temporary directory of this test and of what it starts."""
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


def test_it_is_gone_with_its_block(place: Path) -> None:
    with scratch.scratch("vm") as root, scratch.scratch("vm") as other:
        assert root != other
        assert [path.parent for path in (root, other)] == [place, place]
        assert root.stat().st_mode & 0o777 == 0o700
        (root / "file").touch()
    assert list(place.iterdir()) == []


def test_the_next_command_sweeps_what_a_kill_left_and_nothing_that_is_in_use(place: Path) -> None:
    command = [sys.executable, "-c", HOLDER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as holder:
        assert holder.stdout is not None
        try:
            root = Path(holder.stdout.readline().decode().strip())
            scratch.sweep()
            assert (root / "initramfs").exists()
        finally:
            holder.kill()
    assert (root / "initramfs").exists()
    with scratch.scratch("vm"):
        assert not root.exists()


def test_what_is_another_s_stays(place: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "precious").touch()
    (place / f"{scratch.PREFIX}vm-link").symlink_to(outside)
    (place / f"{scratch.PREFIX}vm-file").touch()
    (place / "zapbench-of-somebody").mkdir()
    scratch.sweep()
    assert (outside / "precious").exists()
    assert len(list(place.iterdir())) == 4
