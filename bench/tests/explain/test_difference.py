# SPDX-License-Identifier: GPL-2.0-only
"""Rows of a difference add up, whatever a compiler made of the functions."""

from collections import Counter
from collections.abc import Mapping
from fractions import Fraction

import hypothesis.strategies as st
import pytest
from hypothesis import given

from zapbench.explain.attribution import HARNESS, Attribution
from zapbench.explain.difference import (
    Cost,
    Difference,
    Function,
    Measured,
    alone,
    difference,
    hundredths,
    lines,
    plain,
    whole,
)
from zapbench.explain.trace import CallPath

CASE = "zap/dontneed/shmem/4k/4k"
KNOWN = ("entry", "zap", "zap.cold", "walk", "flush")


def figures(
    paths: Mapping[CallPath, int], operations: int = 4, harness: int = 10, case: str = CASE
) -> Attribution:
    """Paths without the harness, which is added."""
    found = Counter[CallPath]({**paths, (HARNESS,): harness})
    functions: Counter[str] = Counter()
    for path, count in found.items():
        functions[path[-1]] += count
    return Attribution(case, operations, found.total(), harness, functions, found)


def measured(paths: Mapping[CallPath, int], operations: int = 4, harness: int = 10) -> Measured:
    return Measured(figures(paths, operations, harness), KNOWN)


BASE = measured({("entry",): 40, ("entry", "zap"): 100, ("entry", "zap", "walk"): 60}, harness=5)
HEAD = measured({("entry",): 44, ("entry", "zap"): 60, ("entry", "zap", "other"): 80})


def by_name(found: Difference) -> dict[str, Function]:
    return {each.name: each for each in found.functions}


def test_one_side_is_its_functions_the_dearest_first_without_the_harness() -> None:
    found = alone(BASE.figures)
    assert [(each.label, each.cost) for each in found.functions] == [
        ("zap", Cost(None, 100)),
        ("walk", Cost(None, 60)),
        ("entry", Cost(None, 40)),
    ]
    assert (found.total, found.operations, found.unexplained) == (Cost(None, 200), 4, 0)
    assert found.each(found.total.head) == Fraction(50)
    assert not found.compared


def test_the_harness_is_what_an_empty_case_measures() -> None:
    empty = figures({("(user)",): 7}, case="empty/-/shmem/4k/4k")
    assert alone(empty).total == Cost(None, 17)
    assert alone(empty).unexplained == 0


def test_a_difference_is_the_sum_of_its_rows_what_changed_most_first() -> None:
    found = difference(BASE, HEAD)
    assert [(each.name, *each.cost) for each in found.functions] == [
        ("other", 0, 80),
        ("walk", 60, 0),
        ("zap", 100, 60),
        ("entry", 40, 44),
    ]
    assert found.total == Cost(200, 184)
    assert sum(each.cost.change for each in found.functions) == found.total.change == -16
    assert sum(cost.change for cost in found.paths.values()) == -16
    assert found.unexplained == 0


def test_why_a_function_is_on_one_side_only() -> None:
    notes = {each.name: each.note for each in difference(BASE, HEAD).functions}
    assert notes == {
        "other": "base has no such function: new, or inlined there",
        "walk": "head does not call it",
        "zap": "",
        "entry": "",
    }
    back = {each.name: each.note for each in difference(HEAD, BASE).functions}
    assert back["other"] == "head has no such function: gone, or inlined there"
    assert back["walk"] == "base does not call it"
    user = difference(measured({("(user)",): 1}), measured({("(other)",): 1}))
    assert {each.note for each in user.functions} == {""}


@pytest.mark.parametrize(
    ("name", "function"),
    [
        ("zap", "zap"),
        ("zap.isra.0", "zap"),
        ("zap.constprop.0.isra.12", "zap"),
        ("zap.part.0.cold", "zap"),
        ("zap.cold.3", "zap"),
        ("zap.llvm.1234567890", "zap"),
        ("zap.participle", "zap.participle"),
        (".cold", ".cold"),
    ],
)
def test_what_compilers_add_is_no_part_of_a_name(name: str, function: str) -> None:
    assert plain(name) == function


def test_a_part_is_no_frame_below_its_own_function_and_recursion_is() -> None:
    assert whole(("a", "zap", "zap.cold", "b")) == ("a", "zap", "b")
    assert whole(("zap.isra.0", "zap.isra.0.cold")) == ("zap",)
    assert whole(("zap", "zap", "zap.part.0")) == ("zap", "zap")
    assert whole(("zap.isra.0", "zap.isra.0")) == ("zap", "zap")


def test_parts_of_a_function_are_taken_together_and_named() -> None:
    base = measured({("zap.isra.0",): 50, ("zap.isra.0", "zap.isra.0.cold"): 10})
    head = measured({("zap",): 57})
    found = difference(base, head)
    (function,) = found.functions
    assert (function.cost, function.note) == (Cost(60, 57), "")
    assert function.label == "zap.isra.0 + zap.isra.0.cold -> zap"
    assert found.paths == {("zap",): Cost(60, 57)}
    assert [each.label for each in alone(base.figures).functions] == [
        "zap.isra.0",
        "zap.isra.0.cold",
    ]


def test_sides_of_other_numbers_of_operations_are_put_on_one() -> None:
    base = measured({("zap",): 10}, operations=4)
    found = difference(base, measured({("zap",): 25}, operations=6))
    assert (found.operations, found.total) == (12, Cost(30, 50))
    assert found.each(found.total.change) == Fraction(25, 6) - Fraction(10, 4)


def test_what_is_lost_is_seen() -> None:
    found = difference(BASE, HEAD)
    lost = Difference(CASE, 4, found.total, found.functions[1:], found.paths)
    assert lost.unexplained == 80
    assert Difference(CASE, 4, Cost(200, 185), found.functions, {}).unexplained == 1


def test_a_table_has_the_rest_in_one_line() -> None:
    found = difference(BASE, HEAD)
    shown = lines([(each.name, each.cost, "") for each in found.functions], 4, 2)
    assert [tuple(each) for each in shown] == [
        ("other", 0, 2000, ""),
        ("walk", 1500, 0, ""),
        ("(2 others)", 3500, 2600, ""),
        ("total", 5000, 4600, ""),
    ]
    same = lines([("a", Cost(3, 3), ""), ("b", Cost(4, 4), "")], 4, 2)
    assert [tuple(each) for each in same] == [
        ("(2 others)", 175, 175, "2 of them unchanged"),
        ("total", 175, 175, ""),
    ]


@given(
    st.lists(st.tuples(st.integers(0, 10**6), st.integers(0, 10**6)), min_size=1),
    st.integers(1, 1000),
    st.integers(1, 20),
)
def test_the_columns_of_a_table_add_up(
    costs: list[tuple[int, int]], operations: int, top: int
) -> None:
    found = [(str(number), Cost(*cost), "") for number, cost in enumerate(costs)]
    *shown, total = lines(found, operations, top)
    assert sum(each.head for each in shown) == total.head
    assert sum(each.base or 0 for each in shown) == total.base
    for each in shown:
        if not each.label.startswith("("):
            base, head = costs[int(each.label)]
            assert each.base is not None
            assert abs(each.base - Fraction(100 * base, operations)) < 1
            assert abs(each.change - Fraction(100 * (head - base), operations)) < 1


def test_halves_are_rounded_up() -> None:
    assert [hundredths(count, 8) for count in (1, 3, 5, 8)] == [13, 38, 63, 100]
