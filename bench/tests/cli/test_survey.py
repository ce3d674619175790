# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench survey`` on a recording."""

import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import fail
from made_bridge import PLACE
from made_stream import skipped

from zapbench import cli, target, where
from zapbench.error import EnvironmentMissing, LostVm
from zapbench.record import Samples, only_writer
from zapbench.result.store import RECORDS, Results
from zapbench.target import Job, Replay


@pytest.fixture
def here(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, native: Path) -> None:
    """The running kernel is a recording, and there is no QEMU."""
    empty = tmp_path / "bin"
    empty.mkdir()
    monkeypatch.setenv("PATH", str(empty))
    monkeypatch.setattr(where, "Native", lambda: Replay(native / RECORDS))
    monkeypatch.setattr(where, "require_userfaultfd", lambda: None)
    monkeypatch.chdir(tmp_path)


def survey(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    with pytest.raises(SystemExit) as caught:
        cli.main(["survey", f"cycle/*/{PLACE}", "--boots", "2", "-o", "s", *arguments])
    assert isinstance(caught.value.code, int)
    return caught.value.code, *capsys.readouterr()


def test_a_survey_without_qemu_does_the_native_part(
    here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    status, out, err = survey(capsys)
    assert status == 0
    (line,) = (line for line in err.splitlines() if line.startswith("zapbench: icount: "))
    assert "qemu-system-x86_64" in line
    assert "cycle: shmem, 4k pages, 4k range" in out
    made = sorted(path.name for path in (tmp_path / "s").iterdir())
    assert made == ["native", "native-cycle.png", "native-cycle.svg", "report", "request.json"]


@pytest.mark.parametrize(
    ("kernel", "said"),
    [
        ("6.12+madv-zap?boot=a b", "boot words are printable ASCII"),
        ("6.99+madv-zap", "unknown kernel '6.99+madv-zap'"),
        ("/nowhere/bzImage", "cannot read kernel image"),
    ],
)
def test_a_wrong_kernel_is_said_before_anything_is_measured(
    here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path, kernel: str, said: str
) -> None:
    status, out, err = survey(capsys, "--kernel", kernel)
    assert (status, out) == (2, "")
    assert said in err
    assert err.count("\n") == 1
    assert not (tmp_path / "s").exists()


def test_a_survey_is_gone_on_with(
    here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def timed() -> int:
        return len(Results(tmp_path / "s/native").recording.of(Samples))

    survey(capsys)
    before = timed()
    assert "s is not empty" in survey(capsys)[2]
    (tmp_path / "s/native-cycle.svg").unlink()
    with pytest.raises(SystemExit) as caught:
        cli.main(["survey", "--resume", "-o", "s"])
    assert caught.value.code == 0
    assert (tmp_path / "s/native-cycle.svg").exists()
    assert timed() == before > 0


def test_a_survey_tells_what_broke_after_drawing(
    here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def lost(*_: object, **__: object) -> None:
        raise LostVm("the machine died")

    monkeypatch.setattr("zapbench.vm.VmTarget", lost)
    status, _, err = survey(capsys)
    assert status == 1
    assert "zapbench: icount: the machine died" in err
    assert (tmp_path / "s/native-cycle.svg").exists()


def test_a_survey_where_nothing_can_run_fails(
    here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    def refused() -> None:
        raise EnvironmentMissing("userfaultfd is refused")

    monkeypatch.setattr(where, "require_userfaultfd", refused)
    status, _, err = survey(capsys)
    assert status == 2
    assert err.splitlines()[-1].startswith("zapbench: neither part could be measured")
    assert not (tmp_path / "s").exists()


def test_a_survey_that_measures_nothing_fails(
    here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    case = f"cycle/madv_zap/{PLACE}"
    skips = skipped(tmp_path, {case: "no such call"})
    monkeypatch.setattr(where, "Native", lambda: Replay(skips))
    with pytest.raises(SystemExit) as caught:
        cli.main(["survey", case, "--boots", "1", "-o", "s"])
    native, _, last = capsys.readouterr().err.splitlines()[-3:]
    assert caught.value.code == 2
    assert native.startswith("zapbench: native: nothing was measured on synthetic")
    assert last.startswith("zapbench: neither part could be measured")


def test_a_survey_of_an_unknown_case_is_one_line(
    here: None, capsys: pytest.CaptureFixture[str]
) -> None:
    line = fail(capsys, "survey", "cycle/nonsense/*", "-o", "s")
    assert "no case matches" in line
    assert not Path("s").exists()


def test_an_interrupted_survey_says_how_it_is_gone_on_with(
    here: None, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    class Stopped(Replay):
        def run(self, job: Job) -> Iterator[bytes]:
            for line in super().run(job):
                yield line
                os.kill(os.getpid(), signal.SIGINT)

    with monkeypatch.context() as patch:
        patch.setattr(where, "Native", lambda: Stopped(tmp_path / "native" / RECORDS))
        status, _, err = survey(capsys)
    assert status == 130
    assert err.endswith("go on with: zapbench survey --resume -o s\n")
    with pytest.raises(SystemExit) as caught:
        cli.main(["survey", "--resume", "-o", "s"])
    assert caught.value.code == 0
    timings = Results(tmp_path / "s/native").timings.values()
    assert {len(each.boots) for each in timings} == {2}


def test_two_surveys_do_not_share_a_directory(
    here: None, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    survey(capsys)
    with only_writer(tmp_path / "s"):
        status, _, err = survey(capsys, "--resume")
    assert status == 2
    assert "another run writes into s: wait for it" in err


def test_a_survey_draws_the_bridge(
    here: None,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    icount: Path,
) -> None:
    class Machine(target.Replay):
        def __init__(self, *_: object, **__: object) -> None:
            super().__init__(icount / RECORDS)

    monkeypatch.setattr("zapbench.vm.VmTarget", Machine)
    status, out, _ = survey(capsys)
    assert status == 0
    assert "measured nowhere" in out
    made = sorted(path.name for path in (tmp_path / "s").glob("*.*"))
    names = ("bridge", "icount-cycle", "native-cycle")
    charts = [f"{name}{suffix}" for name in names for suffix in (".png", ".svg")]
    assert made == [*charts, "request.json"]
