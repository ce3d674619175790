# SPDX-License-Identifier: GPL-2.0-only
"""Every format says the same in the same words."""

from gate_boots import BUDGETS, QUIET, SIX, ZAP, Gate, MakeResult, slower


def test_every_format_has_every_verdict(gate: Gate, failing: list[str]) -> None:
    for form in ("text", "markdown", "mail", "junit", "ktap", "json"):
        done = gate(*failing, "--format", form)
        assert done.status == 1
        flat = " ".join(done.out.split())
        assert ZAP in flat
        assert "and again in fresh boots" in flat
        assert "git bisect run sh -c 'zapbench gate --bisect --budgets /" in flat
        assert "does not apply" in flat or "skipped: not supported" in flat


def test_what_so_few_boots_miss_is_said(gate: Gate, result: MakeResult) -> None:
    """0.7^3 is 34 %, 0.7^6 12 %; of what does not pass there is nothing to say."""
    sides = result("base", QUIET), result("head", QUIET)
    for form in ("text", "markdown", "mail"):
        words = " ".join(gate(*sides, "--format", form).out.split())
        assert "Of what slows 30% of the boots, 3 boots see none in 34% of gates." in words
    assert "6 boots see none in 12%" in gate(result("b", SIX), result("h", SIX)).out
    slow = gate(
        result("bs", SIX), result("hs", slower(SIX, 1.1)), budgets=BUDGETS.partition("\n\n")[0]
    )
    assert "see none" not in slow.out
