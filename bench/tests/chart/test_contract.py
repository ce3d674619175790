# SPDX-License-Identifier: GPL-2.0-only
"""The contract matrix, read back from what was drawn."""

from pathlib import Path

import pytest
import synthetic
from drawn import written
from msgspec.structs import replace

from zapbench import chart
from zapbench.chart.contract import SIGNS, seen
from zapbench.error import UsageError
from zapbench.record import Promise, Seen
from zapbench.result.store import Results


def test_contract_takes_the_worst_of_all_boots() -> None:
    name = "contract/dontneed/shmem/4k/4k"
    good = synthetic.contract(synthetic.run_of(0), name)
    bad = synthetic.contract(synthetic.run_of(1), name, broken="cache")
    words = {"cache": Seen.KEPT, "cow": Seen.NOTHING, "vmas": Seen.LOST}
    place = ("shmem", 4096)
    assert seen([good]) == {place: {"dontneed": words}}
    assert (
        seen([good, bad])
        == seen([bad, good])
        == {place: {"dontneed": words | {"cache": Seen.BROKEN}}}
    )


def test_what_an_older_record_does_not_tell_from_what_was_not_tried_is_not_there() -> None:
    """Before `impossible`: from the tables, or of what only kernels have from the note."""
    old = synthetic.contract(synthetic.run_of(), "contract/dontneed/shmem/4k/4k")
    notes = {
        "cow": "a shared mapping has no private pages",
        "guard": "no guard regions on this backing or kernel",
        "rss": "the call failed: Resource temporarily unavailable",
    }
    promises = {name: Promise(False, None, note) for name, note in notes.items()}
    (words,) = seen([replace(old, promises=promises)])["shmem", 4096].values()
    assert words == {"cow": Seen.NOTHING, "guard": Seen.NOTHING, "rss": Seen.NOT_TRIED}


def test_contract_matrix_has_a_sign_for_each_promise(tmp_path: Path) -> None:
    run = synthetic.run_of()
    contracts = [
        synthetic.contract(run, f"contract/{name}/shmem/4k/4k") for name in ("remap", "dontneed")
    ]
    figure = chart.draw(Results(written(tmp_path, {}, *contracts)), "contract")
    (axes,) = figure.axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["dontneed", "remap"]
    signs = [text.get_text() for text in axes.texts]
    assert (signs.count(SIGNS[Seen.KEPT]), signs.count(SIGNS[Seen.LOST])) == (2, 2)
    # those that were not checked when it was measured have no column
    assert [label.get_text() for label in axes.get_xticklabels()] == ["cache", "cow", "vmas"]


def test_result_without_contracts_has_no_matrix(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no contract"):
        chart.draw(Results(written(tmp_path, {"zap/remap/shmem/4k/4k": (1,)})), "contract")
