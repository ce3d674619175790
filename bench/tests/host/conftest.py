# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures for settings."""

from pathlib import Path

import pytest
from toy_settings import FILES


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up tree of the files that the kernel would have."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root
