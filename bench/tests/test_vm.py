# SPDX-License-Identifier: GPL-2.0-only
"""Machines without a machine: the command line, the initramfs, and a QEMU that is a script.

What a real QEMU and a real kernel do is tested in test_vm_kernel.py.
"""

import os
import shutil
import signal
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from zapbench.case import Case
from zapbench.error import EnvironmentMissing, Interrupted, LostVm, UsageError
from zapbench.target import Job
from zapbench.vm import Limits, VmTarget, image_of, initramfs, machine, qemu, shell, target, tsc
from zapbench.vm.qemu import Machine, arguments

Require = Callable[[object, str], None]
CONTEXT = '{"v":1,"kind":"context"}'
END = '{"v":1,"kind":"end"}'
LINES = [f"{CONTEXT}\n".encode(), f"{END}\n".encode()]
CASE = "zap/dontneed/shmem/4k/4k"

SNAPSHOT = """\
qemu-system-x86_64
-M microvm,acpi=off,isa-serial=on,rtc=on
-accel {accel}
-cpu {cpu} -smp {smp} -m 2048
-nodefaults -no-user-config -display none -no-reboot
-seed 7
-rtc base=2024-01-01T00:00:00,clock=vm
-chardev file,id=console,path=/t/console -serial chardev:console
-chardev file,id=records,path=/t/records
-device virtio-serial-device -device virtserialport,chardev=records,name=zapbench
-kernel /k/bzImage -initrd /t/initramfs
-append
"""
COMMAND_LINE = (
    "console=ttyS0 loglevel=5 panic=-1 oops=panic reboot=t sysctl.vm.panic_on_oom=1 "
    "sysctl.kernel.panic_on_rcu_stall=1 nokaslr norandmaps brd.rd_nr=1 brd.rd_size=131072 "
    "{extra}hugepagesz=2M hugepages=16 hugepagesz=1024M hugepages=1 pad=x"
)


@pytest.mark.parametrize(
    ("accelerator", "accel", "cpu", "smp", "extra"),
    [
        ("kvm", "kvm", "host", 2, ""),
        (
            "tcg",
            "tcg,thread=multi",
            "qemu64,+pdpe1gb,+rdtscp",
            2,
            "tsc_early_khz=2600000 tsc=reliable ",
        ),
        (
            "icount",
            "tcg,thread=single -icount shift=0,sleep=off",
            "qemu64,+pdpe1gb,+rdtscp",
            1,
            "nolapic_timer ",
        ),
    ],
)
def test_the_command_line_of_each_accelerator(
    accelerator: str, accel: str, cpu: str, smp: int, extra: str
) -> None:
    asked = Machine(
        accelerator,
        Path("/k/bzImage"),
        Path("/t/initramfs"),
        Path("/t/console"),
        Path("/t/records"),
        memory=2048,
        hugepages={1 << 30: 1, 2 << 20: 16},
        seed=7,
        tsc_khz=2_600_000,
        cmdline=("pad=x",),
    )
    words = SNAPSHOT.format(accel=accel, cpu=cpu, smp=smp).split()
    assert arguments(asked) == [*words, COMMAND_LINE.format(extra=extra)]


def test_a_shell_has_the_terminal_and_no_port() -> None:
    words = arguments(Machine("tcg", Path("k"), Path("i"), None, None))
    assert words[words.index("-serial") + 1] == "mon:stdio"
    assert "virtio-serial-device" not in words


def test_the_archive_is_what_cpio_reads(tmp_path: Path, require: Require) -> None:
    require(shutil.which("cpio"), "cpio is not installed")
    entries = [
        initramfs.directory("dev"),
        initramfs.file("init", b"#!/bin/sh\n", 0o755),
        initramfs.file("empty", b""),
        initramfs.file("file", b"12345"),
        initramfs.link("link", "file"),
    ]
    done = subprocess.run(
        ["cpio", "-i", "-d", "--quiet"],
        input=initramfs.archive(entries),
        cwd=tmp_path,
        check=True,
        capture_output=True,
    )
    assert done.stderr == b""
    assert (tmp_path / "dev").is_dir()
    assert (tmp_path / "init").read_bytes() == b"#!/bin/sh\n"
    assert stat.S_IMODE((tmp_path / "init").stat().st_mode) == 0o755
    assert (tmp_path / "empty").read_bytes() == b""
    assert (tmp_path / "link").readlink() == Path("file")
    assert (tmp_path / "link").read_bytes() == b"12345"


