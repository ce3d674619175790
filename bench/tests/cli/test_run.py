# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench run`` on a recording."""

import contextlib
import json
import os
from pathlib import Path

import pytest
import synthetic
from command import REMAP, SMALL, Command, Replay, run_small
from made_stream import skipped

from zapbench import record, where
from zapbench.record import Samples
from zapbench.result import store
from zapbench.result.request import REQUEST, SEED
from zapbench.uffd import Userfaultfd


def test_a_run_leaves_records_and_a_suite(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r", "--seed", 7)
    results = store.Results(tmp_path / "r")
    assert record.load(tmp_path / "r" / store.RECORDS).truncated is None
    assert len(results.timings[REMAP].boots) == 3
    assert (tmp_path / "r" / store.SUITE).exists()


def test_two_runs_have_the_same_seed_where_none_is_asked_for(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    for name in "ab":
        run_small(zapbench, "-o", name)
        assert json.loads((tmp_path / name / REQUEST).read_text())["asked"]["seed"] == SEED


def test_results_get_a_numbered_directory_by_default(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    for _ in range(2):
        run_small(zapbench)
    found = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert found == ["synthetic-native-1", "synthetic-native-2"]


def test_an_occupied_result_directory_is_one_line_and_untouched(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r")
    before = (tmp_path / "r" / store.RECORDS).read_bytes()
    done = run_small(zapbench, "-o", "r")
    assert "is not empty" in done.line
    assert done.status == 2
    assert (tmp_path / "r" / store.RECORDS).read_bytes() == before
    assert "cannot use /proc/none" in run_small(zapbench, "-o", "/proc/none").line


def test_a_full_disk_is_one_line_and_keeps_what_was_there(
    zapbench: Command, replay: Replay, small_disk: Path
) -> None:
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    os.truncate(ballast, ballast.stat().st_size // 4096 * 4096 - 8192)
    done = run_small(zapbench, "-o", small_disk / "r")
    last = done.err.splitlines()[-1]
    assert "No space left on device" in last
    assert "zap: shmem, 4k pages, 64k range" in done.out or not done.out
    assert f"make room; go on with: zapbench run --resume -o {small_disk / 'r'}" in last
    assert done.status == 2
    kept = record.load(small_disk / "r" / store.RECORDS)
    assert len(kept.of(record.Context)) >= 1


def test_resuming_adds_what_is_missing_and_nothing_else(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r", "--boots", 1)
    assert len(store.Results(tmp_path / "r").timings[REMAP].boots) == 1
    run_small(zapbench, "-o", "r", "--resume")
    results = store.Results(tmp_path / "r")
    assert len(results.timings[REMAP].boots) == 3
    names = [(each.run.boot, each.case) for each in results.recording.of(Samples)]
    assert len(names) == len(set(names))


def test_a_kernel_that_was_built_again_is_another(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    """Its boots are not pooled with those of before, whose directory stays as it was."""
    for name in ("old", "new"):
        text = SMALL.read_text().replace('"build_id":null', f'"build_id":"{name}"')
        (tmp_path / f"{name}.jsonl").write_text(text)
    replay(tmp_path / "old.jsonl")
    run_small(zapbench, "-o", "r", "--boots", 1)
    before = record.load(tmp_path / "r" / store.RECORDS)
    replay(tmp_path / "new.jsonl")
    done = run_small(zapbench, "-o", "r", "--resume")
    last = done.err.splitlines()[-1]
    assert "r holds boots of build old of synthetic, and this is build new: measure it into" in last
    assert "go on with" not in last
    assert done.status == 2
    assert record.load(tmp_path / "r" / store.RECORDS).records == before.records


def test_what_was_asked_is_gone_on_with(
    zapbench: Command, replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run_small(zapbench, "-o", "a b/r", "--boots", 1, "--seed", 5)
    asked = json.loads(Path("a b/r/request.json").read_text())["asked"]
    assert (asked["boots"], asked["seed"], asked["quick"]) == (1, 5, True)
    (tmp_path / "elsewhere").mkdir()
    monkeypatch.chdir(tmp_path / "elsewhere")
    done = zapbench("run", "--resume", "-o", "../a b/r")
    assert f"seed 5, into {Path.cwd()}" in done.err
    assert Path.cwd() == tmp_path / "elsewhere"
    assert len(store.Results(tmp_path / "a b/r").timings[REMAP].boots) == 1
    done = zapbench("run", "--resume", "-o", "../a b/r", "--boots", 2)
    assert len(store.Results(tmp_path / "a b/r").timings[REMAP].boots) == 2
    again = json.loads((tmp_path / "a b/r/request.json").read_text())["asked"]
    assert again == {**asked, "boots": 2}


def test_what_an_older_zapbench_began_wants_its_words_again(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "a b", "--boots", 1)
    (tmp_path / "a b" / REQUEST).unlink()
    done = zapbench("run", "--resume", "-o", "a b")
    assert done.status == 2
    assert "together with: zapbench run --resume -o 'a b'" in done.line
    done = run_small(zapbench, "-o", "a b", "--resume")
    assert "seed 7" in done.err  # that of the first run's records


ODD = (
    {"boots": 9_000_000_000_000_000_000},
    {"boots": 0},
    {"seed": -1},
    {"seed": 1 << 63},
    {"place": ""},
)


@pytest.mark.parametrize(
    "text",
    ["", "{}", "[]", "\0", '{"v":1,"command":"run"}']
    + [json.dumps({"v": 1, "command": "run", "asked": asked}) for asked in ODD],
)
def test_a_request_that_cannot_be_read_is_one_line(
    zapbench: Command, replay: Replay, tmp_path: Path, text: str
) -> None:
    run_small(zapbench, "-o", "r", "--boots", 1)
    (tmp_path / "r" / REQUEST).write_text(text)
    done = zapbench("run", "--resume", "-o", "r")
    assert done.status == 2
    assert "cannot read r/request.json (" in done.line
    (tmp_path / "r" / REQUEST).unlink()
    assert "results are in r" in run_small(zapbench, "-o", "r", "--resume").err


def test_a_request_of_another_version_is_left_to_that(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r", "--boots", 1)
    (tmp_path / "r" / REQUEST).write_text('{"v":2}')
    done = zapbench("run", "--resume", "-o", "r")
    assert "is of version 2, this zapbench reads 1" in done.line


def test_a_place_that_is_none_is_one_line(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r", "--boots", 1)
    for place, why in ((f"{tmp_path}/gone", "No such file"), ("/tmp\0x", "null byte")):
        asked = {"v": 1, "command": "run", "asked": {"quick": True, "place": place}}
        (tmp_path / "r" / REQUEST).write_text(json.dumps(asked))
        done = zapbench("run", "--resume", "-o", "r")
        assert done.status == 2
        assert why in done.line


def test_what_was_asked_is_begun_anew_where_no_record_is(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r", "--boots", 1)
    (tmp_path / "r" / store.RECORDS).unlink()
    assert "results are in r" in zapbench("run", "--resume", "-o", "r").err
    assert len(store.Results(tmp_path / "r").timings[REMAP].boots) == 1


def test_results_of_a_run_are_not_a_survey_s(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    run_small(zapbench, "-o", "r")
    done = zapbench("survey", "--resume", "-o", "r")
    assert done.line == "zapbench: go on in r with: zapbench run --resume -o r\n"


def test_resuming_another_kernel_s_results_is_refused(
    zapbench: Command, replay: Replay, tmp_path: Path
) -> None:
    store.create(tmp_path / "r").close()
    lines = synthetic.stream(synthetic.run_of(kernel="6.1", tier="kvm"))
    (tmp_path / "r" / store.RECORDS).write_bytes(b"".join(lines))
    done = run_small(zapbench, "-o", "r", "--resume")
    assert "holds 6.1 (kvm), not" in done.line


def test_refused_userfaultfd_is_one_line_and_leaves_no_directory(
    zapbench: Command, replay: Replay, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(where, "probe_userfaultfd", lambda: Userfaultfd(error=1))
    done = run_small(zapbench, "-o", "r")
    assert "userfaultfd is refused (Operation not permitted): run as root" in done.err
    assert done.status == 2
    assert not Path("r").exists()


@pytest.mark.parametrize("command", ["run", "calibrate"])
def test_where_every_case_is_skipped_nothing_was_measured(
    zapbench: Command, replay: Replay, tmp_path: Path, command: str
) -> None:
    reasons = {"zap/rwp/shmem/4k/64k": "no such call", "zap/dontneed/hugetlb/2m/2m": "no pages"}
    replay(skipped(tmp_path, reasons))
    done = zapbench(command, *reasons, "--boots", 2, "-o", "r")
    last = done.err.splitlines()[-1]
    assert "nothing was measured on synthetic, every case was skipped: no such call" in last
    assert "no pages" in last
    assert done.status == 2
    assert ("skipped: no pages" in done.out) == (command == "run")
    assert record.load(Path("r") / store.RECORDS).of(record.Skip)
