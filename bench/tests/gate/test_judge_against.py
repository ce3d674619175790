# SPDX-License-Identifier: GPL-2.0-only
"""Budgets against a kernel of their own: recorded, and measured with the others."""

import json
import shlex
from pathlib import Path

import pytest
from command import Outcome
from gate_boots import (
    QUIET,
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
from toy_commits import commits

from zapbench.error import Cause, LostVm, UsageError
from zapbench.gate.commands import halving
from zapbench.target import Job

PIN = "6.12.107"
BUDGETS = f"""\
[[budget]]
cases = "{ZAP}"
limit = "+2 %"
tier = "icount"
reason = "no commit makes it slower"

[[budget]]
cases = "{ZAP}"
limit = "+3 %"
against = "{PIN}"
reason = "nor do all of them together"
"""
URLS = ("git:https://host/linux@v1", "git:https://host/linux@v2")
STEP, SINCE = (ZAP, "+2 %"), (ZAP, "+3 %")


def test_each_budget_is_judged_against_its_own_base(gate: Gate, result: MakeResult) -> None:
    """What no single change shows, a pin does."""
    pin = result("pin", SIX, PIN)
    base, head = (result(name, slower(SIX, f)) for name, f in (("base", 1.04), ("head", 1.05)))
    done = gate(base, head, "--pin", pin, "--json", budgets=BUDGETS)
    assert done.status == 1
    assert verdicts(done) == {STEP: "WITHIN", SINCE: "EXCEEDED"}
    data = json.loads(done.out)
    assert (data["base"], data["pins"]) == ("base", [PIN])
    step, since = data["checks"]
    assert (step["against"], since["against"]) == (None, PIN)
    assert since["change"] == pytest.approx(1.05, rel=1e-3)
    assert step["change"] == pytest.approx(1.05 / 1.04, rel=1e-3)
    assert f"--kernel {PIN}" in data["reproduce"][1]
    assert data["reproduce"][-1].endswith(f" --pin {pin}-2")
    assert (
        f"head against base and {PIN} (icount)"
        in gate(base, head, "--pin", pin, budgets=BUDGETS).out
    )


def test_without_the_pin_s_results_it_is_said(gate: Gate, result: MakeResult) -> None:
    base, head = result("base", SIX), result("head", SIX)
    done = gate(base, head, budgets=BUDGETS)
    assert done.status == 0
    assert f"is against {PIN}: give its results with --pin" in done.out
    only = "[[budget]]" + BUDGETS.rpartition("[[budget]]")[2]
    assert "give its results with --pin" in gate(base, head, budgets=only).line
    assert gate(head, "--pin", result("pin", SIX, PIN), budgets=only).status == 0
    assert "which no budget is against" in gate(base, head, "--pin", base, budgets=BUDGETS).line
    assert "give either --kernel" in gate("--kernel", "6.12", "--pin", base, budgets=BUDGETS).line


def test_a_second_result_of_a_pin_is_fresh(gate: Gate, result: MakeResult) -> None:
    cost = slower(QUIET, 1.1)
    first = [result("pin", QUIET, PIN), result("base", cost), result("head", cost)]
    fresh = [
        result(f"{name}-2", boots, kernel, seed=8)
        for name, boots, kernel in (
            ("pin", QUIET, PIN),
            ("base", cost, "base"),
            ("head", cost, "head"),
        )
    ]
    done = gate(*first[1:], "--pin", first[0], "--json", budgets=BUDGETS)
    assert verdicts(done)[SINCE] == "UNCONFIRMED"
    both = ["--pin", first[0], "--pin", fresh[0], "--confirm", *fresh[1:]]
    done = gate(*first[1:], *both, "--json", budgets=BUDGETS)
    assert verdicts(done)[SINCE] == "EXCEEDED"
    third = ["--pin", result("pin-3", QUIET, PIN, seed=9)]
    assert "more than twice" in gate(*first[1:], *both, *third, budgets=BUDGETS).line


def test_the_command_that_confirms_has_the_pin(gate: Gate, result: MakeResult) -> None:
    made = {PIN: QUIET, "head": slower(QUIET, 1.1)}
    pin, head = (result(kernel, boots) for kernel, boots in made.items())
    only = "[[budget]]" + BUDGETS.rpartition("[[budget]]")[2]
    (check,) = json.loads(gate(head, "--pin", pin, "--json", budgets=only).out)["checks"]
    assert check["because"] == "UNCONFIRMED"
    *runs, last = check["next"].partition(": ")[2].split(" && ")
    for run in map(shlex.split, runs):
        kernel, seed, place = (run[run.index(name) + 1] for name in ("--kernel", "--seed", "-o"))
        result(Path(place).name, made[kernel], kernel, seed=int(seed))
    done = gate(*shlex.split(last)[4:], "--json", budgets=only)
    assert verdicts(done)[SINCE] == "EXCEEDED"


def test_what_the_pin_cannot_be_compared_with_is_refused(gate: Gate, result: MakeResult) -> None:
    pin = result("pin", SIX, PIN, cmdline="nosmt")
    done = gate(result("base", SIX), result("head", SIX), "--pin", pin, budgets=BUDGETS)
    assert done.status == 2
    assert "were not measured alike" in done.line


def test_a_gate_measures_the_pin_too(gate: Gate, machines: Machines, tmp_path: Path) -> None:
    made = machines(10_300, 10_400)
    made[PIN] = Machine(PIN, lambda case, boot: 10_000 + boot % 3)
    done = live(gate, "--results", "r", "--json", budgets=BUDGETS)
    assert done.status == 1
    assert verdicts(done) == {STEP: "WITHIN", SINCE: "EXCEEDED"}
    assert {each.name for each in (tmp_path / "r").iterdir()} == {"base", "pin-1", "head"}
    assert made[PIN].asked == made["head"].asked == [(boot, [ZAP]) for boot in range(6)]
    again = gate("r/base", "r/head", "--pin", "r/pin-1", "--json", budgets=BUDGETS)
    assert verdicts(again) == verdicts(done)


def test_a_pin_of_another_tier_s_budget_is_not_measured(gate: Gate, machines: Machines) -> None:
    machines(10_000, 10_000)  # there is no machine for it
    assert live(gate, budgets=f'{BUDGETS}tier = "kvm"\n').status == 0


class Dead(Machine):
    def run(self, job: Job) -> list[bytes]:  # type: ignore[override]
        raise LostVm("virtual machine lost: it burnt", Cause.CRASH)


def test_a_pin_that_does_not_boot_is_no_verdict(gate: Gate, machines: Machines) -> None:
    machines(10_000, 10_000)[PIN] = Dead(PIN, lambda case, boot: 1)
    done = live(gate, budgets=BUDGETS)
    assert done.status == 2
    assert f"the pin, {PIN}, cannot be measured: virtual machine lost: it burnt" in done.err


@pytest.mark.parametrize("limit", ["900 ns", "0.5 x zap/remap"])
def test_against_is_for_limits_that_need_a_base(gate: Gate, limit: str) -> None:
    done = gate("nowhere", budgets=BUDGETS.replace("+3 %", limit))
    assert "against is for limits relative to a base" in done.line
    assert "(at line 10, column 1)" in done.line
    empty = BUDGETS.replace(f'"{PIN}"', '" "')
    assert "against is empty" in gate("nowhere", budgets=empty).line


@pytest.mark.parametrize(
    ("good", "bad", "commands"),
    [
        (
            "6.12.107",
            "6.12.117+madv-zap",
            [
                "zapbench kernel history -o .asv/linux --kernels '6.12.*'",
                f"zapbench kernel bisect v6.12.107 v6.12.117+madv-zap {REMAP} --repo .asv/linux",
            ],
        ),
        (
            "6.12.107",
            "git:/src/linux@topic",
            [f"zapbench kernel bisect v6.12.107 topic {REMAP} --repo /src/linux"],
        ),
        (
            "git:/src/linux@v6.12.107",
            "git:/src/linux@v6.12.117",
            [f"zapbench kernel bisect v6.12.107 v6.12.117 {REMAP} --repo /src/linux"],
        ),
    ],
)
def test_the_command_that_halves_the_range(good: str, bad: str, commands: list[str]) -> None:
    line = " && ".join(commands)
    assert halving(good, bad, REMAP, "icount") == line
    assert halving(good, bad, REMAP, "kvm") == f"{line} --accel kvm"


def test_what_cannot_be_bisected_has_no_such_command() -> None:
    for good, bad in (
        ("git:/a@x", "git:/b@y"),
        ("image", "6.12"),
        ("6.12", "6.12?boot=nosmt"),
        URLS,
    ):
        with pytest.raises(UsageError):
            halving(good, bad, REMAP, "icount")


def test_that_command_works_as_it_is_printed(
    tmp_path: Path, booted: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    linux = tmp_path / "linux"
    made = commits(linux, ["COST=100000", "COST=100000 1", "COST=102000", "COST=102000 3"])
    good, bad = (f"git:{linux}@{commit}" for commit in ("main~3", "main"))
    program, *words = shlex.split(halving(good, bad, ZAP, "icount"))
    assert program == "zapbench"
    done = Outcome(capsys, words)
    assert done.status == 0, done.err
    assert made[2][:12] in done.out
