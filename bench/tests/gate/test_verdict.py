# SPDX-License-Identifier: GPL-2.0-only
"""The table of verdicts, with values computed by hand, and what must hold for all figures.

With two boots at m ± d (logarithms), the variance is 2 d² and the standard error d, on one
degree of freedom; t(0.975; 1) = 12.7062.  The upper end of the interval is the dearer boot: the
cheaper one, raised to it, leaves no spread.
"""

import math
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from looks import REACH, T1, D, pair

from zapbench.gate.estimate import ALPHA, Estimate
from zapbench.gate.verdict import (
    Because,
    Claim,
    Look,
    Verdict,
    boots_to_decide,
    rule,
)
from zapbench.result.welch import Spread, student_quantile


def look(effect: float, floor: float = 0.0, d: float = D) -> Look:
    return Look(Estimate(pair(effect, d)), floor)


def claim(
    limit: float,
    effect: float,
    *,
    again: float | None = None,
    floor: float = 0.0,
) -> Claim:
    first = look(effect, floor)
    return Claim(limit, first, first, None if again is None else look(again, floor))


def only(one: Claim) -> tuple[Verdict, Because]:
    (ruling,) = rule([one])
    return ruling.verdict, ruling.because


TABLE = [
    # limit, effect, effect in fresh boots, noise floor -> verdict, because
    (0.02, 0.02 - D - 1e-6, None, 0.0, Verdict.PASS, Because.WITHIN),
    (0.02, 0.02 - D + 1e-6, None, 0.0, Verdict.INCONCLUSIVE, Because.OPEN),
    (0.02, 0.02 + REACH - 1e-6, 0.1, 0.0, Verdict.INCONCLUSIVE, Because.OPEN),
    (0.02, 0.02 + REACH + 1e-6, None, 0.0, Verdict.INCONCLUSIVE, Because.UNCONFIRMED),
    (0.02, 0.02 + REACH + 1e-6, 0.02 + REACH + 1e-6, 0.0, Verdict.FAIL, Because.EXCEEDED),
    (0.02, 0.02 + REACH + 1e-6, 0.02 + REACH - 1e-6, 0.0, Verdict.INCONCLUSIVE, Because.NOT_AGAIN),
    (0.02, 0.04, 0.04, 0.0199, Verdict.FAIL, Because.EXCEEDED),
    (0.02, 0.04, 0.04, 0.0201, Verdict.INCONCLUSIVE, Because.UNDER_FLOOR),
    (0.02, 0.04, 0.0395, 0.0197, Verdict.INCONCLUSIVE, Because.NOT_AGAIN),
    (0.0, 0.0, None, 0.0, Verdict.INCONCLUSIVE, Because.OPEN),
    (-0.1, -0.12, None, 0.0, Verdict.PASS, Because.WITHIN),
    (-0.1, -0.05, -0.05, 0.0, Verdict.FAIL, Because.EXCEEDED),
]


@pytest.mark.parametrize(("limit", "effect", "again", "floor", "verdict", "because"), TABLE)
def test_the_table(
    limit: float,
    effect: float,
    again: float | None,
    floor: float,
    verdict: Verdict,
    because: Because,
) -> None:
    assert only(claim(limit, effect, again=again, floor=floor)) == (verdict, because)


def test_boots_of_which_nobody_knows_whether_they_are_fresh_confirm_nothing() -> None:
    sure = claim(0.0, 0.5, again=0.5)
    assert only(replace(sure, told=False)) == (Verdict.INCONCLUSIVE, Because.UNTOLD)
    unsure = claim(0.0, 0.5, again=0.0)
    assert only(replace(unsure, told=False)) == (Verdict.INCONCLUSIVE, Because.NOT_AGAIN)
    fine = claim(0.0, -0.5)
    assert only(replace(fine, told=False)) == (Verdict.PASS, Because.WITHIN)


def test_how_many_are_tested_counts() -> None:
    alone = rule([claim(0.0, 0.02)])[0].p
    assert alone is not None
    assert rule([claim(0.0, 0.02), claim(0.0, 0.0)])[0].p == pytest.approx(2 * alone)


