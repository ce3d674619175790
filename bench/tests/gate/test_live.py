# SPDX-License-Identifier: GPL-2.0-only
"""What a gate measures itself, on machines that are made up."""

from collections.abc import Callable, Iterator

import pytest
from gate_boots import (
    BUDGETS,
    RELATIVE,
    REMAP,
    SIX,
    ZAP,
    Gate,
    Machines,
    MakeResult,
    live,
    slower,
    verdicts,
)

from zapbench.gate import live as live_gate
from zapbench.result import store
from zapbench.target import Job, Replay

RELATIVE_ONLY = BUDGETS.partition("\n\n")[0]


def test_what_is_suspected_is_measured_again_in_fresh_boots(gate: Gate, machines: Machines) -> None:
    def only_zap(case: str, boot: int) -> int:
        return 20_000 if "remap" in case else 11_000 + boot % 3

    made = machines(10_000, only_zap)
    done = live(gate, "--format", "json", "--results", "r")
    assert done.status == 1
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    both = sorted([ZAP, REMAP])
    for machine in made.values():
        assert machine.asked == [(boot, both) for boot in range(6)]  # remap is a reference
    again = gate("r/base", "r/head", "--format", "json")
    assert verdicts(again) == verdicts(done)


def test_what_nobody_suspects_is_not_measured_again(gate: Gate, machines: Machines) -> None:
    made = machines(10_000, 10_000)
    assert live(gate).status == 0
    assert [boot for boot, _ in made["head"].asked] == [0, 1, 2]


def test_only_the_suspected_case_is_measured_again(gate: Gate, machines: Machines) -> None:
    made = machines(10_000, lambda case, boot: 30_000 if "remap" in case else 10_000 + boot % 3)
    assert live(gate, budgets=RELATIVE_ONLY).status == 1
    assert made["head"].asked[3:] == [(boot, [REMAP]) for boot in (3, 4, 5)]
    assert len(made["head"].rooms) == 1  # on machines of the same size


def test_bad_luck_in_the_first_boots_is_no_failure(gate: Gate, machines: Machines) -> None:
    machines(10_000, lambda case, boot: (11_000 if boot < 3 else 10_000) + boot % 3)
    done = live(gate, "--format", "json", budgets=RELATIVE_ONLY)
    assert verdicts(done)[RELATIVE] == "NOT_AGAIN"
    assert done.status == 4


def test_base_and_head_take_turns(
    gate: Gate, machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = machines(10_000, 10_000)
    order: list[str] = []

    def noted(name: str, run: Callable[[Job], Iterator[bytes]]) -> Callable[[Job], Iterator[bytes]]:
        def noting(job: Job) -> Iterator[bytes]:
            order.append(name)
            return run(job)

        return noting

    for name, machine in made.items():
        monkeypatch.setattr(machine, "run", noted(name, machine.run))
    assert live(gate, "--boots", "4").status == 0
    assert order == ["base", "head", "head", "base", "base", "head", "head", "base"]


def test_a_recording_is_judged_as_if_it_ran_now(
    gate: Gate, result: MakeResult, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`Replay` in place of both machines: the way to try a gate without a kernel."""
    files = {
        "base": result("base", SIX) / store.RECORDS,
        "head": result("head", slower(SIX, 1.1)) / store.RECORDS,
    }
    monkeypatch.setattr(live_gate, "machine", lambda kernel, accel, observer: Replay(files[kernel]))
    done = live(gate, "--format", "json")
    assert verdicts(done)[RELATIVE] == "EXCEEDED"
