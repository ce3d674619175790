# SPDX-License-Identifier: GPL-2.0-only
"""Budget files: what they may say, and what is said about wrong ones."""

import math
from pathlib import Path

import pytest
from places import ROOT

from zapbench.error import UsageError
from zapbench.gate import budget, plan
from zapbench.gate.budget import Budgets, Limit

DEFAULTS = ROOT / "bench/budgets.toml"
GOOD = """\
[[budget]]
cases = "zap/dontneed/shmem/4k/*"
limit = "+2 %"
reason = "why"
"""


def load(tmp_path: Path, text: str) -> Budgets:
    path = tmp_path / "b.toml"
    path.write_text(text)
    return budget.load(path)


def limit(tmp_path: Path, text: str) -> Limit:
    (only,) = load(tmp_path, GOOD.replace("+2 %", text)).budgets
    return only.limit


@pytest.mark.parametrize(
    ("text", "factor", "unit", "than"),
    [
        ("+2 %", 1.02, None, None),
        ("+0.5%", 1.005, None, None),
        ("-10 %", 0.9, None, None),
        ("\u221210 %", 0.9, None, None),
        ("+0 %", 1.0, None, None),
        ("900 ns", 900, "ns", None),
        ("1.5 us", 1500, "ns", None),
        ("2 ms", 2e6, "ns", None),
        ("2300 instructions", 2300, "instructions", None),
        ("0.5 x cycle/remap", 0.5, None, "cycle/remap"),
        ("0.5 \u00d7 cycle/remap", 0.5, None, "cycle/remap"),
        ("2 * zap/remap/shmem/4k/4k", 2, None, "zap/remap/shmem/4k/4k"),
    ],
)
def test_limits(
    tmp_path: Path, text: str, factor: float, unit: str | None, than: str | None
) -> None:
    found = limit(tmp_path, text)
    assert found.factor == pytest.approx(factor)
    assert (found.unit, found.than) == (unit, than)
    assert found.log == pytest.approx(math.log(factor))


def test_a_reference_is_at_the_same_place_unless_it_says_where(tmp_path: Path) -> None:
    here = limit(tmp_path, "0.5 x cycle/remap")
    assert here.reference("cycle/madv_zap/shmem/4k/2m/scatter=16") == (
        "cycle/remap/shmem/4k/2m/scatter=16"
    )
    there = limit(tmp_path, "0.5 x cycle/remap/shmem/4k/4k")
    assert there.reference("cycle/madv_zap/shmem/4k/2m") == "cycle/remap/shmem/4k/4k"
    assert limit(tmp_path, "+1 %").reference("zap/dontneed/shmem/4k/4k") is None


def wrong(old: str, new: str) -> str:
    assert old in GOOD
    return GOOD.replace(old, new)


WAIVER = '[[waiver]]\ncases = "zap/*"\nup_to = "+8 %"\nreason = "why"\nexpires = 2027-01-31\n'
BAD = [
    # text of the file, what the message holds, line and column
    ("[[budget]\n", "Expected ']]'", (1, 9)),
    ("", "holds no [[budget]]", None),
    (GOOD + "[[budgets]]\n", "no key 'budgets': budget, waiver", (5, 3)),
    ("[budget]\n", "with two brackets", (1, 2)),
    ("budget = 3\n", "with two brackets", (1, 1)),
    ("budget = [3]\n", "Expected `object`, got `int`", (1, 1)),
    (GOOD + "waiver = {}\n", "no key 'waiver'", (5, 1)),
    (GOOD + "[waiver]\n", "with two brackets", (5, 2)),
    (GOOD + '"a\\nb" = 1\n', "no key ", (1, 1)),
    (wrong("reason =", "reasons ="), "no key 'reasons': cases, limit, reason, statistic", (4, 1)),
    (wrong('limit = "+2 %"\n', ""), "missing required field `limit`", (1, 1)),
    (GOOD + wrong('reason = "why"\n', ""), "missing required field `reason`", (5, 1)),
    (wrong('"why"', '"  "'), "reason is empty", (4, 1)),
    (GOOD + 'required = "yes"\n', 'write true, false or "claimed"', (5, 1)),
    (GOOD + WAIVER.replace("2027-01-31", '"2027-01-31"'), "without quotes", (9, 1)),
    (GOOD + WAIVER.replace("zap/*", "cycle/*"), "nothing is waived", (6, 1)),
    (wrong('"why"', "3"), "reason: Expected `str`, got `int`", (4, 1)),
    (wrong("why", "\\u001b[31mwhy"), "reason has control characters", (4, 1)),
    (wrong("why", "why\\u202e"), "reason has control characters", (4, 1)),
    (wrong("+2 %", "2 percent"), "cannot read limit", (3, 1)),
    (wrong("+2 %", "0 ns"), "zero or negative", (3, 1)),
    (wrong("+2 %", f"{400 * '9'} ns"), "limit is greater than any figure", (3, 1)),
    (wrong("+2 %", "٣ ns"), "cannot read limit", (3, 1)),
    (wrong("+2 %", "-5 instructions"), "zero or negative", (3, 1)),
    (wrong("+2 %", "-100 %"), "zero or negative", (3, 1)),
    (wrong("+2 %", "0 x zap/remap"), "zero or negative", (3, 1)),
    (wrong("+2 %", "0.5 x zap/unmap"), "no case matches 'zap/unmap/*'", (3, 1)),
    (wrong("dontneed", "dontwant"), "no case matches 'zap/dontwant/shmem/4k/*'", (2, 1)),
    (wrong('"zap/dontneed/shmem/4k/*"', "[]"), "cases: Expected `array` of length >= 1", (2, 1)),
    (wrong('"zap/dontneed/shmem/4k/*"', "3"), "cases: Expected `str | array`", (2, 1)),
    (wrong('"zap/dontneed/shmem/4k/*"', '["zap/*", 3]'), "cases: Expected `str`", (2, 1)),
    (wrong('"zap/dontneed/shmem/4k/*"', '[""]'), "cases is empty", (2, 1)),
    (
        wrong("zap/dontneed/shmem/4k/*", "cycle/poison/shmem/4k/4k"),
        "no such case is available",
        (2, 1),
    ),
    (GOOD + 'statistic = "mean"\n', "no statistic 'mean': p50, p99", (5, 1)),
    (GOOD + 'tier = "tcg"\n', "tier 'tcg' cannot gate", (5, 1)),
    (wrong("+2 %", "9 ns") + 'tier = "icount"\n', "mixed units", (3, 1)),
    (wrong("+2 %", "9 ns") + 'tier = ["native", "icount"]\n', "mixed units", (3, 1)),
    (GOOD + WAIVER.replace("2027-01-31", '"2027-01-31"'), "Expected `date`, got `str`", (9, 1)),
    (GOOD + WAIVER.replace("2027-01-31", "2027-01-31T00:00:00"), "got `datetime`", (9, 1)),
    (GOOD + WAIVER.replace('up_to = "+8 %"\n', ""), "missing required field `up_to`", (5, 1)),
    (GOOD + WAIVER.replace("+8 %", "8"), "cannot read up_to '8'", (7, 1)),
    (GOOD + WAIVER.replace("+8 %", "0 ns"), "up_to '0 ns' is zero or negative", (7, 1)),
    (GOOD + 'required = "yes"\n', "required: Invalid enum value 'yes'", (5, 1)),
    (GOOD + "required = 1\n", "required: Expected `bool | str | null`, got `int`", (5, 1)),
    (GOOD + WAIVER.replace("zap/*", "zip/*"), "no case matches 'zip/*'", (6, 1)),
]


