# SPDX-License-Identifier: GPL-2.0-only
"""What counts as evidence: which boots are first, which confirm, and which may be compared."""

import json
import re
from pathlib import Path
from typing import Any

import pytest
from gate_boots import (
    BUDGETS,
    OLD,
    QUIET,
    RELATIVE,
    REMAP,
    SIX,
    Gate,
    MakeResult,
    slower,
    verdicts,
)

from zapbench.gate import noise
from zapbench.gate.calibrate import calibration
from zapbench.gate.evidence import rounds
from zapbench.result.store import Results


def test_a_second_pair_confirms(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    later = (10_004, 9_998, 10_001)
    slow = (
        result("base2", later, "base", seed=8),
        result("head2", slower(later, 1.1), "head", seed=8),
    )
    assert gate(*first, "--confirm", *slow).status == 1
    fine = (
        result("base3", QUIET[::-1], "base", seed=9),
        result("head3", QUIET[::-1], "head", seed=9),
    )
    done = gate(*first, "--confirm", *fine, "--format", "json")
    assert done.status == 4
    assert verdicts(done)[RELATIVE] == "NOT_AGAIN"


def test_the_first_boots_cannot_confirm_themselves(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    done = gate(*first, "--confirm", *first)
    assert done.status == 2
    assert "holds the same boots" in done.line


def test_boots_made_again_with_the_seed_of_before_are_refused(
    gate: Gate, result: MakeResult
) -> None:
    """They count the same instructions: nothing new is seen."""
    slow = slower(QUIET, 1.1)
    first = result("base", QUIET), result("head", slow)
    started = {"start": "2026-01-02T00:00:00.000000000Z"}
    again = result("base2", QUIET, "base", seed=8), result("head2", slow, "head", **started)
    done = gate(*first, "--confirm", *again)
    assert done.status == 2
    assert "head2 has seed 7, as " in done.line
    assert "measure base and head again with another --seed" in done.line


def test_another_build_under_the_name_cannot_confirm(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", QUIET)
    other = (
        result("base2", QUIET, "base", seed=8),
        result("head2", QUIET, "head", seed=8, image="rebuilt"),
    )
    assert "head2 cannot confirm" in gate(*first, "--confirm", *other).line
    assert "build id rebuilt, not image-head" in gate(*first, "--confirm", *other).line


def test_first_and_fresh_boots_are_measured_alike(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", QUIET)
    fresh = [result(f"{name}2", QUIET, name, seed=8, max_seconds=9.0) for name in ("base", "head")]
    done = gate(*first, "--confirm", *fresh)
    assert re.search(r"between .*base and .*base2: seconds a case \(0.5 / 9\)", done.line)
    assert "seed" not in done.line.partition(";")[0]
    assert gate(*first, "--confirm", *fresh, "--force").status == 0


@pytest.mark.parametrize("old", ["base", "head"])
def test_boots_that_do_not_say_when_they_began_are_judged_and_confirm_nothing(
    gate: Gate, result: MakeResult, old: str
) -> None:
    sides = [
        result(name, figures, **(OLD if name == old else {}))
        for name, figures in (("base", SIX), ("head", slower(SIX, 1.1)))
    ]
    done = gate(*sides, "--format", "json")
    assert verdicts(done)[RELATIVE] == "UNTOLD"
    assert done.status == 4
    (warning,) = json.loads(done.out)["warnings"]
    assert warning == (
        f"unknown, taken to be alike: {sides[old == 'head']} does not say when its boots began, "
        "samples, QEMU and memory, mTHP state"
    )
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == RELATIVE)
    assert "measure anew, so that the records say it: zapbench run" in check["next"]


def test_boots_of_which_one_is_a_copy_are_refused(gate: Gate, result: MakeResult) -> None:
    """Counted twice it would narrow the interval, as if more had been seen."""
    copied = {"start": "2026-01-02T00:00:00.000000000Z"}
    done = gate(result("base", QUIET), result("head", QUIET, **copied))
    assert "head: boot 1 is a copy of boot 0, both began at 2026-01-02T" in done.line
    assert done.status == 2


def test_boots_of_another_kernel_cannot_confirm(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    other = result("base2", QUIET, "other"), result("head2", QUIET, "head")
    assert "cannot confirm" in gate(*first, "--confirm", *other).line


def test_which_boots_confirm_is_fixed_beforehand() -> None:
    seven = {boot: boot / 10 for boot in range(7)}
    halves = rounds(seven, {}, hold_back=True)
    assert (list(halves.first), list(halves.again)) == ([0, 1, 2, 3], [4, 5, 6])
    assert rounds(seven, {}, hold_back=False).again == {}
    five = {boot: seven[boot] for boot in range(5)}
    assert rounds(five, {}, hold_back=True).again == {}
    both = rounds(five, {0: 0.9, 1: 0.8}, hold_back=True)
    assert (both.first, both.again) == (five, {0: 0.9, 1: 0.8})
    assert list(both.whole.values()) == [*five.values(), 0.9, 0.8]


def test_what_base_and_head_have_in_common_cancels(gate: Gate, result: MakeResult) -> None:
    """Boots that differ by a third, on both sides by the same: +1.9 % and no more."""
    base = (9_000, 12_000, 10_000)
    done = gate(result("base", base), result("head", slower(base, 1.019)), "--format", "json")
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == RELATIVE)
    assert check["because"] == "WITHIN"
    assert check["low"] == pytest.approx(1.019, rel=1e-3)
    assert check["high"] == pytest.approx(1.019, rel=1e-3)


@pytest.mark.parametrize(
    ("base", "head"), [(QUIET, QUIET + slower(QUIET, 1.5)), (SIX, QUIET), (SIX, SIX[:5])]
)
def test_with_boots_that_only_one_side_has_nothing_passes(
    gate: Gate, result: MakeResult, base: tuple[int, ...], head: tuple[int, ...]
) -> None:
    done = gate(result("base", base), result("head", head), "--format", "json")
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == RELATIVE)
    assert (check["because"], check["boots"]) == ("INCOMPLETE", min(len(base), len(head)))
    assert "only one side has it" in check["why"]
    assert done.status == 4


@pytest.mark.parametrize(
    ("fresh", "because"),
    [
        ({"died": range(6)}, "CUT"),
        ({"fewer": [REMAP]}, "INCOMPLETE"),
        ({"lost": [REMAP]}, "BROKEN"),
        ({"without": [REMAP]}, "INCOMPLETE"),
    ],
)
def test_what_the_head_lost_in_fresh_boots_is_lost(
    gate: Gate, result: MakeResult, fresh: dict[str, Any], because: str
) -> None:
    first = result("base", SIX), result("head", SIX)
    again = result("base2", SIX, "base", seed=8), result("head2", SIX, "head", seed=8, **fresh)
    done = gate(*first, "--confirm", *again, "--format", "json")
    assert verdicts(done)[REMAP, "+2 %"] == because


def test_fresh_boots_may_be_of_fewer_cases(gate: Gate, result: MakeResult) -> None:
    fewer = {"seed": 8, "without": [REMAP]}
    first = result("base", SIX), result("head", SIX)
    again = result("base2", SIX, "base", **fewer), result("head2", SIX, "head", **fewer)
    budgets = BUDGETS.partition("\n\n")[0]
    done = gate(*first, "--confirm", *again, "--format", "json", budgets=budgets)
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    assert done.status == 0


def test_what_only_fresh_boots_exceed_is_said_so(gate: Gate, result: MakeResult) -> None:
    """Of one budget no other has a share in it."""
    first = result("base", SIX), result("head", SIX)
    slow = slower(SIX, 1.5)
    again = result("base2", SIX, "base", seed=8), result("head2", slow, "head", seed=8)
    done = gate(*first, "--confirm", *again, "--format", "json")
    assert verdicts(done)[RELATIVE] == "LATER"


def test_fresh_boots_are_of_both_sides(gate: Gate, result: MakeResult) -> None:
    pins = [result(f"pin{seed}", SIX, "6.12.1", seed=seed) for seed in (7, 8)]
    budgets = BUDGETS.partition("\n\n")[0] + '\nagainst = "6.12.1"\n'
    done = gate(
        result("head", SIX), *(word for pin in pins for word in ("--pin", pin)), budgets=budgets
    )
    assert "there are none of head: give both" in done.line
    assert done.status == 2


FIVE = (RELATIVE[0], "+5 %")


def test_one_slow_boot_is_named_and_nothing_passes(gate: Gate, result: MakeResult) -> None:
    """Of 40 boots one is 50 % slower: the mean is 1 % above, its interval below 3.2 %."""
    forty = QUIET * 13 + QUIET[:1]
    head = forty[:7] + slower(forty[7:8], 1.5) + forty[8:]
    budgets = BUDGETS.replace("+2 %", FIVE[1])
    done = gate(result("base", forty), result("head", head), "--format", "json", budgets=budgets)
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == FIVE)
    assert check["because"] == "SPLIT"
    assert check["high"] < 1.05
    assert "boot 7 of 40, up to +48.5 % from the mean" in check["why"]
    assert done.status == 4


def test_a_ratio_is_taken_boot_by_boot(gate: Gate, result: MakeResult) -> None:
    """Boots that are all dear or all cheap: the ratio to remap does not move."""
    done = gate(result("head", (5000, 10_000, 20_000)), "--format", "json")
    (check,) = (c for c in json.loads(done.out)["checks"] if c["limit"].startswith("0.5"))
    assert check["change"] == pytest.approx(0.5)
    assert check["high"] == pytest.approx(0.5, rel=1e-3)


def test_different_machines_may_be_compared_by_force_and_are_labelled(
    gate: Gate, result: MakeResult
) -> None:
    sides = result("base", QUIET), result("head", QUIET, cpu="slow")
    for form in ("text", "markdown", "mail", "junit", "ktap", "json"):
        done = gate(*sides, "--force", "--format", form)
        assert done.status == 0
        assert "forced: measured differently: CPU (none / slow)" in " ".join(done.out.split())


@pytest.fixture
def calibrated(state: Path, result: MakeResult) -> None:
    """A machine whose processes differ by a thousandth."""
    assert not state.exists()
    noise.save(calibration(Results(result("calibration", SIX, tier="native"))))


@pytest.mark.usefixtures("calibrated")
@pytest.mark.parametrize(
    ("fields", "image", "because"),
    [
        ({"boot_id": "one"}, None, "ONE_BOOT"),
        ({"boot_id": None}, None, "ONE_BOOT"),
        ({"boot_id": "one"}, "same", "WITHIN"),
        ({}, None, "WITHIN"),  # each process in a boot of its own
    ],
)
def test_processes_of_one_boot_do_not_replicate_a_kernel(
    gate: Gate, result: MakeResult, fields: dict[str, object], image: str | None, because: str
) -> None:
    base, head = (
        result(name, SIX, tier="native", image=image, **fields) for name in ("base", "head")
    )
    done = gate(base, head, "--format", "json")
    (check,) = (c for c in json.loads(done.out)["checks"] if (c["case"], c["limit"]) == RELATIVE)
    assert check["because"] == because
    if because == "ONE_BOOT":
        assert "zapbench campaign start" in check["next"]
        assert done.status == 4