def test_the_archive_begins_as_the_format_says() -> None:
    made = initramfs.archive([initramfs.CONSOLE])
    assert made.startswith(b"070701" + b"00000001" + b"00002180" + b"00000000" * 2)
    assert made[6 + 9 * 8 : 6 + 11 * 8] == b"00000005" + b"00000001"
    assert b"TRAILER!!!\0" in made
    assert len(made) % 4 == 0


def test_boots_differ_by_seed_and_number_and_by_nothing_else() -> None:
    made = {(seed, boot): initramfs.ballast(seed, boot) for seed in (0, 1) for boot in (0, 1)}
    assert len({str(ballast) for ballast in made.values()}) == 4
    assert initramfs.ballast(1, 1) == made[1, 1]


def test_the_file_system_is_a_valid_ext2(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require
) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path))
    checker = shutil.which("e2fsck", path="/usr/sbin:/sbin:/usr/bin")
    require(checker, "e2fsprogs is not installed")
    image = tmp_path / "image"
    head = initramfs.file_system_head()
    assert len(head) < 128 << 10
    image.write_bytes(head)
    os.truncate(image, qemu.RAM_DISK_KIB << 10)
    assert checker is not None
    done = subprocess.run([checker, "-f", "-n", str(image)], check=False, capture_output=True)
    assert done.returncode == 0, done.stdout
    assert initramfs.file_system_head() == head


def test_memory_and_huge_pages_for_the_cases() -> None:
    small = [Case.parse(CASE)]
    assert target.hugepages(small) == {2 << 20: 16}
    assert target.memory(small, target.hugepages(small)) == 1024
    large = [Case.parse("zap/dontneed/hugetlb/2m/64m"), Case.parse("zap/dontneed/shmem/4k/64m")]
    pools = target.hugepages(large)
    assert pools[2 << 20] * (2 << 20) >= large[0].memory
    assert target.memory(large, pools) << 20 > 2 * large[1].memory + (pools[2 << 20] << 21)


def test_the_frequency_of_the_time_stamp_counter() -> None:
    first, second = tsc.host_khz(), tsc.host_khz()
    assert first is not None
    assert second is not None
    assert 500_000 < first < 10_000_000
    assert abs(first - second) / first < 1e-3


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


# --- a QEMU that is a script: $console and $records are its files ---

SCRIPT = """\
#!/bin/sh
[ "$1" = --version ] && echo "QEMU emulator version 0" && exit
accel=$4
for word; do case $word in
*id=console,path=*) console=${{word##*path=}} ;;
*id=records,path=*) records=${{word##*path=}} ;;
esac; done
{body}
"""


@pytest.fixture
def scripted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., VmTarget]]:
    """``scripted(body, …)``: a target whose QEMU runs these lines of shell."""
    directory = tmp_path / "bin"
    directory.mkdir()
    image = tmp_path / "bzImage"
    image.write_bytes(bytes(510) + b"\x55\xaa\0\0HdrS")
    guest = tmp_path / "guest"
    guest.write_bytes(b"guest")
    monkeypatch.setenv("PATH", f"{directory}:{os.environ['PATH']}")
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr(target, "PROBE", Limits(first=0.5, silence=0.5))
    monkeypatch.setattr(machine, "LEAVE_SECONDS", 0.5)

    def make(body: str, accel: str = "tcg", limits: Limits | None = None) -> VmTarget:
        program = directory / "qemu-system-x86_64"
        program.write_text(SCRIPT.format(body=body))
        program.chmod(0o755)
        limits = limits or Limits(first=5, silence=5)
        return VmTarget(str(image), accel, guest=guest, limits=limits)

    yield make
    assert str(directory) not in running_programs()


def running_programs() -> str:
    """The command lines of all processes."""
    return subprocess.check_output(["ps", "-eo", "args"], text=True)


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


def test_lines_come_as_they_are_written(scripted: Callable[..., VmTarget]) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; sleep 0.5; echo '{END}' >>$records")
    times = [(line, time.monotonic()) for line in vm.run(Job((CASE,), "k", "tcg"))]
    assert [line for line, _ in times] == LINES
    assert times[1][1] - times[0][1] > 0.3
    assert vm.tier == "tcg"


def test_lines_may_come_in_pieces(scripted: Callable[..., VmTarget]) -> None:
    head, rest = CONTEXT[:9], CONTEXT[9:]
    vm = scripted(
        f"printf '%s' '{head}' >>$records; sleep 0.1; "
        f"printf '%s\\n%s\\n' '{rest}' '{END}' >>$records"
    )
    assert list(vm.lines([CASE], boot=0, seed=0)) == LINES


