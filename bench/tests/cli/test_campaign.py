# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench campaign``: what is asked wrongly, and what it prints."""

import json
import os
from pathlib import Path

import pytest
from command import Command
from rebooted import CASE, Computer

from zapbench.campaign.journal import JOURNAL, load

HERE = os.uname().release
START = ("campaign", "start", HERE, "6.99")


@pytest.fixture(autouse=True)
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where commands are run."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["start", HERE], "Missing argument 'B'. See `zapbench campaign start --help`"),
        (["start", "6.1;ls", HERE], "'6.1;ls' is no release of a kernel"),
        (["start", "./absent", HERE], "cannot read kernel image absent"),
        (["start", HERE, "6.99", "zap/remapp/*"], "no case matches 'zap/remapp/*'"),
        (["start", HERE, "6.99", "zap/guard/hugetlb/2m/2m"], "no guard regions on hugetlb"),
        (["start", HERE, "6.99", "--boots", "1"], "1 is not in the range"),
        (["start", HERE, "6.99", "--boots", "101", "--processes", "100"], "10100 processes of"),
        (["start", HERE, "6.99", "--next-boot", "reboot"], "--next-boot has no {release} in it"),
        (["start", HERE, "6.99", "--accel", "icount"], "use it with --vm"),
        (["start", "--vm", "6.12", "6.12+no-such"], "no-such"),
        (["start", "--vm", "6.12", "6.12", "--processes", "2"], "one process a boot"),
        (
            ["start", "--vm", "6.12", "6.12", "--next-boot", "{release}"],
            "--next-boot is for reboots",
        ),
        (["start", HERE, "6.99", "-o", "/dev/null"], "/dev/null"),
        (["begin"], "No such command 'begin'. See `zapbench campaign --help`"),
        (["next"], "results holds no campaign here: name its directory with -o"),
        (["next", "-o", "."], "is no campaign: `zapbench campaign start A B -o DIR` begins one"),
        (["next", "-o", "absent"], "absent is no campaign"),
        (["status"], "results holds no campaign here"),
        (["status", "-o", "/etc/passwd"], "/etc/passwd/campaign.json"),
    ],
)
def test_a_wrong_request_is_one_line_and_status_2(
    zapbench: Command, place: Path, arguments: list[str], said: str
) -> None:
    done = zapbench("campaign", *arguments)
    assert said in done.line
    assert done.status == 2
    assert not list(place.rglob("*"))


def test_a_directory_with_something_in_it_is_left_alone(zapbench: Command, place: Path) -> None:
    assert zapbench(*START, CASE, "-o", "c").status == 0
    before = (place / "c" / JOURNAL).read_bytes()
    again = zapbench(*START, CASE, "-o", "c")
    assert "c holds a campaign: go on in it with: zapbench campaign next -o c" in again.line
    assert (place / "c" / JOURNAL).read_bytes() == before
    (place / "d").mkdir()
    (place / "d/mine").touch()
    said = zapbench(*START, CASE, "-o", "d").line
    assert said.strip().endswith("d is not empty: choose another with -o")


def test_without_a_name_it_is_numbered_and_the_last_one_is_meant(
    zapbench: Command, place: Path
) -> None:
    for number, boots in ((1, 2), (2, 3)):
        assert zapbench(*START, CASE, "--boots", boots).status == 0
        assert load(place / f"results/campaign-ab-{number}").boots == boots
    assert json.loads(zapbench("campaign", "status", "--json").out)["directory"].endswith("-2")


def test_a_kernel_that_is_not_installed_is_doubted(zapbench: Command) -> None:
    done = zapbench(*START, CASE)
    assert done.status == 0
    assert "6.99 does not run and is not in /boot or /lib/modules" in done.line
    assert HERE not in done.err


def test_the_plan_is_shown_and_given_as_json(computer: Computer, place: Path) -> None:
    a, b = computer.kernels
    words = (CASE, "--quick", "--boots", 2, "--processes", 1, "--seed", 7, "-o", "c")
    out, _ = computer.zapbench("campaign", "start", a, b, *words)
    due = f"boot 1 of 2 of base, {a}, is due; run: zapbench campaign next -o {place}/c"
    assert out.splitlines()[1:] == [due]
    out, _ = computer.zapbench("campaign", "next", "-o", "c", "--json")
    found = json.loads(out)
    assert (found["base"], found["head"], found["vm"], found["seed"]) == (a, b, False, 7)
    assert [(row["side"], row["boot"], row["state"]) for row in found["boots"]] == [
        ("base", 1, "done"),
        ("head", 1, "due"),
        ("head", 2, None),
        ("base", 2, None),
    ]
    assert found["boots"][0]["boot_id"] == computer.boot_id
    assert not found["complete"]
    first, head, *rows, last = computer.zapbench("campaign", "status", "-o", "c")[0].splitlines()
    assert first == f"base {a}, head {b}: 2 boots of each, 1 process a boot, 1 case in each, seed 7"
    assert head.split() == ["side", "boot", "kernel", "state", "began", "boot", "id"]
    assert rows[0].split()[:4] == ["base", "1", a, "done"]
    assert rows[0].endswith(computer.boot_id)
    assert rows[1].split() == ["head", "1", b, "due", "—", "—"]
    assert last == found["next"]


def test_a_users_command_is_run_after_a_turn(computer: Computer, place: Path) -> None:
    a, b = computer.kernels
    words = (CASE, "--quick", "--boots", 2, "--processes", 1, "-o", "c")
    command = "echo {release} >> next"
    computer.zapbench("campaign", "start", a, b, *words, "--next-boot", command)
    assert not (place / "next").exists()  # A runs
    out, _ = computer.zapbench("campaign", "next", "-o", "c")
    assert f"is due: `echo {b} >> next` chooses it, then run: " in out
    assert (place / "next").read_text() == f"{b}\n"
    computer.zapbench("campaign", "next", "-o", "c", status=2)
    assert (place / "next").read_text() == f"{b}\n"


def test_a_case_that_fails_is_named_and_the_turn_counts(computer: Computer, place: Path) -> None:
    a, b = computer.kernels
    words = ("minor_fault/dontneed/shmem/4k/4m/check=contents", "--quick", "--boots", 2, "-o", "c")
    computer.zapbench("campaign", "start", a, b, *words)
    out, err = computer.zapbench("campaign", "next", "-o", "c", status=1)
    assert "1 failed" in out
    assert "check=contents" in err
    assert len(load(place / "c").done) == 1
