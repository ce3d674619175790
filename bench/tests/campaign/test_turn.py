# SPDX-License-Identifier: GPL-2.0-only
"""Turns of a campaign on this kernel, over reboots that are made up (see `rebooted`)."""

import signal
import subprocess
from pathlib import Path
from typing import Any

import msgspec
import pytest
from limits import seconds, until
from rebooted import CASE, Computer

from zapbench.campaign.journal import Journal, load, save
from zapbench.record import Context, End, is_there
from zapbench.record import load as load_records
from zapbench.result.store import RECORDS, Results

C = "campaign"
SIDES = ("base", "head")


@pytest.fixture
def campaign(computer: Computer) -> Path:
    """One of two boots of each kernel, with two processes each."""
    return begun(computer)


def begun(computer: Computer, *more: object, processes: int = 2) -> Path:
    words = (CASE, "--quick", "--boots", 2, "--processes", processes, "-o", "c", *more)
    computer.zapbench(C, "start", *computer.kernels, *words)
    return computer.place / "c"


def edit(campaign: Path, **changes: Any) -> Journal:
    save(campaign, msgspec.structs.replace(load(campaign), **changes))
    return load(campaign)


def contexts(side: Path) -> list[Context]:
    return load_records(side / RECORDS).of(Context) if is_there(side / RECORDS) else []


def refused(computer: Computer, campaign: Path, *more: object) -> str:
    """The line of a turn in which nothing is measured, and nothing changed."""
    before = [(path, path.read_bytes()) for path in campaign.rglob("*") if path.is_file()]
    out, err = computer.zapbench(C, "next", "-o", campaign, *more, status=2)
    assert not out
    for path, content in before:
        assert path.read_bytes() == content, path
    return err.splitlines()[-1]


def killed_half_way(computer: Computer, campaign: Path, number: int = signal.SIGKILL) -> str:
    """End a turn when its first process is done; what it said."""
    records = campaign / "base/records.jsonl"

    def half_way() -> bool:
        begun = load(campaign).begun
        if begun is None or begun.boot_id != computer.boot_id or not records.exists():
            return False  # what there is may be of the boot before
        return b'"end"' in records.read_bytes()

    with computer.start(C, "next", "-o", campaign) as process:
        until(half_way, "the first process")
        process.send_signal(number)
        _, err = process.communicate(timeout=seconds(60))
    assert load(campaign).done == ()
    assert load(campaign).begun is not None
    return err


def test_both_kernels_are_measured_by_turns_and_each_boot_is_told_from_the_others(
    computer: Computer, campaign: Path
) -> None:
    a, b = computer.kernels
    ids = []
    for kernel, other, side, number in (
        (a, b, "base", 1),
        (b, a, "head", 1),
        (b, a, "head", 2),
        (a, b, "base", 2),
    ):
        due = f"boot {number} of 2 of {side}, {kernel}, is due"
        computer.boot(other)
        said = refused(computer, campaign)
        assert f"nothing was measured: {other} runs, and {due}: " in said
        ids.append(computer.boot(kernel))
        out, _ = computer.zapbench(C, "next", "-o", campaign, cwd=Path("/"))
        measured = f"measured boot {number} of 2 of {side}, {kernel}: 2 processes, 1 case timed\n"
        assert out.startswith(measured)
        if len(ids) < 4:
            assert f"this boot was measured, as boot {number} of 2" in refused(computer, campaign)
        if len(ids) == 1:
            remark = Results(campaign / side).recording.truncated or ""
            assert remark.endswith(f"go on with: zapbench campaign next -o {campaign}")
    assert f"zapbench gate --budgets FILE {campaign}/base {campaign}/head\n" in out
    found = {side: contexts(campaign / side) for side in SIDES}
    for side, booted in (("base", [ids[0], ids[3]]), ("head", [ids[1], ids[2]])):
        assert [each.run.boot for each in found[side]] == [0, 1, 2, 3]
        assert [each.boot_id for each in found[side]] == [booted[0]] * 2 + [booted[1]] * 2
        assert Results(campaign / side).recording.truncated is None
        assert (campaign / side / "suite.json.gz").exists()
    assert [each.boot_id for each in load(campaign).done] == ids


