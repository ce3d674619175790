# SPDX-License-Identifier: GPL-2.0-only
"""One boot: the order of its cases, and contracts alone."""

from zapbench import record
from zapbench.boot import QUICK, Work, contracts, shuffled
from zapbench.case import Case, Cell
from zapbench.target import Native


def test_contracts_are_read_in_one_boot() -> None:
    cells = [Cell(Case.parse("contract/mprotect/anon/4k/64k"), None)]
    found = contracts(Native(), cells)
    assert found.of(record.Contract)[0].expected == "sigsegv"


def test_what_is_left_of_a_boot_has_a_machine_as_large_as_all_of_it() -> None:
    work = Work(("a", "b", "c"), QUICK, seed=1)
    left = work.job(Native(), 0, done={(0, "a"), (0, "b")})
    assert left.cases == ("c",)
    assert left.room == work.cases
    assert Work(("a",), QUICK, seed=1, room=("a", "b")).job(Native(), 0).room == ("a", "b")


def test_the_order_of_cases_is_random_repeatable_and_another_each_boot() -> None:
    names = [f"case{n}" for n in range(20)]
    first = shuffled(names, 1, 0)
    assert first == shuffled(reversed(names), 1, 0)
    assert sorted(first) == sorted(names)
    assert len({tuple(shuffled(names, seed, boot)) for seed in (1, 2) for boot in (0, 1)}) == 4
