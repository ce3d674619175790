# SPDX-License-Identifier: GPL-2.0-only
"""The answer: rules over made-up data."""

import re
from pathlib import Path

import pytest
import synthetic
from drawn import FIGURES, written
from made_report import SHMEM, answer, contract, made

METHODS = ("madv_zap", "dontneed")


def zap_costs(tmp_path: Path, *medians: int) -> str:
    figures = {
        f"cycle/dontneed/{SHMEM}": (1000, 1001, 999),
        f"cycle/madv_zap/{SHMEM}": medians,
    }
    return answer(made(tmp_path, written(tmp_path / "results", figures)))


def test_the_answer_follows_the_data_when_zap_is_cheaper(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 500, 501, 499)
    assert "it costs 0.50×: cheaper at 1 of 1 place with a minor mode that has both" in said
    assert "(native) madv_zap at 1 of 1 place with a minor mode" in said


def test_the_answer_follows_the_data_when_zap_is_dearer(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 2000, 2001, 1999)
    assert "it costs 2.00×: dearer at 1 of 1 place" in said
    assert "(native) dontneed at 1 of 1 place" in said


@pytest.mark.parametrize(
    ("medians", "words"),
    [
        ((1005, 1006, 1004), "equal within 2% at 1 of 1 place"),
        ((700, 1000, 1500), "no telling at 1 (95 % interval: 0."),
        ((990, 1000, 1040), "no telling at 1 (95 % interval: 0.9"),
    ],
    ids=["near", "noisy", "wide"],
)
def test_costs_are_equal_only_where_the_interval_says_so(
    tmp_path: Path, medians: tuple[int, ...], words: str
) -> None:
    said = zap_costs(tmp_path, *medians)
    assert words in said
    assert "equal within" not in said or "no telling" not in said
    assert "dontneed at 1 and madv_zap at 1" in said or "madv_zap at 1 and dontneed at 1" in said


def test_one_boot_tells_nothing_about_equality(tmp_path: Path) -> None:
    figures = {f"cycle/dontneed/{SHMEM}": (1000,), f"cycle/madv_zap/{SHMEM}": (1001,)}
    said = answer(made(tmp_path, written(tmp_path / "results", figures)))
    assert "no telling at 1 (too few boots for an interval)" in said


def test_a_cheap_method_of_another_end_state_never_wins(tmp_path: Path, results: Path) -> None:
    said = answer(made(tmp_path, results))  # mprotect costs half of madv_zap there
    assert "mprotect" not in said


def test_without_zap_the_answer_says_so_and_why(tmp_path: Path) -> None:
    figures = {case: medians for case, medians in FIGURES.items() if "madv_zap" not in case}
    skip = synthetic.skip(synthetic.run_of(), f"cycle/madv_zap/{SHMEM}", "not on this kernel")
    where = made(tmp_path, written(tmp_path / "results", figures, skip))
    assert "MADV_ZAP was not measured" in answer(where)
    assert "skipped (not on this kernel); ratios are to dontneed instead" in answer(where)
    assert "madv_zap was not measured here" in (where / "index.md").read_text().replace("\\", "")


def test_zap_without_a_cycle_was_measured_all_the_same(tmp_path: Path) -> None:
    figures = {f"zap/{method}/{SHMEM}": (1000, 1001, 999) for method in METHODS}
    said = answer(made(tmp_path, written(tmp_path / "results", figures)))
    assert "not measured" not in said
    assert "MADV_ZAP was measured on Linux synthetic, but no cycle of it" in said


def test_the_nearest_workaround_is_named_with_what_it_loses(tmp_path: Path, results: Path) -> None:
    said = answer(made(tmp_path, results))
    assert "nearest (2 lost) is dontneed, which loses poison markers and sends an event." in said


def test_a_workaround_that_keeps_all_makes_zap_needless(tmp_path: Path) -> None:
    contracts = [contract("madv_zap"), contract("dontneed")]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps, and all of it was tried" in said
    assert "there MADV_ZAP is not needed" in said


def test_what_was_not_tried_is_no_proof_that_zap_is_needless(tmp_path: Path) -> None:
    contracts = [contract("madv_zap"), contract("dontneed", untried=["reclaim", "rss"])]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "not needed" not in said
    assert "kept all" not in said
    assert "nothing that madv_zap keeps was lost, as far as that was tried, by dontneed" in said
    assert "by dontneed; not tried with it: rss and reclaim." in said


