# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench list``."""

import json

from command import PLACE, Command, Replay


def test_list_names_every_case_with_its_reason(zapbench: Command, replay: Replay) -> None:
    listed = json.loads(zapbench("list", "--quick", PLACE, "--json").out)
    by_case = {entry["case"]: entry for entry in listed}
    assert by_case["cycle/poison/shmem/4k/64k"]["supported"] == "excluded"
    assert by_case["zap/overmap/shmem/4k/64k"] == {
        "case": "zap/overmap/shmem/4k/64k",
        "supported": "broken",
        "reason": "promise cache broken",
    }
    assert "cases, " in zapbench("list", "--quick", PLACE).out


def test_what_needs_no_probe_is_listed(zapbench: Command, replay: Replay) -> None:
    for case in ("empty/-/anon/4k/4k", "zap/guard/hugetlb/2m/2m"):
        done = zapbench("list", case)
        assert case in done.out
        assert done.status == 0
