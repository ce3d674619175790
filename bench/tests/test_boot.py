# SPDX-License-Identifier: GPL-2.0-only
"""One boot: the order of its cases, and contracts alone."""

from zapbench import record
from zapbench.boot import contracts, shuffled
from zapbench.case import Case, Cell
from zapbench.target import Native


def test_contracts_are_read_in_one_boot() -> None:
    cells = [Cell(Case.parse("contract/mprotect/anon/4k/64k"), None)]
    found = contracts(Native(), cells)
    assert found.of(record.Contract)[0].expected == "sigsegv"


def test_the_order_of_cases_is_random_repeatable_and_another_each_boot() -> None:
    names = [f"case{n}" for n in range(20)]
    first = shuffled(names, 1, 0)
    assert first == shuffled(reversed(names), 1, 0)
    assert sorted(first) == sorted(names)
    assert len({tuple(shuffled(names, seed, boot)) for seed in (1, 2) for boot in (0, 1)}) == 4
