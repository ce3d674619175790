# SPDX-License-Identifier: GPL-2.0-only
"""What counts as evidence: which boots are first, which confirm, and which may be compared."""

import json
from typing import Any

import pytest
from gate_boots import QUIET, RELATIVE, Gate, MakeResult, slower, verdicts

from zapbench.gate.evidence import rounds


def test_a_second_pair_confirms(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    later = (10_004, 9_998, 10_001)
    other: dict[str, Any] = {"context": {"seed": 8}}
    slow = (
        result("base2", later, "base", **other),
        result("head2", slower(later, 1.1), "head", **other),
    )
    assert gate(*first, "--confirm", *slow).status == 1
    fine = (
        result("base3", QUIET[::-1], "base", **other),
        result("head3", QUIET[::-1], "head", **other),
    )
    done = gate(*first, "--confirm", *fine, "--format", "json")
    assert done.status == 4
    assert verdicts(done)[RELATIVE] == "NOT_AGAIN"


def test_the_first_boots_cannot_confirm_themselves(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    done = gate(*first, "--confirm", *first)
    assert done.status == 2
    assert "holds the same boots" in done.line


def test_boots_made_again_with_the_seed_of_before_cannot_confirm(
    gate: Gate, result: MakeResult
) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    again = result("base2", QUIET[::-1], "base"), result("head2", slower(QUIET[::-1], 1.1), "head")
    done = gate(*first, "--confirm", *again)
    assert done.status == 2
    assert "boot 0 of seed 7" in done.line


def test_boots_of_another_kernel_cannot_confirm(gate: Gate, result: MakeResult) -> None:
    first = result("base", QUIET), result("head", slower(QUIET, 1.1))
    other = result("base2", QUIET, "other"), result("head2", QUIET, "head")
    assert "cannot confirm" in gate(*first, "--confirm", *other).line


def test_which_boots_confirm_is_fixed_beforehand() -> None:
    assert rounds([1, 2, 3, 4, 5, 6, 7], [], split=True).first == [1, 2, 3, 4]
    assert rounds([1, 2, 3, 4, 5, 6, 7], [], split=True).again == [5, 6, 7]
    assert rounds([1, 2, 3], [], split=False).again == []
    assert rounds([1, 2, 3], [4, 5], split=False).whole == [1, 2, 3, 4, 5]


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