def test_one_boot_says_nothing() -> None:
    single = Look(Estimate((0.5,)), 0.0)
    assert only(Claim(0.0, single, single, single)) == (
        Verdict.INCONCLUSIVE,
        Because.ONE_BOOT,
    )


def test_among_many_one_is_above_its_limit_by_chance() -> None:
    """p = 0.0125 passes the level alone; as the smallest of three it counts 0.0375."""
    effect = student_quantile(1 - 0.0125, 1) * D
    assert only(claim(0.0, effect, again=effect)) == (Verdict.FAIL, Because.EXCEEDED)
    three = rule([claim(0.0, effect, again=effect), claim(0.0, -1.0), claim(0.0, -1.0)])
    assert three[0].p == pytest.approx(0.0375)
    assert (three[0].verdict, three[0].because) == (Verdict.INCONCLUSIVE, Because.ONE_OF_MANY)
    assert [each.verdict for each in three[1:]] == [Verdict.PASS, Verdict.PASS]


def test_a_machine_that_repeats_itself_decides_at_once() -> None:
    def same(effect: float, limit: float) -> tuple[Verdict, Because]:
        exact = Look(Estimate((effect,) * 3), 0.0005)
        return only(Claim(limit, exact, exact, exact))

    assert same(0.004, 0.005) == (Verdict.PASS, Because.WITHIN)
    assert same(0.005, 0.005) == (Verdict.PASS, Because.WITHIN)
    assert same(0.006, 0.005) == (Verdict.FAIL, Because.EXCEEDED)
    assert same(0.0054, 0.005) == (Verdict.INCONCLUSIVE, Because.UNDER_FLOOR)


def test_boots_that_agree_by_chance_do_not_hide_the_calibrated_spread() -> None:
    """Spread 0.01 from 8 degrees: error 0.01 sqrt(1/3), t(0.975; 8) = 2.306004."""
    estimate = Estimate((0.004,) * 3, Spread(0.01, 8))
    assert estimate.reach == pytest.approx(2.306004 * 0.01 / math.sqrt(3), rel=1e-6)
    quiet = Look(estimate, 0.0)
    assert only(Claim(0.005, quiet, quiet, quiet)) == (Verdict.INCONCLUSIVE, Because.OPEN)


def test_the_wider_of_the_two_spreads_counts() -> None:
    own = Estimate(pair(0.0)).reach
    assert Estimate(pair(0.0), Spread(1e-6, 8)).reach == own


def test_more_boots_by_hand() -> None:
    """Deviation 0.001 sqrt(2), 0.001 away.

    Below: 2 (t(0.975; 22) + t(0.9; 22))² = 2 (2.0739 + 1.3212)² = 23.1, so 24 boots.
    Above: 2 (t(0.975; 27) + t(0.95; 27))² = 2 (2.0518 + 1.7033)² = 28.2, so 29 in each half.
    """
    below, above = Estimate(pair(0.019)), Estimate(pair(0.021))
    assert boots_to_decide(below, 0.02) == 24 - 2
    assert boots_to_decide(above, 0.02) == 2 * 29 - 2
    assert boots_to_decide(Estimate(pair(0.02)), 0.02) is None
    assert boots_to_decide(Estimate(pair(0.0199999)), 0.02) is None
    assert boots_to_decide(Estimate((0.5,)), 0.02) is None


def test_detectable_by_hand() -> None:
    """(t(0.975; 1) + t(0.8; 1)) d; t(0.8; 1) = 1.376382."""
    assert Estimate(pair(0.0)).detectable == pytest.approx((T1 + 1.3763819) * D)


