# SPDX-License-Identifier: GPL-2.0-only
"""What is said of the next boot, and the user's command that chooses it."""

import os
from pathlib import Path

import msgspec
import pytest

from zapbench.campaign import boots
from zapbench.campaign.boots import Reboots
from zapbench.campaign.journal import Boot, Journal
from zapbench.cli.progress import ON_STDERR
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host.journal import boot_id
from zapbench.host.machine import Machine
from zapbench.result.request import NOTHING

HERE, ELSE = os.uname().release, "6.99.0+other~rc1"


def planned(base: str, head: str, command: str | None = None, *done: Boot) -> Journal:
    return Journal(
        machine="m",
        vm=False,
        base=base,
        head=head,
        boots=2,
        processes=1,
        next_boot=command,
        asked=NOTHING,
        done=done,
    )


def test_the_kernel_that_runs_and_is_due_needs_no_boot_before_its_turn(tmp_path: Path) -> None:
    said = boots.what_next(tmp_path, planned(HERE, ELSE), ON_STDERR)
    due = f"boot 1 of 2 of base, {HERE}, is due"
    assert said == f"{due}; run: zapbench campaign next -o {tmp_path}"


def test_after_its_turn_the_same_kernel_has_to_be_booted_again(tmp_path: Path) -> None:
    done = Boot("base", 0, boot_id(), "now")
    said = boots.what_next(tmp_path, planned(HERE, HERE, None, done), ON_STDERR)
    assert said.startswith(f"boot 1 of 2 of head, {HERE}, is due: ")
    assert said.endswith(f", then run: zapbench campaign next -o {tmp_path}")


def test_another_kernel_is_booted_by_the_loader_or_the_users_command(tmp_path: Path) -> None:
    nothing = Machine(tmp_path)
    assert Reboots(None, nothing).step(ELSE, again=False) == "choose it in the boot menu"
    said = Reboots("pick {release} && reboot", nothing).step(ELSE, again=False)
    assert said == f"`pick {ELSE} && reboot` chooses it"


def test_the_users_command_is_run_when_another_boot_is_due_and_only_then(tmp_path: Path) -> None:
    told = tmp_path / "told"
    command = f"echo {{release}} >> {told}"
    done = Boot("base", 0, boot_id(), "now")
    boots.choose(planned(HERE, ELSE, command), ON_STDERR)  # it is the one that runs
    assert not told.exists()
    boots.choose(planned(ELSE, HERE, command), ON_STDERR)
    boots.choose(planned(HERE, HERE, command, done), ON_STDERR)
    assert told.read_text() == f"{ELSE}\n{HERE}\n"
    whole = planned(ELSE, ELSE, command)
    every = tuple(Boot(side, number, "id", "now") for side, number in whole.plan)
    boots.choose(msgspec.structs.replace(whole, done=every), ON_STDERR)
    boots.choose(planned(ELSE, HERE), ON_STDERR)
    assert told.read_text() == f"{ELSE}\n{HERE}\n"


def test_a_command_that_fails_is_named(capfd: pytest.CaptureFixture[str]) -> None:
    said = rf"ended with status 3: `echo {ELSE}; exit 3`; nothing that was measured is lost"
    with pytest.raises(EnvironmentMissing, match=said.replace("+", r"\+")):
        boots.choose(planned(ELSE, HERE, "echo {release}; exit 3"), ON_STDERR)
    assert capfd.readouterr() == ("", f"{ELSE}\n")  # standard output is the table's


@pytest.mark.parametrize("word", ["6.12;reboot", "$(reboot)", "a b", "", "6" * 65])
def test_what_is_no_release_is_refused(word: str) -> None:
    with pytest.raises(UsageError, match="is no release of a kernel"):
        Reboots(None).known(word)


def test_an_image_stands_for_its_release(tmp_path: Path) -> None:
    image = tmp_path / "vmlinuz"
    head = bytearray(0x400)
    head[0x202:0x206], head[0x20E:0x210] = b"HdrS", (0x100).to_bytes(2, "little")
    head[0x300:] = f"{ELSE} (me@here) #1 SMP\0".encode().ljust(0x100, b"\0")
    image.write_bytes(head)
    assert Reboots(None).known(str(image)) == ELSE
    image.write_bytes(head[:0x200])
    with pytest.raises(UsageError, match="is no x86 kernel image that says its release"):
        Reboots(None).known(str(image))
    with pytest.raises(UsageError, match="cannot read kernel image"):
        Reboots(None).known(str(tmp_path / "absent"))


def test_a_machine_is_known_without_its_id_being_told(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    mine, other = "0123456789abcdef" * 2, "fedcba9876543210" * 2
    found = []
    for own in (mine, other, mine):
        (tmp_path / "etc/machine-id").write_text(f"{own}\n")
        found.append(boots.identity(Machine(tmp_path)))
    assert found[0] == found[2] != found[1]
    assert found[0] not in mine
