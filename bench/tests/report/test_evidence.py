# SPDX-License-Identifier: GPL-2.0-only
"""What is known of each method: lost, not tried, or neither."""

from operator import attrgetter
from pathlib import Path
from typing import Any

import pytest
import synthetic
from drawn import FIGURES, written
from made_report import contract

from zapbench.record import Contract
from zapbench.report.evidence import Evidence, differences, evidence, loss_text, where_text
from zapbench.report.source import read
from zapbench.report.study import Group, study

PLACE = ("shmem", 4096)


def known(tmp_path: Path, *contracts: Contract) -> dict[str, Evidence]:
    return evidence(study(read([written(tmp_path / "results", FIGURES, *contracts)], "")).groups)


@pytest.mark.parametrize(
    ("seen", "lost", "untried"),
    [
        ({}, set(), set()),
        ({"lost": ["cow"]}, {"cow"}, set()),
        ({"untried": ["rss"]}, set(), {"rss"}),
        # of which a shared mapping has nothing: older records do not tell
        ({"untried": ["swap", "cow"]}, set(), set()),
        ({"lost": ["cow"], "untried": ["rss"], "nothing": ["wp"]}, {"cow"}, {"rss"}),
        # which MADV_ZAP does not promise
        ({"untried": ["soft-dirty"]}, set(), set()),
    ],
)
def test_a_method_is_solid_if_all_was_tried_and_kept(
    tmp_path: Path, seen: dict[str, Any], lost: set[str], untried: set[str]
) -> None:
    zap = contract("madv_zap", untried=["soft-dirty"])
    found = known(tmp_path, zap, contract("dontneed", **seen))["dontneed"]
    assert (set(found.lost), set(found.untried)) == (lost, untried)
    assert found.seen == {PLACE}
    assert found.solid == (not lost and not untried)


def test_what_zap_was_not_tried_for_it_promises_all_the_same(tmp_path: Path) -> None:
    zap, rival = contract("madv_zap", untried=["rss"]), contract("dontneed", untried=["rss"])
    found = known(tmp_path, zap, rival)["dontneed"]
    assert found.untried == {"rss": {PLACE}}


@pytest.mark.parametrize("zap", [{"lost": ["cow"]}, {"nothing": ["cow"]}])
def test_what_zap_does_not_keep_is_held_against_nobody(tmp_path: Path, zap: dict[str, Any]) -> None:
    rival = contract("dontneed", lost=["cow"])
    assert known(tmp_path, contract("madv_zap", **zap), rival)["dontneed"].solid


def test_where_zap_was_never_seen_its_promises_are_what_counts(tmp_path: Path) -> None:
    found = known(tmp_path, contract("dontneed", lost=["poison", "soft-dirty"]))["dontneed"]
    assert set(found.lost) == {"poison"}


def test_a_method_of_another_end_state_is_no_rival(tmp_path: Path) -> None:
    assert set(known(tmp_path, contract("madv_zap"), contract("mprotect"))) == {"madv_zap"}


def test_what_records_do_not_know_was_not_looked_at(tmp_path: Path) -> None:
    old = synthetic.contract(synthetic.run_of(), "contract/dontneed/shmem/4k/4k")
    found = known(tmp_path, old)["dontneed"]
    assert (set(found.kept), set(found.lost), set(found.untried)) == ({"cache"}, {"vmas"}, set())
    assert {"wp", "rss", "reclaim"} <= set(found.unlooked)
    assert not {"swap", "zeropage", "part", "soft-dirty"} & set(found.unlooked)
    assert not found.solid


def by_kernel(tmp_path: Path, *contracts: Contract) -> dict[Group, Evidence]:
    where = [written(tmp_path / c.run.kernel, FIGURES, c, kernel=c.run.kernel) for c in contracts]
    return {group: evidence([group])["dontneed"] for group in study(read(where, "")).groups}


def test_kernels_are_named_where_they_differ(tmp_path: Path) -> None:
    found = by_kernel(
        tmp_path,
        contract("dontneed", kernel="6.1", lost=["remote"], nothing=["poison"]),
        contract("dontneed", kernel="7.2", lost=["remote", "no-device", "poison"]),
        contract("dontneed", kernel="7.3", lost=["remote", "poison"], untried=["no-device", "rss"]),
    )
    lost = differences(found, attrgetter("lost"), loss_text)
    assert lost == (
        "cannot be done by another process and loses poison markers (shmem 4k); "
        "takes memory of a device (shmem 4k, on Linux 7.2)"
    )
    untried = differences(found, attrgetter("untried"), str)
    assert untried == "rss and no-device (shmem 4k, on Linux 7.3)"


def test_losses_and_places_have_words() -> None:
    assert loss_text("poison") == "loses poison markers"
    assert loss_text("of tomorrow") == "does not keep of tomorrow"
    assert where_text([("shmem", 4096), ("hugetlb", 2 << 20)]) == "hugetlb 2m, shmem 4k"
