# SPDX-License-Identifier: GPL-2.0-only
"""The table of verdicts, with values computed by hand, and what must hold for all figures.

With two boots a side at m ± d (logarithms), each side has variance 2 d², so the standard error
is sqrt(2 d²/2 + 2 d²/2) = d sqrt(2), on 2 degrees of freedom; t(0.975; 2) = 4.302653.
"""

import math
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from looks import REACH, T2, D, pair

from zapbench.gate.estimate import ALPHA, of_two
from zapbench.gate.verdict import (
    Because,
    Claim,
    Look,
    Verdict,
    boots_to_decide,
    rule,
)
from zapbench.result import stats
from zapbench.result.welch import Spread, student_quantile


def look(effect: float, floor: float = 0.0, d: float = D) -> Look:
    return Look(of_two(*pair(effect, d)), floor)


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
    (0.02, 0.02 - REACH - 1e-6, None, 0.0, Verdict.PASS, Because.WITHIN),
    (0.02, 0.02 - REACH + 1e-6, None, 0.0, Verdict.INCONCLUSIVE, Because.OPEN),
    (0.02, 0.02 + REACH - 1e-6, 0.1, 0.0, Verdict.INCONCLUSIVE, Because.OPEN),
    (0.02, 0.02 + REACH + 1e-6, None, 0.0, Verdict.INCONCLUSIVE, Because.UNCONFIRMED),
    (0.02, 0.02 + REACH + 1e-6, 0.02 + REACH + 1e-6, 0.0, Verdict.FAIL, Because.EXCEEDED),
    (0.02, 0.02 + REACH + 1e-6, 0.02 + REACH - 1e-6, 0.0, Verdict.INCONCLUSIVE, Because.NOT_AGAIN),
    (0.02, 0.03, 0.03, 0.0099, Verdict.FAIL, Because.EXCEEDED),
    (0.02, 0.03, 0.03, 0.0101, Verdict.INCONCLUSIVE, Because.UNDER_FLOOR),
    (0.02, 0.03, 0.0295, 0.0097, Verdict.INCONCLUSIVE, Because.NOT_AGAIN),
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
    alone = rule([claim(0.0, 0.008)])[0].p
    assert alone is not None
    assert rule([claim(0.0, 0.008), claim(0.0, 0.0)])[0].p == pytest.approx(2 * alone)


def test_one_boot_says_nothing() -> None:
    single = Look(of_two([0.0], [0.5]), 0.0)
    assert only(Claim(0.0, single, single, single)) == (
        Verdict.INCONCLUSIVE,
        Because.ONE_BOOT,
    )


MEDIANS = st.lists(st.floats(0.5, 1e6), min_size=2, max_size=6)


@given(MEDIANS, MEDIANS)
@example([532049.5] * 2, [532049.5] * 3)
def test_the_gate_and_a_comparison_make_one_test(base: list[float], head: list[float]) -> None:
    """The same figures, to the last bit: they may not come to disagree."""
    compared = stats.ratio(base, head)
    judged = of_two([math.log(x) for x in base], [math.log(x) for x in head])
    assert judged.reach is not None
    assert judged.detectable is not None
    assert math.exp(judged.centre) == compared.value
    assert math.exp(judged.centre - judged.reach) == compared.low
    assert math.exp(judged.centre + judged.reach) == compared.high
    assert math.expm1(judged.detectable) == compared.detectable
    above = judged.above(0.0)
    assert above is not None
    if judged.centre > 0:
        assert min(1.0, 2 * above) == compared.p


def test_among_many_one_is_above_its_limit_by_chance() -> None:
    """p = 0.0125 passes the level alone; as the smallest of three it counts 0.0375."""
    t = student_quantile(1 - 0.0125, 2)
    effect = t * D * math.sqrt(2)
    assert only(claim(0.0, effect, again=effect)) == (Verdict.FAIL, Because.EXCEEDED)
    three = rule([claim(0.0, effect, again=effect), claim(0.0, -1.0), claim(0.0, -1.0)])
    assert three[0].p == pytest.approx(0.0375)
    assert (three[0].verdict, three[0].because) == (Verdict.INCONCLUSIVE, Because.ONE_OF_MANY)
    assert [each.verdict for each in three[1:]] == [Verdict.PASS, Verdict.PASS]


