# SPDX-License-Identifier: GPL-2.0-only
"""The default budgets on a kernel that is built and booted."""

from collections.abc import Callable
from pathlib import Path

import pytest
from command import Outcome
from places import ROOT

from zapbench.error import EnvironmentMissing
from zapbench.vm import VmTarget

BUDGETS = ROOT / "bench/budgets.toml"
NAME = "6.12+madv-zap"


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_the_default_budgets_hold(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    require: Callable[[object, str], None],
) -> None:
    try:
        VmTarget(NAME, "icount")
    except EnvironmentMissing as error:
        require(False, str(error))
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    words = ["--budgets", BUDGETS, "--kernel", NAME, "--boots", "3", "--seed", "1"]
    done = Outcome(capsys, ["gate", *words, "--results", tmp_path / "r"])
    assert done.status == 0, done.out
    assert "cycle/madv_zap/shmem/4k/4k: 0.3" in done.out  # of remap: what the README says
