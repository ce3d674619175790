# SPDX-License-Identifier: GPL-2.0-only
"""The journal of a campaign: its plan, and what is in its place."""

import re
from contextlib import suppress
from pathlib import Path

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zapbench.campaign.journal import JOURNAL, SIDES, Boot, Journal, Seen, Side, load, save
from zapbench.error import DiskFull, UsageError
from zapbench.result.request import Asked

PLANNED = Journal(
    machine="m",
    vm=False,
    base="6.12.57",
    head="7.3.4",
    boots=3,
    processes=4,
    next_boot=None,
    asked=Asked(globs=("zap/*",), boots=12, seed=1, place="/"),
)
DONE = Boot("base", 0, "id", "now")


def test_boots_take_turns_and_one_after_the_other_is_due() -> None:
    order: list[tuple[Side, int]]
    order = [("base", 0), ("head", 0), ("head", 1), ("base", 1), ("base", 2), ("head", 2)]
    assert PLANNED.plan == order
    for count in range(len(order)):
        done = tuple(Boot(side, number, "id", "now") for side, number in order[:count])
        assert msgspec.structs.replace(PLANNED, done=done).due == order[count]
    done = tuple(Boot(side, number, "id", "now") for side, number in order)
    assert msgspec.structs.replace(PLANNED, done=done).due is None


@given(st.integers(1, 20), st.integers(1, 20))
def test_no_two_processes_of_a_kernel_have_one_number(boots: int, processes: int) -> None:
    journal = msgspec.structs.replace(PLANNED, boots=boots, processes=processes)
    for side in SIDES:
        numbers = [
            each for of, boot in journal.plan if of == side for each in journal.numbers(boot)
        ]
        assert sorted(numbers) == list(range(boots * processes))


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    journal = msgspec.structs.replace(
        PLANNED,
        done=(DONE,),
        begun=Boot("head", 0, "other", "later"),
        lost=2,
        seen=Seen({"governor": "performance"}, {"THP enabled": "madvise"}),
        builds={"6.12.57": "ab" * 20},
    )
    (tmp_path / f".{JOURNAL}.123").write_text("half")  # of one that was killed
    save(tmp_path, journal)
    assert load(tmp_path) == journal
    assert [path.name for path in tmp_path.iterdir()] == [JOURNAL]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"v": 2, "anything": 1}', "is of version 2, this zapbench reads 1"),
        ("{", "cannot read .*campaign.json, the journal of a campaign .*: restore it"),
        ("\xff", "cannot read"),
        ("[]", "cannot read"),
        ('{"v": 1}', "cannot read .* missing required field"),
    ],
)
def test_what_is_no_journal_is_named(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / JOURNAL).write_text(text, encoding="latin-1")
    with pytest.raises(UsageError, match=said):
        load(tmp_path)


def test_boots_out_of_order_are_named(tmp_path: Path) -> None:
    save(tmp_path, msgspec.structs.replace(PLANNED, done=(Boot("head", 0, "id", "now"),)))
    with pytest.raises(UsageError, match="was changed: its boots are not in the order"):
        load(tmp_path)


def test_a_directory_without_one_is_no_campaign(tmp_path: Path) -> None:
    for path in (tmp_path, tmp_path / "absent"):
        with pytest.raises(UsageError, match=f"{re.escape(str(path))} is no campaign"):
            load(path)


def test_on_a_full_disk_the_journal_of_before_stays(small_disk: Path) -> None:
    save(small_disk, PLANNED)
    with suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    with pytest.raises(DiskFull, match=r"cannot write .*: No space left on device; .* make room"):
        save(small_disk, msgspec.structs.replace(PLANNED, done=(DONE,)))
    assert load(small_disk) == PLANNED
