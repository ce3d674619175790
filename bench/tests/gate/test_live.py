# SPDX-License-Identifier: GPL-2.0-only
"""What a gate measures itself, on machines that are made up."""

import json
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from command import Outcome
from gate_boots import (
    BUDGETS,
    RELATIVE,
    REMAP,
    SIX,
    ZAP,
    Gate,
    Machine,
    Machines,
    MakeResult,
    live,
    slower,
    verdicts,
)

from zapbench.error import Cause, LostVm
from zapbench.gate import live as live_gate
from zapbench.gate import plan
from zapbench.result import store
from zapbench.result.request import Asked, going_on
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


def settled(case: str, boot: int) -> int:
    return (20_000 if "remap" in case else 10_000) + boot % 3


def noisy(*figures: int) -> Callable[[str, int], int]:
    """Zap repeats itself, the boots of remap differ."""
    return lambda case, boot: (
        2 * figures[boot % len(figures)] if "remap" in case else settled(case, boot)
    )


def boots_of(machine: Machine, case: str) -> list[int]:
    return [boot for boot, cases in machine.asked if case in cases]


def test_only_what_is_open_gets_more_boots(gate: Gate, machines: Machines) -> None:
    """+2.6 % on average: too near with three boots, suspected with six, confirmed by six more."""
    steady = noisy(10_000)
    made = machines(steady, noisy(10_230, 10_260, 10_290))
    done = gate("--base", "base", "--kernel", "head", "--format", "json", budgets=RELATIVE_ONLY)
    assert verdicts(done) == {RELATIVE: "WITHIN", (REMAP, "+2 %"): "EXCEEDED"}
    assert done.status == 1
    for machine in made.values():
        assert boots_of(machine, ZAP) == [0, 1, 2]
        assert boots_of(machine, REMAP) == [*range(12)]


def test_a_thin_pass_is_made_firm(gate: Gate, machines: Machines) -> None:
    """All three boots keep the limit, though they differ by more than the distance to it."""
    made = machines(noisy(10_000), noisy(9_700, 10_000, 10_190))
    done = gate("--base", "base", "--kernel", "head", "--format", "json", budgets=RELATIVE_ONLY)
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    assert boots_of(made["head"], REMAP) == [*range(6)]
    assert boots_of(made["head"], ZAP) == [0, 1, 2]


def test_a_case_at_its_limit_does_not_take_boots_for_ever(gate: Gate, machines: Machines) -> None:
    made = machines(
        settled,
        lambda case, boot: round(settled(case, boot) * (1.02 + (boot % 2 - 0.5) / 1000)),
    )
    done = gate("--base", "base", "--kernel", "head", "--format", "json", budgets=RELATIVE_ONLY)
    assert verdicts(done)[RELATIVE] == "OPEN"
    assert done.status == 4
    assert max(boot for boot, _ in made["head"].asked) < 3 << plan.LOOKS


def test_looks_share_their_error_and_say_so(gate: Gate, machines: Machines) -> None:
    machines(settled, settled)
    many = gate("--base", "base", "--kernel", "head", "--format", "json")
    one = live(gate, "--format", "json")
    assert json.loads(one.out)["confidence"] == pytest.approx(0.95)
    assert json.loads(many.out)["confidence"] == pytest.approx(1 - 0.05 / plan.LOOKS)
    assert "| 98.75 % interval |" in gate("--kernel", "head", "--format", "markdown").out


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


class Dying(Machine):
    """One that is lost: at once, or in a case of a boot; ``times`` times."""

    def __init__(
        self, kernel: str, cause: Cause, *, at: str = "", boot: int = 0, times: int = 99
    ) -> None:
        factors = {ZAP: 1, REMAP: 2}
        super().__init__(kernel, lambda case, boot: factors[case] * (10_000 + boot % 3))
        self._cause, self._at, self._boot, self._times = cause, at, boot, times

    def run(self, job: Job) -> Iterator[bytes]:
        for line in super().run(job):
            dies = job.boot == self._boot and self._times > 0
            if dies and (not self._at or (b'"samples"' in line and self._at.encode() in line)):
                self._times -= 1
                raise LostVm("virtual machine lost: it burnt", self._cause)
            yield line