def test_a_machine_that_repeats_itself_decides_at_once() -> None:
    def same(effect: float, limit: float) -> tuple[Verdict, Because]:
        exact = Look(of_two([0.0] * 3, [effect] * 3), 0.0005)
        return only(Claim(limit, exact, exact, exact))

    assert same(0.004, 0.005) == (Verdict.PASS, Because.WITHIN)
    assert same(0.005, 0.005) == (Verdict.PASS, Because.WITHIN)
    assert same(0.006, 0.005) == (Verdict.FAIL, Because.EXCEEDED)
    assert same(0.0054, 0.005) == (Verdict.INCONCLUSIVE, Because.UNDER_FLOOR)


def test_boots_that_agree_by_chance_do_not_hide_the_calibrated_spread() -> None:
    """Spread 0.01 from 8 degrees: error 0.01 sqrt(1/3 + 1/3), t(0.975; 8) = 2.306004."""
    estimate = of_two([0.0] * 3, [0.006] * 3, Spread(0.01, 8))
    assert estimate.reach == pytest.approx(2.306004 * 0.01 * math.sqrt(2 / 3), rel=1e-6)
    quiet = Look(estimate, 0.0)
    assert only(Claim(0.005, quiet, quiet, quiet)) == (Verdict.INCONCLUSIVE, Because.OPEN)


def test_the_wider_of_the_two_spreads_counts() -> None:
    own = of_two(*pair(0.0)).reach
    assert of_two(*pair(0.0), Spread(1e-6, 8)).reach == own


def test_more_boots_by_hand() -> None:
    """Half-width 0.006085 at n = 2, 0.003 away: 2 (0.006085 / 0.003)² = 8.2, one more, less 2."""
    estimate = of_two(*pair(0.017))
    assert boots_to_decide(estimate, 0.02) == 8
    assert boots_to_decide(of_two(*pair(0.02)), 0.02) is None
    assert boots_to_decide(of_two(*pair(0.0199999)), 0.02) is None


def test_detectable_by_hand() -> None:
    """(t(0.975; 2) + t(0.8; 2)) d sqrt(2); t(0.8; 2) = 1.060660."""
    assert of_two(*pair(0.0)).detectable == pytest.approx((T2 + 1.0606602) * D * math.sqrt(2))


RANK = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAIL: 2}
LOGS = st.lists(st.floats(-0.05, 0.05), min_size=1, max_size=6)
Drawn = tuple[list[float], list[float], list[float], list[float], float, float, bool]
CASES = st.lists(
    st.tuples(
        LOGS,
        LOGS,
        LOGS,
        LOGS,
        st.floats(-0.02, 0.05),
        st.sampled_from([0.0, 0.001, 0.01]),
        st.booleans(),
    ),
    min_size=1,
    max_size=5,
)


def claims_of(cases: list[Drawn], worse: list[float]) -> list[Claim]:
    made = []
    for (base, head, base_again, head_again, limit, floor, fresh), factor in zip(
        cases, worse, strict=True
    ):
        shifted = [x + factor for x in head]
        shifted_again = [x + factor for x in head_again]
        first = Look(of_two(base, shifted), floor)
        again = Look(of_two(base_again, shifted_again), floor) if fresh else None
        whole = first
        if again is not None:
            whole = Look(of_two([*base, *base_again], [*shifted, *shifted_again]), floor)
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
            assert one.whole.estimate.reach is not None
            assert one.whole.estimate.centre + one.whole.estimate.reach <= one.limit + 1e-9


def test_only_what_the_first_boots_would_fail_is_measured_again() -> None:
    claims = [claim(0.0, 0.5), claim(0.0, 0.0), claim(0.0, -0.5), claim(0.0, 0.5, floor=0.6)]
    assert [ruling.suspected for ruling in rule(claims)] == [True, False, False, False]
