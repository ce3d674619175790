# SPDX-License-Identifier: GPL-2.0-only
"""The commands as a user meets them; the last part runs them as processes."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
import synthetic

from zapbench import cli, record
from zapbench.case import Case
from zapbench.cli import where
from zapbench.record import Error, Samples
from zapbench.result import store
from zapbench.target import Replay
from zapbench.uffd import Userfaultfd

DATA = Path(__file__).parent / "data"
SMALL = DATA / "small.jsonl"
PLACE = "*/shmem/4k/64k*"
REMAP = Case.parse("zap/remap/shmem/4k/64k")
REAL = ("run", "--quick", "zap/*/shmem/4k/4k", "zap/*/hugetlb/2m/2m", "--boots", "3")
SETTINGS = (
    "/proc/sys/vm/nr_hugepages",
    "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/defrag",
)


class Outcome:
    def __init__(self, capsys, arguments) -> None:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        self.status = caught.value.code
        self.out, self.err = capsys.readouterr()

    @property
    def line(self) -> str:
        """The only line on standard error."""
        assert self.err.startswith("zapbench: ")
        assert self.err.count("\n") == 1, self.err
        return self.err


@pytest.fixture
def zapbench(capsys):
    """Run a command in this process."""
    return lambda *arguments: Outcome(capsys, arguments)


@pytest.fixture
def replay(monkeypatch, tmp_path):
    """Replace the running kernel by a recording, and results/ by a scratch directory."""

    def choose(path: Path = SMALL) -> None:
        monkeypatch.setattr(where, "Native", lambda: Replay(path))
        monkeypatch.setattr(where, "probe_userfaultfd", lambda: Userfaultfd("syscall"))
        monkeypatch.setattr("zapbench.host.settings.applied", nothing_applied)
        monkeypatch.chdir(tmp_path)

    @contextlib.contextmanager
    def nothing_applied(needs, **_):
        from zapbench.host.settings import Outcome as Applied

        yield Applied()

    choose()
    return choose


def run_small(zapbench, *more):
    return zapbench("run", "--quick", PLACE, "zap/dontneed/hugetlb/2m/2m", "--boots", 3, *more)


def golden(name: str, text: str) -> None:
    """Compare with a committed file; ZAPBENCH_GOLDEN=write makes it anew."""
    path = DATA / name
    if os.environ.get("ZAPBENCH_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def test_the_table_is_as_committed(zapbench, replay):
    done = run_small(zapbench, "-o", "r")
    golden("small.table.txt", trimmed(done.out))
    assert done.status == 1  # one case gave an error


def test_the_json_says_the_same(zapbench, replay):
    table = json.loads(run_small(zapbench, "--json", "-o", "r").out)
    rows = {row["case"]: row for group in table["groups"] for row in group["rows"]}
    assert rows["zap/dontneed/shmem/4k/64k"]["best"]
    assert rows["zap/dontneed/shmem/4k/64k"]["p99"] is not None
    assert rows["zap/remap/shmem/4k/64k"]["ratio"]["value"] == pytest.approx(3, rel=0.05)
    assert rows["zap/remap/shmem/4k/64k"]["p99"] is None
    assert rows["zap/punch_hole/shmem/4k/64k"]["differs"] == "loses the data"
    assert table["errors"] == [
        {"reason": "promise cache broken", "cases": ["zap/overmap/shmem/4k/64k"]}
    ]
    listed = {case for remark in table["skipped"] for case in remark["cases"]}
    assert listed == {"zap/rwp/shmem/4k/64k", "zap/dontneed/hugetlb/2m/2m"}
    assert "cycle/poison/shmem/4k/64k" in table["excluded"][0]["cases"]


def test_a_run_leaves_records_and_a_suite(zapbench, replay, tmp_path):
    run_small(zapbench, "-o", "r", "--seed", 7)
    results = store.Results(tmp_path / "r")
    assert results.recording.truncated is None
    assert len(results.timings[REMAP].boots) == 3
    assert (tmp_path / "r" / store.SUITE).exists()


def test_results_get_a_numbered_directory_by_default(zapbench, replay, tmp_path):
    for _ in range(2):
        run_small(zapbench)
    found = sorted(path.name for path in (tmp_path / "results").iterdir())
    assert found == ["synthetic-native-1", "synthetic-native-2"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["run", "zap/remapp/*"], "no case matches 'zap/remapp/*'"),
        (["run", "zap/remapp/shmem/4k/4k"], "near it: "),
        (["run", "zap/guard/hugetlb/2m/2m"], "no guard regions on hugetlb"),
        (["run", "--boots", "0"], "0 is not in the range"),
        (["run", "--no-such-option"], "No such option"),
        (["run", "--target", "native", "--kernel", "6.12"], "use --target vm"),
        (["run", "--target", "vm"], "needs --kernel"),
        (["list", "qqq*"], "no case matches"),
        (["contract", "zap/*"], "no case matches"),
        (["nonsense"], "No such command"),
        (["compare", "absent", "absent"], "does not exist"),
        (["run", "--resume", "-o", "absent/results"], "holds no records.jsonl.gz"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2(zapbench, tmp_path, monkeypatch, arguments, said):
    monkeypatch.chdir(tmp_path)
    done = zapbench(*arguments)
    assert said in done.line
    assert done.status == 2
    assert not list(tmp_path.glob("**/*.gz"))


def test_an_occupied_result_directory_is_one_line_and_untouched(zapbench, replay, tmp_path):
    run_small(zapbench, "-o", "r")
    before = (tmp_path / "r" / store.RECORDS).read_bytes()
    done = run_small(zapbench, "-o", "r")
    assert "is not empty" in done.line
    assert done.status == 2
    assert (tmp_path / "r" / store.RECORDS).read_bytes() == before
    assert "cannot use /proc/none" in run_small(zapbench, "-o", "/proc/none").line


def test_refused_userfaultfd_is_one_line_and_leaves_no_directory(zapbench, replay, monkeypatch):
    monkeypatch.setattr(where, "probe_userfaultfd", lambda: Userfaultfd(error=1))
    done = run_small(zapbench, "-o", "r")
    assert "userfaultfd is refused (Operation not permitted): run as root" in done.err
    assert done.status == 2
    assert not Path("r").exists()


def test_a_truncated_recording_is_shown_and_said_to_be_incomplete(zapbench, replay, tmp_path):
    cut = tmp_path / "cut"
    cut.mkdir()
    (cut / store.RECORDS).write_bytes(SMALL.read_bytes()[:-1000])
    run_small(zapbench, "-o", "r")
    done = zapbench("compare", cut, "r")
    assert done.status == 0
    assert "incomplete: " in done.out


def test_a_foreign_record_file_is_one_line(zapbench, tmp_path):
    (tmp_path / store.RECORDS).write_text("{}\n")
    done = zapbench("compare", tmp_path, tmp_path)
    assert "is not a zapbench record file" in done.line
    assert done.status == 2


def test_a_full_disk_is_one_line_and_keeps_what_was_there(zapbench, replay, small_disk):
    ballast = small_disk / "ballast"
    with contextlib.suppress(OSError), ballast.open("wb", buffering=0) as file:
        while file.write(bytes(4096)) == 4096:
            pass
    os.truncate(ballast, ballast.stat().st_size // 4096 * 4096 - 8192)
    done = run_small(zapbench, "-o", small_disk / "r")
    last = done.err.splitlines()[-1]
    assert "No space left on device" in last
    assert "zap: shmem, 4k pages, 64k range" in done.out or not done.out
    assert "make room, then `zapbench run --resume`" in last
    assert done.status == 2
    kept = record.load(small_disk / "r" / store.RECORDS)
    assert len(kept.of(record.Context)) >= 1


def test_resuming_adds_what_is_missing_and_nothing_else(zapbench, replay, tmp_path):
    run_small(zapbench, "-o", "r", "--boots", 1)
    assert len(store.Results(tmp_path / "r").timings[REMAP].boots) == 1
    done = run_small(zapbench, "-o", "r", "--resume")
    results = store.Results(tmp_path / "r")
    assert len(results.timings[REMAP].boots) == 3
    names = [(each.run.boot, each.case) for each in results.recording.of(Samples)]
    assert len(names) == len(set(names))
    assert "seed 7" in done.err  # that of the first run's records


def test_resuming_another_kernel_s_results_is_refused(zapbench, replay, tmp_path):
    store.create(tmp_path / "r").close()
    lines = synthetic.stream(synthetic.run_of(kernel="6.1", tier="kvm"))
    (tmp_path / "r" / store.RECORDS).write_bytes(b"".join(lines))
    done = run_small(zapbench, "-o", "r", "--resume")
    assert "holds 6.1 (kvm), not" in done.line


def test_list_names_every_case_with_its_reason(zapbench, replay):
    listed = json.loads(zapbench("list", "--quick", PLACE, "--json").out)
    by_case = {entry["case"]: entry for entry in listed}
    assert by_case["cycle/poison/shmem/4k/64k"]["supported"] == "excluded"
    assert by_case["zap/overmap/shmem/4k/64k"] == {
        "case": "zap/overmap/shmem/4k/64k",
        "supported": "broken",
        "reason": "promise cache broken",
    }
    assert "cases, " in zapbench("list", "--quick", PLACE).out


def test_contract_is_as_committed(zapbench, replay):
    done = zapbench("contract", "contract/*/shmem/4k/4k")
    golden("small.contract.txt", trimmed(done.out))
    assert done.status == 1  # a promise was broken
    matrix = json.loads(zapbench("contract", "contract/*/shmem/4k/4k", "--json").out)
    (section,) = matrix["sections"]
    words = {line["method"]: line["kept"] for line in section["lines"]}
    assert words["overmap"] == {"cache": "BROKEN", "cow": "—", "vmas": "lost"}
    assert "dontunmap" in section["absent"]


def test_doctor_says_what_it_sees(zapbench):
    done = zapbench("doctor")
    assert "userfaultfd" in done.out
    findings = json.loads(zapbench("doctor", "--json").out)
    assert set(findings["userfaultfd"]) == {"state", "seen", "mend"}
    missing = any(found["state"] == "missing" for found in findings.values())
    assert done.status == (2 if missing else 0)


# ---- as processes, on the running kernel ----


def system_settings() -> list[str]:
    """What a run may change while it lasts."""
    return [Path(name).read_text() for name in SETTINGS if Path(name).exists()]


def start(*arguments, **options) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "zapbench", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def wait_for_child(process: subprocess.Popen[str], seconds: float = 60) -> int:
    """The pid of the C program of a running `zapbench run`."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and process.poll() is None:
        for child in children.read_text().split():
            if Path(f"/proc/{child}/comm").read_text().strip() == "zapbench-guest":
                return int(child)
        time.sleep(0.01)
    raise AssertionError(f"no zapbench-guest ran: {process.communicate()}")