@pytest.mark.parametrize(
    ("body", "words"),
    [
        ("echo 'Kernel panic - not syncing: dead' >$console", "kernel panic: dead"),
        ("echo 'Oops: 0000 [#1]' >$console", "oops: Oops: 0000"),
        ("kill -9 $$", "QEMU was killed by SIGKILL"),
        ("exit 0", "it ended without an end record (console: empty)"),
        ("sleep 60", "hung: it wrote nothing for 0.5 s"),
        ("while :; do :; done", "hung: it wrote nothing for 0.5 s"),
        ("echo garbage >>$records; sleep 60", "garbage instead of a record: 'garbage'"),
        ("printf '{\\377\\n' >>$records", "garbage instead of a record"),
    ],
)
def test_a_machine_that_is_lost(scripted: Callable[..., VmTarget], body: str, words: str) -> None:
    limits = Limits(first=5, silence=0.5)
    vm = scripted(f"echo '{CONTEXT}' >>$records; sleep 0.1; {body}", limits=limits)
    lost(vm, words, kept=LINES[:1])


def test_half_a_record_is_handed_on_as_such(scripted: Callable[..., VmTarget]) -> None:
    vm = scripted(f"echo '{CONTEXT}' >>$records; printf '%s' '{{\"v\":' >>$records")
    lost(vm, "without an end record", kept=[LINES[0], b'{"v":'])


def test_nothing_at_all_is_a_hang_from_the_start(scripted: Callable[..., VmTarget]) -> None:
    lost(scripted("sleep 60", limits=Limits(0.3, 60)), "nothing for 0.3 s", kept=[])


def test_a_machine_that_does_not_leave_after_its_end_is_ended(
    scripted: Callable[..., VmTarget],
) -> None:
    started = time.monotonic()
    vm = scripted(f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records; sleep 60")
    assert list(vm.lines([CASE], boot=0, seed=0)) == LINES
    assert time.monotonic() - started < 5


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
    lines.close()  # type: ignore[attr-defined]
    assert "sleep 61.25" not in running_programs()


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
            child.wait(timeout=10)
        finally:
            child.kill()
    time.sleep(0.1)
    assert f"sleep 62.{number:d}" not in running_programs()


def test_kvm_is_believed_when_it_has_booted(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path(os.devnull))
    works = f"echo '{CONTEXT}' >>$records; echo '{END}' >>$records"
    assert scripted(works, "auto").tier == "kvm"
    # Remembered until the host boots again: no second probe.
    assert scripted("exit 1", "auto").tier == "kvm"


def test_kvm_that_opens_and_runs_nothing(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path(os.devnull))
    hangs = "while :; do sleep 60; done"
    assert scripted(hangs, "auto").tier == "tcg"
    with pytest.raises(EnvironmentMissing, match=r"KVM does not run here: .*hung"):
        scripted(hangs, "kvm")
    assert scripted(hangs, "icount").tier == "icount"


def test_without_the_device_there_is_no_probe(
    scripted: Callable[..., VmTarget], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(target, "KVM", Path("/nowhere/kvm"))
    assert scripted("sleep 60", "auto").tier == "tcg"
    with pytest.raises(EnvironmentMissing, match="/nowhere/kvm is missing"):
        scripted("sleep 60", "kvm")


def test_there_is_no_such_accelerator(scripted: Callable[..., VmTarget]) -> None:
    with pytest.raises(UsageError, match="no accelerator 'xen': auto, kvm, tcg, icount"):
        scripted("exit 1", "xen")


def test_no_qemu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(EnvironmentMissing, match="sudo apt-get install qemu-system-x86"):
        VmTarget("6.12", "tcg")


@pytest.mark.parametrize("content", [b"", b"\x7fELF" + bytes(2000), bytes(510) + b"\x55\xaa"])
def test_an_image_that_is_no_kernel(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "image"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="is no kernel image: expected an x86 bzImage"):
        image_of(str(path))
    with pytest.raises(UsageError, match="cannot read kernel image /nowhere"):
        image_of("/nowhere")
    with pytest.raises(UsageError, match="cannot read kernel image"):
        image_of(str(tmp_path))


def test_a_shell_needs_a_terminal(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="a shell needs a terminal"):
        shell.boot(tmp_path, tmp_path)
