# SPDX-License-Identifier: GPL-2.0-only
"""Numbers as text: the rules at their edges."""

import pytest

from zapbench import text


@pytest.mark.parametrize(
    ("value", "unit", "terminal", "report"),
    [
        (None, "ns", "—", "—"),
        (0, "ns", "0.00 ns", "0 ns"),
        (1.234, "ns", "1.23 ns", "1.234 ns"),
        (9.996, "ns", "10.0 ns", "9.996 ns"),
        (999.4, "ns", "999 ns", "999.4 ns"),
        (999.5, "ns", "1.00 µs", "999.5 ns"),
        (123_456, "ns", "123 µs", "123.5 µs"),
        (2.5e9, "ns", "2.50 s", "2.500 s"),
        (99.94, "instructions", "99.9", "99.94"),
        (1234.5, "instructions", "1,234", "1.234 k"),
    ],
)
def test_a_cost_has_three_digits_on_a_terminal_and_four_in_a_report(
    value: float | None, unit: str, terminal: str, report: str
) -> None:
    assert text.cost(value, unit) == terminal
    assert text.full_cost(value, unit) == report


@pytest.mark.parametrize(
    ("value", "short", "bar"),
    [
        (0.5, "0.5", "0.50"),
        (12.34, "12.3", "12.3"),
        (1234.5, "1.23k", "1,234"),
        (2e9, "2G", "2,000,000,000"),
    ],
)
def test_a_chart_has_three_digits_of_a_figure(value: float, short: str, bar: str) -> None:
    assert text.short(value) == short
    assert text.bar(value) == bar


@pytest.mark.parametrize(
    ("ratio", "digits"), [(1.25, "+25.0 %"), (0.999, "-0.10 %"), (1.0004, "+0.040 %")]
)
def test_a_judged_change_can_be_told_from_none(ratio: float, digits: str) -> None:
    assert text.judged_change(ratio) == digits


def test_a_ratio_shows_its_interval_where_it_has_one() -> None:
    assert text.ratio(None) == "—"
    assert text.ratio(1.234) == "1.23"
    assert text.ratio(1.234, 1.2, 1.3, digits=3) == "1.234 [1.200, 1.300]"


def test_an_interval_names_a_unit_once_unless_its_ends_differ() -> None:
    assert text.between(1000, 2000, "ns") == "1.000 to 2.000 µs"
    assert text.between(900, 2000, "ns", ", ") == "900.0 ns, 2.000 µs"


def test_nouns_have_their_plurals() -> None:
    assert [text.number(n, "boot") for n in (0, 1, 1200)] == ["0 boots", "1 boot", "1,200 boots"]
    assert text.number(2, "process") == "2 processes"
    assert [text.listed(list(words)) for words in ("", "a", "ab", "abc")] == [
        "",
        "a",
        "a and b",
        "a, b and c",
    ]


def test_parts_of_a_sum_have_hundredths() -> None:
    assert [text.hundredths(value) for value in (123456, 5, 0)] == ["1,234.56", "0.05", "0.00"]
    changes = [text.change_hundredths(value) for value in (123456, -5, 0)]
    assert changes == ["+1,234.56", "-0.05", "0.00"]
    assert text.change_tenths(1130.75) == "+1,130.8"