def test_a_boot_beyond_the_limit_does_not_pass_with_the_mean() -> None:
    """Of 40 boots one is 0.05 above: the interval ends below 0.005, and that is no PASS."""
    logs = (0.0,) * 39 + (0.05,)
    slow = Look(Estimate(logs), 0.0)
    assert only(Claim(0.02, slow, slow, None)) == (Verdict.INCONCLUSIVE, Because.SPLIT)
    noisy = Look(Estimate(logs, Spread(0.02, 100)), 0.0)
    assert only(Claim(0.02, noisy, noisy, None)) == (Verdict.PASS, Because.WITHIN)
    allowed = Look(Estimate(logs), 0.03)
    assert only(Claim(0.02, allowed, allowed, None)) == (Verdict.PASS, Because.WITHIN)


RANK = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAIL: 2}
LOGS = st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=6)
NULLS = st.sampled_from([None, Spread(0.0001, 9), Spread(0.01, 4)])
Drawn = tuple[list[float], list[float], float, float, Spread | None, bool]
CASES = st.lists(
    st.tuples(
        LOGS,
        LOGS,
        st.floats(-0.02, 0.05),
        st.sampled_from([0.0, 0.001, 0.01]),
        NULLS,
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def claims_of(cases: list[Drawn], worse: list[float]) -> list[Claim]:
    made = []
    for (logs, later, limit, floor, null, fresh), factor in zip(cases, worse, strict=True):
        shifted = tuple(x + factor for x in logs)
        shifted_again = tuple(x + factor for x in later) if fresh else ()
        whole = Look(Estimate(shifted + shifted_again, null), floor)
        first = Look(Estimate(shifted, null), floor)
        again = Look(Estimate(shifted_again, null), floor) if fresh else None
        made.append(Claim(limit, whole, first, again))
    return made


@settings(max_examples=300)
@given(CASES, st.data())
def test_a_worse_head_never_gets_a_better_verdict(cases: list[Drawn], data: st.DataObject) -> None:
    factors = st.sampled_from([0.0, 1e-4, 0.003, 0.02, 0.3])
    worse = [data.draw(factors) for _ in cases]
    before = rule(claims_of(cases, [0.0] * len(cases)))
    after = rule(claims_of(cases, worse))
    for old, new in zip(before, after, strict=True):
        assert RANK[new.verdict] >= RANK[old.verdict]


@settings(max_examples=500)
@given(CASES, st.data())
def test_one_slower_boot_never_turns_anything_into_a_pass(
    cases: list[Drawn], data: st.DataObject
) -> None:
    """Not of that case, and not of another."""
    before = rule(claims_of(cases, [0.0] * len(cases)))
    which = data.draw(st.integers(0, len(cases) - 1))
    boots = data.draw(st.sampled_from(cases[which][:2]))
    boots[data.draw(st.integers(0, len(boots) - 1))] += data.draw(st.floats(0, 0.5))
    after = rule(claims_of(cases, [0.0] * len(cases)))
    for old, new in zip(before, after, strict=True):
        assert new.verdict is not Verdict.PASS or old.verdict is Verdict.PASS


@settings(max_examples=100)
@given(CASES)
def test_a_fail_is_above_its_limit_and_a_pass_is_not(cases: list[Drawn]) -> None:
    claims = claims_of(cases, [0.0] * len(cases))
    for one, ruling in zip(claims, rule(claims), strict=True):
        if ruling.verdict is Verdict.FAIL:
            assert one.first.floor is not None
            assert one.first.estimate.centre > one.limit + one.first.floor
            assert one.again is not None
            assert one.again.floor is not None
            assert one.again.estimate.centre > one.limit + one.again.floor
            assert ruling.p is not None
            assert ruling.p <= ALPHA
        if ruling.verdict is Verdict.PASS:
            assert one.whole.estimate.high is not None
            assert one.whole.estimate.high <= one.limit + 1e-9
            assert not one.whole.beyond(one.limit)


def test_only_what_the_first_boots_would_fail_is_measured_again() -> None:
    claims = [claim(0.0, 0.5), claim(0.0, 0.0), claim(0.0, -0.5), claim(0.0, 0.5, floor=0.6)]
    assert [ruling.suspected for ruling in rule(claims)] == [True, False, False, False]
