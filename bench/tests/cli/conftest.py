# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures for the commands."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import command
import pytest
from command import SMALL, Command, Outcome

from zapbench import where
from zapbench.host.settings import Outcome as Applied
from zapbench.target import Replay
from zapbench.uffd import Userfaultfd


@pytest.fixture
def zapbench(capsys: pytest.CaptureFixture[str]) -> Command:
    """Run a command in this process."""
    return lambda *arguments: Outcome(capsys, arguments)


@pytest.fixture
def replay(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> command.Replay:
    """Replace the running kernel by a recording, and results/ by a scratch directory."""

    def choose(path: Path = SMALL) -> None:
        monkeypatch.setattr(where, "Native", lambda: Replay(path))
        monkeypatch.setattr(where, "probe_userfaultfd", lambda: Userfaultfd("syscall"))
        monkeypatch.setattr("zapbench.host.settings.applied", nothing_applied)
        monkeypatch.chdir(tmp_path)

    @contextlib.contextmanager
    def nothing_applied(needs: object, **_: object) -> Iterator[Applied]:
        yield Applied()

    choose()
    return choose
