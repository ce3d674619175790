# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench doctor``."""

import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Command, Outcome
from limits import seconds, until
from toy_settings import MIB, POOL_2M, holder, kill, on_this_machine

from zapbench.host import settings
from zapbench.host.root import as_root

POOL = Path("/", POOL_2M, "nr_hugepages")
needs_root = pytest.mark.skipif(
    not os.access(POOL, os.W_OK),
    reason="changes the hugetlb pool of this machine: needs root and 2 MiB pages",
)


def test_doctor_says_what_it_sees(zapbench: Command) -> None:
    done = zapbench("doctor")
    assert "userfaultfd" in done.out
    findings = json.loads(zapbench("doctor", "--json").out)
    assert set(findings["userfaultfd"]) == {"state", "seen", "fix"}
    missing = any(found["state"] == "missing" for found in findings.values())
    assert done.status == (2 if missing else 0)


@pytest.fixture
def real(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with on_this_machine(tmp_path / "state", monkeypatch):
        yield


@pytest.fixture
def left(real: None) -> Iterator[int]:
    """The size of a pool that a killed run has left larger."""
    with settings.applied(settings.Needs(mthp=frozenset({2 * MIB})), patience=seconds(120)):
        before = int(POOL.read_text())
        wanted = (settings.pool_free(Path("/"), 2 * MIB) + 2) * 2 * MIB
    with holder(Path("/"), wanted) as process:
        kill(process)
    yield before
    assert int(POOL.read_text()) == before


def restored(zapbench: Command, *more: str) -> Outcome:
    """What the command says that is tried until no other run of this machine is in its way."""

    def tried() -> Outcome | None:
        done = zapbench("doctor", "--restore", *more)
        return None if "another zapbench is measuring" in done.err else done

    done = until(tried, "the end of other runs", 120)
    assert done is not None
    return done


@needs_root
def test_what_a_killed_run_left_is_shown_and_restored(zapbench: Command, left: int) -> None:
    def shown() -> dict[str, str]:
        found: dict[str, str] = json.loads(zapbench("doctor", "--json").out)["settings"]
        return found

    until(lambda: shown()["fix"], "a look between other runs")
    row = shown()
    assert row["state"] == "warn"
    assert "changed by a run that was killed: hugetlb pool of 2048 KiB pages" in row["seen"]
    assert row["fix"] == as_root("zapbench doctor --restore")
    done = restored(zapbench)
    assert f"put back: hugetlb pool of 2048 KiB pages: {left}" in done.out
    assert (done.status, done.err) == (0, "")
    done = restored(zapbench)
    assert (done.status, done.out) == (0, "nothing to restore\n")
    assert shown()["fix"] == ""


@needs_root
def test_what_is_restored_is_told_as_json(zapbench: Command, left: int) -> None:
    first = json.loads(restored(zapbench, "--json").out)["put_back"][0]
    assert (first["setting"], first["old"]) == ("hugetlb pool", str(left))


@needs_root
def test_settings_of_a_run_that_goes_on_are_not_restored(zapbench: Command, real: None) -> None:
    with holder(Path("/"), 0):
        done = zapbench("doctor", "--restore")
        assert "another zapbench is measuring on this machine" in done.line
        assert (done.status, done.out) == (2, "")
        assert json.loads(zapbench("doctor", "--json").out)["settings"]["state"] == "ok"


@needs_root
@pytest.mark.parametrize(
    "words",
    [
        ("run", "zap/mprotect/anon/4k/4k", "--boots", "1"),
        ("list", "zap/mprotect/anon/4k/4k"),
        ("contract", "contract/mprotect/anon/4k/4k"),
        ("calibrate", "zap/mprotect/anon/4k/4k", "--boots", "2"),
        ("survey", "cycle/mprotect/anon/4k/4k", "--boots", "1", "--kernel", "git:/nowhere@x"),
    ],
    ids=lambda words: words[0],
)
def test_every_command_that_runs_natively_restores(
    zapbench: Command,
    left: int,
    words: tuple[str, ...],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(tmp_path)
    done = zapbench(*words)
    assert "put back hugetlb pool, left by a run that was killed" in done.err
    assert int(POOL.read_text()) == left