def ended(process: subprocess.Popen[str]) -> tuple[str, str]:
    out, err = process.communicate(timeout=120)
    assert "Traceback" not in err, err
    return out, err


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_saves_what_was_finished_and_resume_goes_on(tmp_path, number):
    before = system_settings()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    wait_for_child(process)
    time.sleep(0.5)
    process.send_signal(number)
    _, err = ended(process)
    assert process.returncode == 130, err
    assert f"{number.name}: what was finished is in" in err.splitlines()[-1]
    assert "--resume -o" in err.splitlines()[-1]
    recording = record.load(tmp_path / "r" / store.RECORDS)
    assert recording.truncated is None
    assert system_settings() == before
    done = record.finished(recording.records)
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    _, err = ended(process)
    assert process.returncode == 0, err
    after = record.load(tmp_path / "r" / store.RECORDS)
    assert record.finished(after.records) > done
    assert record.failures(after.records) == []


def test_a_killed_c_program_is_reported_and_what_came_is_kept(tmp_path):
    before = system_settings()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    child = wait_for_child(process)
    time.sleep(0.5)
    os.kill(child, signal.SIGKILL)
    out, err = ended(process)
    assert process.returncode == 1
    assert "zapbench-guest was killed by SIGKILL" in err.splitlines()[-1]
    assert "incomplete: " in out
    assert system_settings() == before
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    out, err = ended(process)
    assert process.returncode == 0, err
    assert "incomplete: " not in out