@pytest.mark.parametrize("bisect", [False, True])
def test_a_head_that_does_not_boot_is_a_verdict(
    gate: Gate, machines: Machines, tmp_path: Path, bisect: bool
) -> None:
    made = machines(10_000, 10_000)
    made["head"] = Dying("head", Cause.CRASH)
    more = ["--bisect"] if bisect else []
    done = live(gate, "-o", "v.json", "-o", "v.md", "-o", "v.xml", "-o", "v.mail", *more)
    assert done.status == (125 if bisect else 1)
    for name in ("v.json", "v.md", "v.xml", "v.mail"):
        assert "it burnt" in " ".join((tmp_path / name).read_text().split())
    assert json.loads((tmp_path / "v.json").read_text())["status"] == "FAIL"
    assert "it burnt" in done.out


def test_a_base_that_does_not_boot_is_no_verdict(gate: Gate, machines: Machines) -> None:
    made = machines(10_000, 10_000)
    made["base"] = Dying("base", Cause.CRASH)
    done = live(gate)
    assert "the base, base, cannot be measured: virtual machine lost: it burnt" in done.err
    assert done.status == 2
    assert live(gate, "--bisect").status == 255


def test_a_head_that_dies_in_a_case_fails_that_case(gate: Gate, machines: Machines) -> None:
    made = machines(10_000, 10_000)
    made["head"] = Dying("head", Cause.CRASH, at=REMAP, boot=1, times=1)
    done = live(gate, "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == "BROKEN"
    assert verdicts(done)[RELATIVE] == "WITHIN"
    assert done.status == 1


@pytest.mark.parametrize(("times", "because"), [(1, "WITHIN"), (2, "INCOMPLETE")])
@pytest.mark.parametrize("cause", [Cause.HOST, Cause.SILENCE])
@pytest.mark.parametrize("name", ["base", "head"])
def test_what_the_host_lost_is_measured_once_more(
    gate: Gate, machines: Machines, name: str, cause: Cause, times: int, because: str
) -> None:
    made = machines(10_000, 10_000)
    made[name] = Dying(name, cause, at=REMAP, boot=1, times=times)
    done = live(gate, "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == because
    assert done.status == (0 if times == 1 else 4)


def test_a_machine_that_the_host_killed_before_its_first_case_is_started_once_more(
    gate: Gate, machines: Machines
) -> None:
    made = machines(10_000, 10_000)
    made["head"] = Dying("head", Cause.HOST, times=1)
    assert live(gate).status == 0
    made["head"] = Dying("head", Cause.HOST)
    assert live(gate, "--results", "again").status == 4


class Stopped(Machine):
    """A machine that Ctrl-C ends before its second boot."""

    def run(self, job: Job) -> Iterator[bytes]:
        if job.boot == 1:
            raise KeyboardInterrupt
        yield from super().run(job)


def test_a_gate_that_is_interrupted_says_how_to_go_on(
    gate: Gate, machines: Machines, capsys: pytest.CaptureFixture[str]
) -> None:
    made = machines(10_000, 10_000)
    figure = made["base"].figure
    made |= {"6.1": Machine("6.1", figure), "6.12": Stopped("6.12", figure)}
    asked = ("--base", "6.1", "--kernel", "6.12", "--boots", "3", "--results", "r")
    done = gate(*asked, budgets=BUDGETS)
    assert done.status == 130
    said = done.err.splitlines()[-1]
    _, _, printed = said.partition("what was measured is kept, go on with: ")
    made["6.12"] = Machine("6.12", figure)
    statuses = [Outcome(capsys, shlex.split(each)[1:]).status for each in printed.split(" && ")]
    assert statuses == [0, 0, 0]


def test_what_a_gate_measures_can_be_gone_on_with(
    gate: Gate, machines: Machines, tmp_path: Path
) -> None:
    machines(10_000, 10_000)
    assert live(gate, "--results", "r", "--seed", "3").status == 0
    asked = going_on(tmp_path / "r" / "head", "run", Asked())
    assert (asked.kernel, asked.accel, asked.boots, asked.seed) == ("head", "icount", 3, 3)
    assert set(asked.globs) == {ZAP, REMAP}
