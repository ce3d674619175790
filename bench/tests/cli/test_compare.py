# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench compare``."""

import json
from pathlib import Path

import synthetic
from command import SMALL, Command, Replay, run_small
from made_stream import CASE

from zapbench.result import store
from zapbench.result.table import TIER_NOTES


def test_a_truncated_recording_is_shown_and_said_to_be_incomplete(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / store.RECORDS).write_bytes(SMALL.read_bytes()[:-1000])
    run_small(zapbench, "-o", "r")
    done = zapbench("compare", cut, "r")
    assert done.status == 0
    assert "incomplete: " in done.out


def test_what_else_may_have_made_a_difference_is_said(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    text = SMALL.read_text().replace('"enabled":"madvise"', '"enabled":"always"')
    (tmp_path / "other.jsonl").write_text(text)
    run_small(zapbench, "-o", "r")
    alike = zapbench("compare", "r", SMALL)
    assert "measured differently" not in alike.out
    done = zapbench("compare", "r", "other.jsonl", "--json")
    assert json.loads(done.out)["differing"] == ["THP enabled (madvise / always)"]
    said = zapbench("compare", "r", "other.jsonl").out
    assert "measured differently: THP enabled (madvise / always)" in said
    assert done.status == 0


def test_times_of_an_emulated_machine_are_said_to_be_no_real_ones(
    zapbench: Command, tmp_path: Path
) -> None:
    for tier in ("tcg", "native"):
        run = synthetic.run_of(tier=tier)
        (tmp_path / tier).mkdir()
        lines = synthetic.stream(run, synthetic.samples(run, CASE, (5, 6, 7)))
        (tmp_path / tier / "records.jsonl").write_bytes(b"".join(lines))
    said = f"tcg: {TIER_NOTES['tcg']}"
    assert said in zapbench("compare", tmp_path / "tcg", tmp_path / "tcg").out
    assert said not in zapbench("compare", tmp_path / "native", tmp_path / "native").out


def test_a_foreign_record_file_is_one_line(zapbench: Command, tmp_path: Path) -> None:
    (tmp_path / store.RECORDS).write_text("{}\n")
    done = zapbench("compare", tmp_path, tmp_path)
    assert "is not a zapbench record file" in done.line
    assert done.status == 2
