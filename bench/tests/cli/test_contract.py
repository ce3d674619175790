# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench contract``."""

import json
from pathlib import Path

import synthetic
from command import Command, Replay, golden, trimmed
from made_stream import skipped
from msgspec.structs import replace

from zapbench.record import Promise


def test_contract_is_as_committed(zapbench: Command, replay: Replay) -> None:
    done = zapbench("contract", "contract/*/shmem/4k/4k")
    golden("small.contract.txt", trimmed(done.out))
    assert "?: not tried;" in " ".join(done.out.split())
    assert "no-locked: locked memory is refused; lost: it takes locked memory" in done.out
    assert done.status == 1  # a promise was broken
    matrix = json.loads(zapbench("contract", "contract/*/shmem/4k/4k", "--json").out)
    (section,) = matrix["sections"]
    words = {line["method"]: line["kept"] for line in section["lines"]}
    assert words["overmap"] == {"cache": "broken", "cow": "nothing there", "vmas": "lost"}
    assert "dontunmap" in section["absent"]


def test_where_every_contract_is_skipped_nothing_was_measured(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    case = "contract/rwp/shmem/4k/4k"
    replay(skipped(tmp_path, {case: "no such call"}))
    done = zapbench("contract", case)
    assert "rwp: not available: no such call" in done.out
    assert "nothing was measured on synthetic, every case was skipped: no such call" in done.line
    assert done.status == 2


ANONYMOUS = "contract/madv_zap/anon/4k/4k"


def test_what_the_tables_call_refused_and_the_kernel_takes_is_an_error(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run = synthetic.run_of()
    said = "nothing behind it to fault back; but the call said: success"
    stream = synthetic.stream(run, synthetic.error(run, ANONYMOUS, said))
    (tmp_path / "taken").write_bytes(b"".join(stream))
    replay(tmp_path / "taken")
    done = zapbench("contract", "contract/madv_zap/anon/*")
    assert f"madv_zap: the tables are wrong: {said}" in done.out
    assert done.status == 1


def test_what_the_kernel_refuses_as_the_tables_say_is_shown_as_seen(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    replay(skipped(tmp_path, {ANONYMOUS: "nothing behind it to fault back; as seen"}))
    done = zapbench("contract", "contract/madv_zap/anon/*")
    assert "madv_zap: not available: nothing behind it to fault back; as seen" in done.out
    assert done.status == 0


def test_what_could_not_be_tested_is_told_with_the_reason(
    zapbench: Command, replay: Replay
) -> None:
    out = zapbench("contract", "contract/*/shmem/4k/4k").out
    assert "nothing there: cow: a shared mapping has no private pages" in out


def test_what_a_call_makes_the_kernel_do_is_shown_where_it_was_counted(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run = synthetic.run_of()
    counts = {"calls": 4, "mmap_write": 0, "mmap_read": 4, "tlb_ipis": 5}
    counts |= {"contended": 200, "mmap_waited": 50, "vma_waited": 0}
    counted = Promise(True, True, "", counts=counts)
    seen = [synthetic.contract(run, f"contract/{name}/shmem/4k/4k") for name in ("dontneed", "rwp")]
    seen[0] = replace(seen[0], promises={"no-write-lock": counted})
    (tmp_path / "counted").write_bytes(b"".join(synthetic.stream(run, *seen)))
    replay(tmp_path / "counted")
    out = zapbench("contract", "contract/*/shmem/4k/4k").out
    rows = {words[0]: words[1:] for line in out.splitlines() if (words := line.split())}
    assert rows["mmap_write"] == ["0", "?"]
    assert rows["mmap_read"] == ["1", "?"]
    assert rows["tlb_ipis"] == ["1.25", "?"]
    assert rows["mmap_waited"] == ["0.25", "?"]
    assert rows["vma_waited"] == ["0", "?"]
    assert "table_waited" not in rows
    assert "mmap_read: times in a call that the mmap lock is taken for reading" in out
