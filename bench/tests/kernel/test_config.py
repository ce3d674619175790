# SPDX-License-Identifier: GPL-2.0-only
"""Configurations: what survives, and what is none."""

from pathlib import Path

import pytest
from places import ROOT
from toy_build import line_of

from zapbench.error import BuildFailed, UsageError
from zapbench.kernel import config

pytestmark = pytest.mark.usefixtures("toy")


def test_a_symbol_that_does_not_survive_is_named() -> None:
    line = line_of(BuildFailed, "1.2", configuration="wrong")
    assert "did not keep CONFIG_NONE=y" in line


def test_configurations_that_are_none(toy: Path, tmp_path: Path) -> None:
    assert "no config 'colour'" in line_of(UsageError, "1.2", configuration="colour")
    path = tmp_path / "odd.config"
    path.write_text("CONFIG_MMU=y\nMMU=y\n")
    assert "odd.config:2: 'MMU=y' is no CONFIG_" in line_of(
        UsageError, "1.2", configuration=str(path)
    )
    path.write_bytes(b"\xff\xfe")
    assert "cannot read kernel config" in line_of(UsageError, "1.2", configuration=str(path))


def test_every_symbol_of_the_project_has_a_reason() -> None:
    fragments = ROOT / "kernel/config"
    for path in fragments.glob("*.config"):
        reasoned = False
        for line in path.read_text().splitlines():
            symbol = line.startswith("CONFIG_") or line.endswith("is not set")
            assert not symbol or reasoned, f"{path.name}: {line} has no comment before it"
            reasoned = bool(line.strip())
        assert config.read(path)
