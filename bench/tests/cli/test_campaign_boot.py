# SPDX-License-Identifier: GPL-2.0-only
"""A campaign whose machine is a virtual one: each turn boots the kernel that is due."""

import json
import signal
from collections.abc import Callable
from pathlib import Path

import command
import pytest
from command import Command
from limits import seconds, until

from zapbench.campaign.journal import load
from zapbench.error import EnvironmentMissing
from zapbench.record import Context
from zapbench.result.store import Results
from zapbench.vm import VmTarget

BASE, HEAD = "6.12", "6.12+madv-zap"
CASES = ("zap/dontneed/shmem/4k/4k", "zap/remap/shmem/4k/4k")
BUDGETS = '[[budget]]\ncases = "zap/*"\nlimit = "+20 %"\nreason = "as before"\n'
IN_PLACE = "a VM boot in the place of a reboot"


@pytest.mark.kernel
@pytest.mark.timeout(1800)
def test_kernels_are_booted_by_turns_and_the_gate_judges_them(
    zapbench: Command,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    require: Callable[[object, str], None],
) -> None:
    try:
        for name in (BASE, HEAD):
            VmTarget(name, "icount")
    except EnvironmentMissing as error:
        require(False, str(error))
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    words = ("--vm", BASE, HEAD, *CASES, "--quick", "--accel", "icount", "--boots", 2, "-o", "c")
    assert IN_PLACE in zapbench("campaign", "start", *words).out
    campaign = tmp_path / "c"
    with command.start("campaign", "next", "-o", "c", cwd=tmp_path) as killed:
        until(lambda: load(campaign).begun, "the begin of a boot")
        killed.send_signal(signal.SIGKILL)
        killed.communicate(timeout=seconds(60))
    for turn, kernel in enumerate((BASE, HEAD, HEAD, BASE)):
        done = zapbench("campaign", "next", "-o", "c")
        assert done.status == 0, done.err
        assert ("before the machine went down: its" in done.err) == (turn == 0)
        assert f"{kernel} ({IN_PLACE}): 1 process, 2 cases timed" in done.out
    for side, kernel in (("base", BASE), ("head", HEAD)):
        results = Results(campaign / side)
        contexts = results.recording.of(Context)
        assert [each.run.boot for each in contexts] == [0, 1]
        assert {(each.run.kernel, each.run.tier) for each in contexts} == {(kernel, "icount")}
        assert results.recording.truncated is None
    made = load(campaign)
    assert made.vm
    assert len({each.boot_id for each in made.done}) == 4
    assert json.loads(zapbench("campaign", "status", "-o", "c", "--json").out)["complete"]
    (tmp_path / "FILE").write_text(BUDGETS)
    gate = zapbench("campaign", "next", "-o", "c").out.partition("judge them with: zapbench ")[2]
    assert zapbench(*gate.split()).status == 0
