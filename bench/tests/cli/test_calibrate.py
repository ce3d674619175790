# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench calibrate``, and a gate on what it found."""

import contextlib
from collections.abc import Iterator
from pathlib import Path

import pytest
from command import Outcome
from gate_boots import (
    QUIET,
    RELATIVE,
    REMAP,
    ZAP,
    Gate,
    Machine,
    Machines,
    MakeResult,
    live,
    verdicts,
)

from zapbench.error import LostVm
from zapbench.record import Samples
from zapbench.result.store import Results
from zapbench.target import Job


def test_time_is_judged_only_where_the_noise_is_known(
    gate: Gate,
    machines: Machines,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = machines(10_000, 10_000)
    for machine in made.values():
        machine.tier = "kvm"
    monkeypatch.setattr("zapbench.gate.fingerprint.output", lambda words: "QEMU 1")
    assert "is missing" in live(gate).line
    monkeypatch.setattr(
        "zapbench.gate.calibrate.choose",
        lambda *_: Machine("base", lambda c, b: 9000 + b, "kvm"),
    )
    calibrated = Outcome(capsys, ["calibrate", ZAP, REMAP, "--boots", 3, "-o", "c"])
    assert calibrated.status == 0
    assert ZAP in calibrated.out
    assert live(gate, "--results", "r").status == 0


def test_the_noise_of_a_case_that_was_not_calibrated_is_unknown(
    gate: Gate,
    machines: Machines,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    made = machines(10_000, 10_000)
    for machine in made.values():
        machine.tier = "kvm"
    monkeypatch.setattr("zapbench.gate.fingerprint.output", lambda words: "QEMU 1")
    monkeypatch.setattr(
        "zapbench.gate.calibrate.choose",
        lambda *_: Machine("base", lambda c, b: 9000 + b, "kvm"),
    )
    assert Outcome(capsys, ["calibrate", REMAP, "--boots", 3, "-o", "c"]).status == 0
    done = live(gate, "--format", "json")
    assert verdicts(done)[RELATIVE] == "NO_FLOOR"
    assert verdicts(done)[REMAP, "+2 %"] == "WITHIN"
    assert done.status == 4


def test_times_of_another_machine_than_the_calibrated_one_are_refused(
    gate: Gate,
    result: MakeResult,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(
        "zapbench.gate.calibrate.choose",
        lambda *_: Machine("base", lambda c, b: 9000 + b, "native"),
    )
    monkeypatch.setattr("zapbench.gate.calibrate.prepared", lambda *_: contextlib.nullcontext())
    assert Outcome(capsys, ["calibrate", ZAP, REMAP, "--boots", 3, "-o", "c"]).status == 0
    here = result("base", QUIET, tier="native"), result("head", QUIET, tier="native")
    assert gate(*here).status == 0
    away = [result(f"{n}2", QUIET, tier="native", cpu="slow") for n in ("base", "head")]
    assert "not measured where the noise floor was: CPU (none / slow)" in gate(*away).line


def test_a_calibration_that_was_cut_off_is_gone_on_with(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    class Lost(Machine):
        def run(self, job: Job) -> Iterator[bytes]:
            if job.boot == 3:
                raise LostVm("the machine died")
            return super().run(job)

    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    monkeypatch.setattr("zapbench.gate.fingerprint.output", lambda words: "QEMU 1")
    for kind, words in ((Lost, [ZAP, "--boots", 3]), (Machine, ["--resume"])):
        machine = kind("base", lambda c, b: 9000 + b, "kvm")
        monkeypatch.setattr("zapbench.gate.calibrate.choose", lambda *_, m=machine: m)
        done = Outcome(capsys, ["calibrate", *words, "-o", "c"])
        if kind is Lost:
            assert done.status == 1
            last = done.err.splitlines()[-1]
            assert last.endswith(
                "the machine died (boot 3); go on with: zapbench calibrate --resume -o c"
            )
    assert done.status == 0
    figures = Results(tmp_path / "c").recording.of(Samples)
    assert sorted(each.run.boot for each in figures) == list(range(6))
