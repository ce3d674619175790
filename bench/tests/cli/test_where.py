# SPDX-License-Identifier: GPL-2.0-only
"""Where cases run."""

from pathlib import Path

import pytest
from command import Command, Replay, run_small

from zapbench.cli import where
from zapbench.uffd import Userfaultfd


def test_refused_userfaultfd_is_one_line_and_leaves_no_directory(
    zapbench: Command, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "probe_userfaultfd", lambda: Userfaultfd(error=1))
    done = run_small(zapbench, "-o", "r")
    assert "userfaultfd is refused (Operation not permitted): run as root" in done.err
    assert done.status == 2
    assert not Path("r").exists()
