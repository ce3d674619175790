# SPDX-License-Identifier: GPL-2.0-only
"""Boots from start to end, with a QEMU that is a script.

What a real QEMU and a real kernel do is tested in test_target_boot.py.
"""

import contextlib
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Generator
from pathlib import Path

import pytest
from limits import seconds, until
from scripted_qemu import CASE, CONTEXT, END, running_programs

from zapbench.error import EnvironmentMissing, Interrupted, LostVm
from zapbench.target import Job
from zapbench.vm import Timeouts, VmTarget, machine

LINES = [f"{CONTEXT}\n".encode(), f"{END}\n".encode()]


@pytest.mark.parametrize(
    ("console", "said"),
    [
        ("BUG: unable to handle page fault\nKernel panic - not syncing: Fatal exception", "oops"),
        ("Kernel panic - not syncing: Attempted to kill init!", "kernel panic: Attempted to kill"),
        ("Out of memory: Killed process 1\nKernel panic - not syncing: x", "out of memory: Out of"),
        ("Kernel panic - not syncing: Out of memory: compulsory", "out of memory: Out of memory"),
        ("watchdog: BUG: soft lockup - CPU#0 stuck", "lockup: watchdog: BUG: soft lockup"),
        ("rcu: INFO: rcu_sched self-detected stall on CPU", "lockup: rcu: INFO"),
    ],
)
def test_the_cause_of_a_death_is_read_from_the_console(console: str, said: str) -> None:
    assert (machine.cause(console) or "").startswith(said)
    assert machine.cause("all is well") is None


@pytest.mark.parametrize(
    "line",
    [
        "WARNING: CPU: 0 PID: 1 at mm/madvise.c:9 zap+0x1/0x2",
        "WARNING: mm/madvise.c:9 at zap+0x1/0x2, CPU#0: init/1",
        "WARNING: possible circular locking dependency detected",
        "WARNING: suspicious RCU usage",
        "BUG: sleeping function called from invalid context at mm/madvise.c:9",
    ],
)
def test_complaints_of_a_kernel_that_lives_on(line: str) -> None:
    assert machine.complaint(f"[    1.0] all is well\n[    1.1] {line}\n") == line
    assert machine.complaint("MCE: Killing init:30 due to hardware memory corruption") is None


def test_a_console_is_shown_without_control_characters() -> None:
    assert machine.text(b"\x1b[2Ja\r\n\xffb\x07\n") == "a\nb\n"
    assert machine.tail("1\n2\n\n3\n4\n5\n") == "2 | 3 | 4 | 5"
    assert machine.tail("") == "empty"


def lost(vm: VmTarget, words: str, *, kept: list[bytes]) -> None:
    """Run a boot that is lost: what came before is yielded, the error is one line."""
    came: list[bytes] = []
    try:
        for line in vm.lines([CASE], boot=0, seed=0):
            came.append(line)
    except LostVm as error:
        said = str(error)
    else:
        pytest.fail("the loss was not noticed")
    assert came == kept
    assert words in said
    assert "\n" not in said


def test_lines_come_as_they_are_written(scripted: Callable[..., VmTarget], tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "go")
    vm = scripted(f"echo '{CONTEXT}' >>$records; read x <{tmp_path}/go; echo '{END}' >>$records")
    lines = vm.run(Job((CASE,), "k", "tcg"))
    assert next(lines) == LINES[0]
    (tmp_path / "go").write_text("\n")
    assert list(lines) == LINES[1:]
    assert vm.tier == "tcg"


def read_so_far(path: str) -> int:
    """How much of a file this process has read through one descriptor (proc(5): fdinfo)."""
    for link in Path("/proc/self/fd").iterdir():
        with contextlib.suppress(FileNotFoundError):
            if str(link.readlink()) == path:
                info = Path(f"/proc/self/fdinfo/{link.name}").read_text()
                return int(info.splitlines()[0].removeprefix("pos:"))
    return 0