def test_when_all_boots_were_measured_further_turns_do_nothing_and_are_no_error(
    computer: Computer, campaign: Path
) -> None:
    for kernel in (*computer.kernels, *reversed(computer.kernels)):
        computer.boot(kernel)
        computer.zapbench(C, "next", "-o", campaign)
    records = (campaign / "base" / RECORDS).read_bytes()
    computer.boot(computer.kernels[1])
    for command in ("next", "status"):
        out, _ = computer.zapbench(C, command, "-o", campaign)
        assert "complete: 2 boots of each kernel were measured" in out
    assert (campaign / "base" / RECORDS).read_bytes() == records


def test_a_turn_that_was_killed_is_gone_on_with_in_the_same_boot(computer: Computer) -> None:
    campaign = begun(computer, processes=40)
    killed_half_way(computer, campaign)
    first = contexts(campaign / "base")[0]
    out, err = computer.zapbench(C, "next", "-o", campaign)
    assert "discarded" not in err
    assert "measured boot 1 of 2 of base" in out
    found = contexts(campaign / "base")
    assert found[0] == first
    assert {each.run.boot for each in found} == set(range(40))
    assert {each.boot_id for each in found} == {computer.boot_id}


def test_of_a_boot_that_ended_half_way_nothing_is_kept(computer: Computer) -> None:
    campaign = begun(computer, processes=40)
    killed_half_way(computer, campaign)
    dead = computer.boot_id
    computer.boot(computer.kernels[1])
    said = refused_after_discarding(computer, campaign)
    assert "its " in said
    assert " of 40 measurements are discarded, and it is due again" in said
    assert contexts(campaign / "base") == []
    computer.boot(computer.kernels[0])
    out, _ = computer.zapbench(C, "next", "-o", campaign)
    assert "measured boot 1 of 2 of base" in out
    found = contexts(campaign / "base")
    assert [each.run.boot for each in found] == [*range(40)]
    assert {each.boot_id for each in found} == {computer.boot_id} != {dead}


def refused_after_discarding(computer: Computer, campaign: Path) -> str:
    _, err = computer.zapbench(C, "next", "-o", campaign, status=2)
    assert err.count("\n") == 2
    return err


def test_sigterm_keeps_what_was_finished_and_says_how_to_go_on(computer: Computer) -> None:
    campaign = begun(computer, processes=40)
    said = killed_half_way(computer, campaign, signal.SIGTERM)
    assert f"go on in this boot with: zapbench campaign next -o {campaign}\n" in said
    assert load_records(campaign / "base" / RECORDS).of(End)


@pytest.mark.parametrize("rebooted", [False, True])
def test_a_boot_that_was_whole_but_for_the_journal_counts(
    computer: Computer, campaign: Path, rebooted: bool
) -> None:
    computer.zapbench(C, "next", "-o", campaign)
    before = load(campaign)
    edit(campaign, done=(), begun=before.done[0], seen=None, builds={})
    records = (campaign / "base" / RECORDS).read_bytes()
    if rebooted:
        computer.boot(computer.kernels[1])
    computer.zapbench(C, "next", "-o", campaign)
    after = load(campaign)
    assert after.done[: len(before.done)] == before.done
    assert len(after.done) == 1 + rebooted
    assert (after.seen, after.builds.items() >= before.builds.items()) == (before.seen, True)
    assert (campaign / "base" / RECORDS).read_bytes() == records


def test_a_boot_that_is_lost_again_and_again_is_refused_at_last(computer: Computer) -> None:
    campaign = begun(computer, processes=40)
    for _ in range(3):
        killed_half_way(computer, campaign)
        computer.boot(computer.kernels[0])
    _, err = computer.zapbench(C, "next", "-o", campaign, status=2)
    assert "discarded" in err
    assert "was lost 3 times before its end" in err.splitlines()[-1]
    assert "was lost 3 times" in refused(computer, campaign)
    computer.zapbench(C, "next", "-o", campaign, "--force")
    assert load(campaign).lost == 0


