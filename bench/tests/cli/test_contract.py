# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench contract``."""

import json

from command import Command, Replay, golden, trimmed


def test_contract_is_as_committed(zapbench: Command, replay: Replay) -> None:
    done = zapbench("contract", "contract/*/shmem/4k/4k")
    golden("small.contract.txt", trimmed(done.out))
    assert done.status == 1  # a promise was broken
    matrix = json.loads(zapbench("contract", "contract/*/shmem/4k/4k", "--json").out)
    (section,) = matrix["sections"]
    words = {line["method"]: line["kept"] for line in section["lines"]}
    assert words["overmap"] == {"cache": "BROKEN", "cow": "—", "vmas": "lost"}
    assert "dontunmap" in section["absent"]
