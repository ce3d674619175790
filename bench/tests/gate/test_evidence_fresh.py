# SPDX-License-Identifier: GPL-2.0-only
"""Whatever is done to the records of boots that were looked at, they confirm nothing."""

import contextlib
from collections.abc import Sequence
from datetime import date
from itertools import groupby
from pathlib import Path

import pytest
from gate_boots import BUDGETS, ZAP, boots_of, changed
from hypothesis import given
from hypothesis import strategies as st

from zapbench.error import UsageError
from zapbench.gate.budget import Budgets, load
from zapbench.gate.evidence import Side
from zapbench.gate.judge import judge
from zapbench.gate.verdict import Verdict
from zapbench.record import Context, Record, Recording, Run, decode
from zapbench.result.store import Results

Boot = list[Record]


@pytest.fixture(scope="module")
def budgets(tmp_path_factory: pytest.TempPathFactory) -> Budgets:
    path = tmp_path_factory.mktemp("budgets") / "b.toml"
    path.write_text(BUDGETS.partition("\n\n")[0])
    return load(path)


def boots(kernel: str, figures: Sequence[float], seed: int = 7) -> list[Boot]:
    """What each boot recorded."""
    lines = boots_of(kernel, figures, tier="icount", unit="instructions", image=None, seed=seed)
    records = [decode(line) for line in lines]
    return [list(each) for _, each in groupby(records, lambda record: record.run.boot)]


def numbered(boot: Boot, number: int, *, told: bool) -> Boot:
    """A boot under another number; not ``told``: without the time at which it began."""
    run = boot[0].run
    moved = [changed(each, run=Run(run.kernel, run.tier, number)) for each in boot]
    if not told and isinstance(moved[0], Context):
        moved[0] = changed(moved[0], start=None)
    return moved


def results(name: str, boots: Sequence[Boot]) -> Results:
    return Results(Path(name), Recording(name, tuple(each for boot in boots for each in boot)))


def failed(budgets: Budgets, base: Side, head: Side) -> bool:
    judged = judge(budgets, base, head, None, date(2026, 1, 1), force=True)
    return any(
        check.case == ZAP and check.ruling.verdict is Verdict.FAIL for check in judged.checks
    )


FIGURES = st.lists(st.integers(9_900, 10_100), min_size=3, max_size=6)
DEAR = 3


@given(FIGURES)
def test_boots_that_are_fresh_do_confirm(budgets: Budgets, figures: list[int]) -> None:
    """Else the next test would show nothing."""
    dear = [figure * DEAR for figure in figures]
    base, head = (
        Side(results(name, boots(name, found)), results(f"{name}2", boots(name, found, seed=8)))
        for name, found in (("base", figures), ("head", dear))
    )
    assert failed(budgets, base, head)


@given(FIGURES, st.data())
def test_a_copy_of_the_first_boots_never_confirms(
    budgets: Budgets, figures: list[int], data: st.DataObject
) -> None:
    """Reordered, numbered anew, without their times, beside the first ones or among them."""
    dear = [figure * DEAR for figure in figures]
    first = boots("head", dear)
    order = data.draw(st.permutations(range(len(first))))
    numbers = data.draw(
        st.lists(st.integers(0, 99), min_size=len(first), max_size=len(first), unique=True)
    )
    told = data.draw(st.booleans())
    inside = data.draw(st.booleans())
    if inside:
        numbers = [number + len(first) for number in numbers]
    copy = [
        numbered(first[index], number, told=told)
        for index, number in zip(order, numbers, strict=True)
    ]
    base = boots("base", figures)
    fresh = boots("base", figures, seed=8)

    def gate() -> bool:
        if inside:
            more = [numbered(boot, len(base) + n, told=True) for n, boot in enumerate(fresh)]
            bases, heads = Side(results("base", base + more)), Side(results("head", first + copy))
        else:
            bases = Side(results("base", base), results("base2", fresh))
            heads = Side(results("head", first), results("head2", copy))
        return failed(budgets, bases, heads)

    if told:
        with pytest.raises(UsageError, match=r"holds the same boots as|is a copy of boot"):
            gate()
    else:
        with contextlib.suppress(UsageError):  # their seed and a number may be the same
            assert not gate()


@given(FIGURES, st.booleans())
def test_boots_made_again_with_the_seed_of_before_never_confirm(
    budgets: Budgets, figures: list[int], told: bool
) -> None:
    first = boots("head", [figure * DEAR for figure in figures])
    again = [
        [changed(boot[0], start=f"later {number}" if told else None), *boot[1:]]
        for number, boot in enumerate(first)
    ]
    with pytest.raises(UsageError, match="seed 7, as "):
        Side(results("head", first), results("head2", again))