def test_lines_may_come_in_pieces(scripted: Callable[..., VmTarget], tmp_path: Path) -> None:
    head, rest = CONTEXT[:9], CONTEXT[9:]
    for name in ("written", "read"):
        os.mkfifo(tmp_path / name)
    vm = scripted(
        f"printf '%s' '{head}' >>$records; echo $records >{tmp_path}/written; "
        f"read x <{tmp_path}/read; printf '%s\\n%s\\n' '{rest}' '{END}' >>$records"
    )

    def wait() -> None:
        records = (tmp_path / "written").read_text().strip()
        until(lambda: read_so_far(records) == len(head), "the first piece is read")
        (tmp_path / "read").write_text("\n")

    waiter = threading.Thread(target=wait)
    waiter.start()
    assert list(vm.lines([CASE], boot=0, seed=0)) == LINES
    waiter.join()


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo 'Kernel panic - not syncing: dead' >$console", "kernel panic: dead"),
        ("echo 'Oops: 0000 [#1]' >$console", "oops: Oops: 0000"),
        ("kill -9 $$", "QEMU was killed by SIGKILL"),
        ("exit 0", "it ended without an end record (console: empty)"),
        ("echo garbage >>$records; sleep 60", "garbage instead of a record: 'garbage'"),
        ("printf '{\\377\\n' >>$records", "garbage instead of a record"),
    ],
)
def test_a_machine_that_is_lost(scripted: Callable[..., VmTarget], body: str, words: str) -> None:
    lost(scripted(f"echo '{CONTEXT}' >>$records; {body}"), words, kept=LINES[:1])


@pytest.mark.parametrize("body", ["sleep 60", "while :; do :; done"])
def test_a_machine_that_falls_silent(scripted: Callable[..., VmTarget], body: str) -> None:
    timeouts = Timeouts(first=seconds(30), silence=0.5)
    vm = scripted(f"echo '{CONTEXT}' >>$records; {body}", timeouts=timeouts)
    lost(vm, "hung: it wrote nothing for 0.5 s", kept=LINES[:1])


def test_half_a_record_is_handed_on_as_such(scripted: Callable[..., VmTarget]) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; printf '%s' '{{\"v\":' >>$records")
    lost(vm, "without an end record", kept=[LINES[0], b'{"v":'])


def test_nothing_at_all_is_a_hang_from_the_start(scripted: Callable[..., VmTarget]) -> None:
    lost(scripted("sleep 60", timeouts=Timeouts(0.3, 60)), "nothing for 0.3 s", kept=[])


def test_a_machine_that_does_not_leave_after_its_end_is_ended(
    scripted: Callable[..., VmTarget],
) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records; exec tail -f /dev/null")
    assert list(vm.lines([CASE], boot=0, seed=0)) == LINES


def test_a_warning_of_the_kernel_is_not_lost_with_a_good_end(
    scripted: Callable[..., VmTarget],
) -> None:
    body = "echo 'WARNING: CPU: 0 PID: 1 at mm/madvise.c:1 zap+0x1' >$console"
    vm = scripted(f"{body}; echo '{CONTEXT}' >>$records; echo '{END}' >>$records")
    lost(vm, "the kernel complained: WARNING: CPU: 0", kept=LINES)


def test_what_qemu_says_when_it_does_not_start(scripted: Callable[..., VmTarget]) -> None:
    vm = scripted("echo 'qemu: invalid accelerator' >&2; exit 1")
    with pytest.raises(EnvironmentMissing, match="QEMU did not start: qemu: invalid accelerator"):
        list(vm.lines([CASE], boot=0, seed=0))


def test_interrupting_keeps_what_came(scripted: Callable[..., VmTarget]) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; sleep 60")
    lines = vm.lines([CASE], boot=0, seed=0)
    assert next(lines) == LINES[0]
    vm.interrupt()
    with pytest.raises(Interrupted, match="what it had finished is kept"):
        next(lines)


def test_a_consumer_that_stops_ends_the_machine(
    scripted: Callable[..., VmTarget], tmp_path: Path
) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; exec sleep 61.25")
    lines = vm.lines([CASE], boot=0, seed=0)
    assert next(lines) == LINES[0]
    assert isinstance(lines, Generator)
    lines.close()
    until(lambda: "sleep 61.25" not in running_programs(), "the machine is ended")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL, signal.SIGINT])
def test_no_machine_outlives_zapbench(
    scripted: Callable[..., VmTarget], tmp_path: Path, number: signal.Signals
) -> None:
    scripted(f"echo '{CONTEXT}' >>$records; exec sleep 62.{number:d}")
    script = (
        "from pathlib import Path; from zapbench.vm import VmTarget\n"
        f"vm = VmTarget('{tmp_path}/bzImage', 'tcg', guest=Path('{tmp_path}/guest'))\n"
        f"for line in vm.lines(['{CASE}'], boot=0, seed=0): print('up', flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"up\n"
            assert f"sleep 62.{number:d}" in running_programs()
            child.send_signal(number)
            child.wait(timeout=seconds(60))
        finally:
            child.kill()
    until(lambda: f"sleep 62.{number:d}" not in running_programs(), "the machine dies too")