def test_a_promise_that_an_older_record_does_not_know_was_not_looked_at(tmp_path: Path) -> None:
    known = [synthetic.contract(synthetic.run_of(), f"contract/{m}/{SHMEM}") for m in METHODS]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *known)))
    assert "not needed" not in said
    assert "not tried with it" not in said
    names = said.partition("Not looked at in these records: on Linux synthetic (native) ")[2]
    assert re.match(r"\d+ of the \d+ promises of madv_zap: contents, blocks, dirty, wp, ", names)
    for there_is_none in ("swap", "zeropage", "part,", "no-part"):
        assert there_is_none not in names


def test_nearest_is_what_loses_the_fewest_wherever_it_is_available(tmp_path: Path) -> None:
    places = (SHMEM, "file/4k/4k")
    figures = FIGURES | {f"cycle/{m}/{SHMEM}": (900, 901, 899) for m in ("rwp", "guard_toggle")}
    lost = ["poison", "no-event", "remote"]
    contracts = [contract("madv_zap", where=where) for where in places]
    contracts += [contract("dontneed", lost=lost, where=where) for where in places]
    few = contract("rwp", lost=["gap", "remote"])
    said = answer(made(tmp_path, written(tmp_path / "one", figures, *contracts, few)))
    assert "Other methods (nearest: the fewest promises lost, at the same end state): " in said
    assert (
        "nearest (2 lost) is rwp (not available on file 4k), which does not go on after a" in said
    )
    toggle = contract("guard_toggle", lost=["guard", "poison"])
    said = answer(made(tmp_path, written(tmp_path / "two", figures, *contracts, few, toggle)))
    assert "nearest (2 lost) are guard_toggle (not available on file 4k), which loses " in said
    assert "; and rwp (not available on file 4k), which does not go on after a gap" in said


def test_what_was_not_tried_somewhere_is_said_with_the_place(tmp_path: Path) -> None:
    contracts = [
        contract(method, where=where)
        for method, where in (("madv_zap", SHMEM), ("madv_zap", "file/4k/4k"), ("dontneed", SHMEM))
    ]
    there = contract("dontneed", untried=["reclaim", "registration"], where="file/4k/4k")
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts, there)))
    # userfaultfd registers no file: there is nothing to try
    assert "by dontneed; not tried with it: reclaim (file 4k)." in said


@pytest.mark.parametrize("keeper", ["madv_zap", "dontneed"])
def test_what_is_not_there_is_kept_by_everybody(tmp_path: Path, keeper: str) -> None:
    found = {method: contract(method) for method in METHODS}
    found |= {keeper: contract(keeper, nothing=["cow", "swap"])}
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *found.values())))
    assert "dontneed kept all that madv_zap keeps" in said


def test_each_kernel_has_an_answer_of_its_own(tmp_path: Path) -> None:
    place = [contract("madv_zap"), contract("dontneed", lost=["cow"])]
    old = written(tmp_path / "old", FIGURES, *place)
    place = [contract(method, kernel="7.3") for method in METHODS]
    figures = FIGURES | {f"cycle/madv_zap/{SHMEM}": (500, 501, 499)}
    new = written(tmp_path / "new", figures, *place, kernel="7.3")
    said = answer(made(tmp_path, old, new))
    assert "on Linux synthetic (native) it costs 0.95×: cheaper at 1 of 1 place" in said
    assert "on Linux 7.3 (native) it costs 0.50×: cheaper at 1 of 1 place" in said
    assert "on Linux 7.3 (native) dontneed kept all" in said
    assert (
        "on Linux synthetic (native) none kept all that madv_zap keeps; "
        "nearest (1 lost) is dontneed" in said
    )


def test_what_zap_itself_loses_is_held_against_nobody(tmp_path: Path) -> None:
    contracts = [contract("madv_zap", lost=["cow"]), contract("dontneed", lost=["cow"])]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps" in said


def test_the_answer_counts_only_kernels_that_have_zap(tmp_path: Path, results: Path) -> None:
    figures = {case: medians for case, medians in FIGURES.items() if "madv_zap" not in case}
    without = written(tmp_path / "without", figures, kernel="6.1")
    assert "6.1 " not in answer(made(tmp_path, results, without))
