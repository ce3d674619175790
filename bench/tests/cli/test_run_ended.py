# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench run`` as a process on the running kernel, ended in every way."""

import contextlib
import os
import signal
import subprocess
from pathlib import Path

import pytest
from command import start
from limits import seconds, until
from toy_settings import as_before, now

from zapbench import record
from zapbench.error import SchemaError
from zapbench.record import Error
from zapbench.result import store

REAL = ("run", "--quick", "zap/*/shmem/4k/4k", "zap/*/hugetlb/2m/2m", "--boots", "3")


def child_of(process: subprocess.Popen[str]) -> int | None:
    """The pid of the C program of a running `zapbench run`; None between two boots."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    for child in children.read_text().split():
        with contextlib.suppress(FileNotFoundError, ProcessLookupError):
            if Path(f"/proc/{child}/comm").read_text().strip() == "zapbench-guest":
                return int(child)
    return None


def under_way(process: subprocess.Popen[str], results: Path) -> int:
    """Wait until something is finished and on disk, and more is being run by this child."""

    def found() -> int | None:
        assert process.poll() is None, process.communicate()
        with contextlib.suppress(SchemaError):
            if record.finished(record.load(results / store.RECORDS).records):
                return child_of(process)
        return None

    child = until(found, "something is finished and something runs")
    assert child is not None
    return child


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=seconds(120))
    assert "Traceback" not in err, err
    return out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_what_was_finished_and_resume_goes_on(
    tmp_path: Path, number: signal.Signals
) -> None:
    before = now()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    under_way(process, tmp_path / "r")
    process.send_signal(number)
    _, err = ended(process)
    assert process.returncode == 130, err
    assert f"{number.name}: what was finished is in" in err.splitlines()[-1]
    assert "--resume -o" in err.splitlines()[-1]
    recording = record.load(tmp_path / "r" / store.RECORDS)
    assert recording.truncated is None
    as_before(before)
    done = record.finished(recording.records)
    assert {boot for boot, _ in done} < {0, 1, 2}
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    _, err = ended(process)
    assert process.returncode == 0, err
    after = record.load(tmp_path / "r" / store.RECORDS)
    assert record.finished(after.records) > done
    assert record.failures(after.records) == []


def test_a_killed_c_program_is_reported_and_what_came_is_kept(tmp_path: Path) -> None:
    before = now()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    child = under_way(process, tmp_path / "r")
    os.kill(child, signal.SIGKILL)
    out, err = ended(process)
    assert process.returncode == 1
    assert "zapbench-guest was killed by SIGKILL" in err.splitlines()[-1]
    assert "error: zapbench-guest was killed by SIGKILL" in out
    as_before(before)
    seen, _ = ended(start("compare", "r", "r", cwd=tmp_path))
    assert seen.endswith("was measured; go on with: zapbench run --resume -o r\n")
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    out, err = ended(process)
    assert process.returncode == 0, err
    assert "incomplete: " not in out
    seen, _ = ended(start("compare", "r", "r", cwd=tmp_path))
    assert "incomplete: " not in seen


def test_a_killed_driver_leaves_a_file_that_can_be_gone_on_with(tmp_path: Path) -> None:
    before = now()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    under_way(process, tmp_path / "r")
    process.kill()
    process.communicate(timeout=seconds(60))
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    _, err = ended(process)
    assert process.returncode == 0, err
    as_before(before)
    recording = record.load(tmp_path / "r" / store.RECORDS)
    assert {boot for boot, _ in record.finished(recording.records)} == {0, 1, 2}


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("zap/dontneed/hugetlb/2m/64g", "hugetlb pool too small: 32768 pages of 2m needed"),
        ("zap/dontneed/shmem/4k/64g", "not enough memory: 65600 MiB needed"),
    ],
)
def test_what_the_machine_has_too_little_of_is_a_skip_with_the_number(
    tmp_path: Path, case: str, said: str
) -> None:
    process = start("run", case, "--boots", "1", "-o", tmp_path / "r", cwd=tmp_path)
    out, err = ended(process)
    assert f"skipped: {said}" in out
    assert said in err.splitlines()[-1]
    assert process.returncode == 2, err
    assert not record.load(tmp_path / "r" / store.RECORDS).of(Error)