def test_a_killed_driver_leaves_a_file_that_can_be_gone_on_with(tmp_path):
    before = system_settings()
    process = start(*REAL, "-o", tmp_path / "r", cwd=tmp_path)
    wait_for_child(process)
    time.sleep(2)
    process.kill()
    process.communicate(timeout=60)
    process = start(*REAL, "-o", tmp_path / "r", "--resume", cwd=tmp_path)
    _, err = ended(process)
    assert process.returncode == 0, err
    assert system_settings() == before
    recording = record.load(tmp_path / "r" / store.RECORDS)
    assert {boot for boot, _ in record.finished(recording.records)} == {0, 1, 2}


def test_output_that_cannot_be_written_is_one_line():
    with open("/dev/full", "w") as full:
        process = subprocess.run(
            [sys.executable, "-m", "zapbench", "doctor"],
            stdout=full,
            stderr=subprocess.PIPE,
            text=True,
            timeout=60,
            check=False,
        )
    assert process.returncode == 2
    assert process.stderr == (
        "zapbench: cannot write the output: No space left on device; make room and try again\n"
    )


def test_a_reader_that_goes_away_is_no_error_message():
    process = start("list", "--quick", "zap/mprotect/*")
    process.stdout.close()
    assert process.wait(timeout=120) == 141
    assert "Traceback" not in process.stderr.read()
    process.stderr.close()


@pytest.mark.parametrize(
    ("case", "said"),
    [
        ("zap/dontneed/hugetlb/2m/64g", "hugetlb pool too small: 32768 pages of 2m needed"),
        ("zap/dontneed/shmem/4k/64g", "not enough memory: 65600 MiB needed"),
    ],
)
def test_what_the_machine_has_too_little_of_is_a_skip_with_the_number(tmp_path, case, said):
    process = start("run", case, "--boots", "1", "-o", tmp_path / "r", cwd=tmp_path)
    out, err = ended(process)
    assert f"skipped: {said}" in out
    assert process.returncode == 0, err
    assert not record.load(tmp_path / "r" / store.RECORDS).of(Error)