@pytest.mark.parametrize(
    ("part", "name"), [("host", "governor"), ("context", "THP enabled"), ("context", "userfaultfd")]
)
def test_settings_that_changed_between_boots_are_named(
    computer: Computer, campaign: Path, part: str, name: str
) -> None:
    computer.zapbench(C, "next", "-o", campaign)
    seen = load(campaign).seen
    assert seen is not None
    here = getattr(seen, part)[name]
    there = {**getattr(seen, part), name: "otherwise"}
    edit(campaign, seen=msgspec.structs.replace(seen, **{part: there}))
    computer.boot(computer.kernels[1])
    said = refused(computer, campaign)
    assert f"(then / now): {name} (otherwise / {here}): put it back" in said
    assert contexts(campaign / "head") == []
    assert load(campaign).begun is None
    _, err = computer.zapbench(C, "next", "-o", campaign, "--force")
    assert err.count(f"{name} (otherwise / {here}); measured all the same") == 1
    assert len(load(campaign).done) == 2


def test_a_kernel_that_was_updated_is_refused_by_name(computer: Computer, campaign: Path) -> None:
    a, b = computer.kernels
    for kernel in (a, b):
        computer.boot(kernel)
        computer.zapbench(C, "next", "-o", campaign)
    builds = load(campaign).builds
    edit(campaign, builds={**builds, b: "0" * 40})
    computer.boot(b)
    said = refused(computer, campaign)
    assert (
        f"{b} is another build than before in this campaign, {builds[b]} and not {'0' * 40}" in said
    )
    edit(campaign, builds=builds)
    computer.zapbench(C, "next", "-o", campaign)


def test_a_campaign_of_another_machine_is_refused(computer: Computer, campaign: Path) -> None:
    edit(campaign, machine="0123456789abcdef")
    assert "is a campaign of another machine" in refused(computer, campaign)


def test_records_that_are_gone_are_missed(computer: Computer, campaign: Path) -> None:
    a, b = computer.kernels
    for kernel in (a, b):
        computer.boot(kernel)
        computer.zapbench(C, "next", "-o", campaign)
    (campaign / "head" / RECORDS).unlink()
    computer.boot(b)
    _, err = computer.zapbench(C, "next", "-o", campaign, status=2)
    assert f"lacks records of boot 1 of 2 of head, {b}" in err.splitlines()[-1]
    assert len(load(campaign).done) == 2


def test_where_every_case_is_skipped_there_was_no_boot(computer: Computer) -> None:
    campaign = begun_with(computer, "zap/madv_zap/shmem/4k/4k")
    said = computer.zapbench(C, "next", "-o", campaign, status=2)[1]
    assert "every case was skipped" in said.splitlines()[-1]
    assert load(campaign).done == ()
    assert load(campaign).begun is None
    assert contexts(campaign / "base") == []


def begun_with(computer: Computer, case: str) -> Path:
    words = (case, "--quick", "--boots", 2, "-o", "z")
    computer.zapbench(C, "start", *computer.kernels, *words)
    return computer.place / "z"


def test_one_of_two_turns_at_once_is_refused(computer: Computer) -> None:
    campaign = begun(computer, processes=40)
    records = campaign / "base/records.jsonl"
    with computer.start(C, "next", "-o", campaign) as process:
        until(records.exists, "the first record")
        _, err = computer.zapbench(C, "next", "-o", campaign, status=2)
        assert err == f"zapbench: another turn of {campaign} is being measured: wait for it\n"
        computer.zapbench(C, "status", "-o", campaign)
        _, err = process.communicate(timeout=seconds(120))
        assert process.returncode == 0, err
    assert len(load(campaign).done) == 1


def test_a_full_disk_is_one_line_and_loses_nothing(computer: Computer, small_disk: Path) -> None:
    words = (CASE, "--quick", "--boots", 2, "--processes", 2, "-o", small_disk / "c")
    computer.zapbench(C, "start", *computer.kernels, *words)
    ballast = small_disk / "ballast"
    subprocess.run(["dd", "if=/dev/zero", f"of={ballast}"], check=False, capture_output=True)
    _, err = computer.zapbench(C, "next", "-o", small_disk / "c", status=2)
    assert "No space left on device" in err.splitlines()[-1]
    ballast.unlink()
    computer.zapbench(C, "next", "-o", small_disk / "c")
    assert len(load(small_disk / "c").done) == 1
