# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures for reports."""

from pathlib import Path

import pytest
from made_report import sample


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return sample(tmp_path)
