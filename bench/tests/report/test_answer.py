# SPDX-License-Identifier: GPL-2.0-only
"""The answer: rules over made-up data."""

from pathlib import Path

import pytest
import synthetic
from drawn import FIGURES, written
from made_report import SHMEM, answer, contract, made


def zap_costs(tmp_path: Path, *medians: int) -> str:
    figures = {
        f"cycle/dontneed/{SHMEM}": (1000, 1001, 999),
        f"cycle/madv_zap/{SHMEM}": medians,
    }
    return answer(made(tmp_path, written(tmp_path / "results", figures)))


def test_the_answer_follows_the_data_when_zap_is_cheaper(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 500, 501, 499)
    assert "it costs 0.50×: cheaper at 1 of 1 place" in said
    assert "(native) madv_zap at 1 of 1 place" in said


def test_the_answer_follows_the_data_when_zap_is_dearer(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 2000, 2001, 1999)
    assert "it costs 2.00×: dearer at 1 of 1 place" in said
    assert "(native) dontneed at 1 of 1 place" in said


@pytest.mark.parametrize("medians", [(1005, 1006, 1004), (700, 1000, 1500)], ids=["near", "noisy"])
def test_the_answer_says_equal_within_noise(tmp_path: Path, medians: tuple[int, ...]) -> None:
    said = zap_costs(tmp_path, *medians)
    assert "equal within noise or 2% at 1 of 1 place" in said
    assert "dontneed at 1 and madv_zap at 1" in said or "madv_zap at 1 and dontneed at 1" in said


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


def test_the_nearest_workaround_is_named_with_what_it_loses(tmp_path: Path, results: Path) -> None:
    said = answer(made(tmp_path, results))
    assert "nearest is dontneed, which loses poison markers and sends an event" in said


def test_a_workaround_that_keeps_all_makes_zap_needless(tmp_path: Path) -> None:
    contracts = [contract("madv_zap"), contract("dontneed")]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps" in said
    assert "there MADV_ZAP is not needed" in said


def test_what_zap_itself_loses_is_held_against_nobody(tmp_path: Path) -> None:
    contracts = [contract("madv_zap", lost=["cow"]), contract("dontneed", lost=["cow"])]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps" in said


def test_the_answer_counts_only_kernels_that_have_zap(tmp_path: Path, results: Path) -> None:
    figures = {case: medians for case, medians in FIGURES.items() if "madv_zap" not in case}
    without = written(tmp_path / "without", figures, kernel="6.1")
    assert "6.1 " not in answer(made(tmp_path, results, without))