@pytest.mark.parametrize(("text", "message", "place"), BAD)
def test_bad_files_give_one_line_that_says_where(
    tmp_path: Path, text: str, message: str, place: tuple[int, int] | None
) -> None:
    with pytest.raises(UsageError) as caught:
        load(tmp_path, text)
    said = str(caught.value)
    assert message in said
    assert "\n" not in said
    assert said.startswith(f"{tmp_path}/b.toml")
    if place is not None:
        assert said.endswith("(at line {}, column {})".format(*place))


def test_a_missing_file_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="cannot read budgets"):
        budget.load(tmp_path / "none.toml")


def test_text_in_a_string_is_not_taken_for_a_table(tmp_path: Path) -> None:
    reason = '"""\n[[budget]]\nlimit = 1\n"""'
    text = GOOD.replace('"why"', reason) + GOOD.replace("+2 %", "none")
    with pytest.raises(UsageError, match="line 10, column 1"):
        load(tmp_path, text)


def test_the_defaults_are_good_and_each_has_its_reason() -> None:
    found = budget.load(DEFAULTS)
    assert all(len(each.reason) > 20 for each in found.budgets)
    assert found.waivers == ()


def test_the_defaults_take_a_base_or_do_without() -> None:
    found = budget.load(DEFAULTS)
    alone = plan.cases(plan.applicable(found, "icount", "6.12+madv-zap", has_base=False))
    both = plan.cases(plan.applicable(found, "icount", "6.12+madv-zap", has_base=True))
    assert set(alone) < set(both)
    assert "cycle/remap/shmem/4k/4k" in alone  # only a limit refers to it


def test_what_applies_nowhere_is_an_error(tmp_path: Path) -> None:
    native = load(tmp_path, GOOD + 'tier = "native"\n')
    with pytest.raises(
        UsageError, match=r"no budget of .* applies: it is for native, this is icount"
    ):
        plan.applicable(native, "icount", "6.12", has_base=True)
    with pytest.raises(UsageError, match="relative to a base"):
        plan.applicable(native, "native", "6.12", has_base=False)


@pytest.mark.parametrize(
    ("tier", "kernel", "more", "why"),
    [
        ("tcg", "6.12", "", "tcg is for screening only"),
        ("icount", "6.12", 'tier = "kvm"', "it is for kvm, this is icount"),
        ("icount", "6.12", 'kernel = "7.*"', "it is for kernel 7.*, this is 6.12"),
        ("native", "6.12", 'statistic = "case_total"', "case_total is counted, never timed"),
        ("icount", "6.12", 'statistic = "case_total"', None),
        ("icount", "6.12+madv-zap", 'kernel = "6.12*"', None),
    ],
)
def test_what_does_not_apply_says_why(
    tmp_path: Path, tier: str, kernel: str, more: str, why: str | None
) -> None:
    (only,) = load(tmp_path, f"{GOOD}{more}\n").budgets
    assert only.inapplicable(tier, kernel, has_base=True) == why


def test_an_absolute_limit_is_for_its_unit(tmp_path: Path) -> None:
    (only,) = load(tmp_path, GOOD.replace("+2 %", "900 ns")).budgets
    assert only.inapplicable("icount", "6.12", has_base=False) == (
        "it is in ns, icount gives instructions"
    )
    assert only.inapplicable("native", "6.12", has_base=False) is None
