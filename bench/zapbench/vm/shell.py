# SPDX-License-Identifier: GPL-2.0-only
"""A shell in a booted kernel, for looking around: busybox, and the guest program next to it."""

import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from zapbench.error import EnvironmentMissing, LostVm, UsageError
from zapbench.host.packages import install
from zapbench.host.process import find, running
from zapbench.host.scratch import scratch
from zapbench.vm import initramfs, tsc
from zapbench.vm.initramfs import CpioEntry
from zapbench.vm.qemu import PROGRAM, VirtualMachine, arguments

_INIT = """#!/bin/busybox sh
/bin/busybox mkdir -p /bin
/bin/busybox --install -s /bin
mount -t proc proc /proc
mount -t sysfs sysfs /sys
mount -t devtmpfs devtmpfs /dev
mount -t tmpfs -o size=100% tmpfs /tmp
dd if=/file.ext2 of=/dev/ram0 2>/dev/null && mount -t ext2 /dev/ram0 /file
echo "$(uname -r): zapbench-guest is in /bin, a file system in /file; 'exit' ends the machine"
cd /root && setsid cttyhack sh
reboot -f
"""
_SCRIPT_INIT = _INIT.replace("setsid cttyhack sh", "sh /commands").replace("echo ", ": ")


def entries(guest: bytes, commands: str | None = None) -> list[CpioEntry]:
    """The initramfs of a shell; with ``commands`` it runs them and ends.

    Raises:
        EnvironmentMissing: there is no busybox, or one that needs shared libraries.
    """
    busybox = Path(find("busybox")).read_bytes()
    if b"/lib64/ld-linux" in busybox:
        raise EnvironmentMissing(f"busybox is not static: {install('busybox-static')}")
    files = [
        *map(initramfs.directory, (*initramfs.DIRECTORIES, "bin")),
        initramfs.CONSOLE,
        initramfs.file("init", (_SCRIPT_INIT if commands else _INIT).encode(), 0o755),
        initramfs.file("bin/busybox", busybox, 0o755),
        initramfs.file("bin/zapbench-guest", guest, 0o755),
        initramfs.file(initramfs.FILE_SYSTEM, initramfs.file_system_head()),
    ]
    return [*files, initramfs.file("commands", commands.encode())] if commands else files


def check(commands: Sequence[str] = ()) -> None:
    """Whether `boot` can work here, before a kernel is built for it.

    Raises:
        UsageError: standard input is no terminal, and there are no commands.
        EnvironmentMissing: QEMU or busybox is not installed.
    """
    if not commands and not sys.stdin.isatty():
        raise UsageError("a shell needs a terminal: run it from one, or give commands with -c")
    for program in (PROGRAM, "busybox"):
        find(program)


def boot(
    image: Path,
    guest: Path,
    *,
    accelerator: str = "tcg",
    memory: int = 1024,
    commands: Sequence[str] = (),
    words: tuple[str, ...] = (),
) -> None:
    """Boot an image to a shell on this terminal, or to run commands and print what they print.

    ``words`` are added to the kernel's command line.

    Raises:
        UsageError: standard input is no terminal, and there are no commands.
        EnvironmentMissing: QEMU or busybox is not installed.
        LostVm: QEMU failed.
    """
    check(commands)
    with scratch("shell") as root:
        archive = root / "initramfs"
        script = "".join(f"{command}\n" for command in commands)
        archive.write_bytes(initramfs.archive(entries(guest.read_bytes(), script or None)))
        machine = VirtualMachine(
            accelerator,
            image,
            archive,
            console=None,
            records=None,
            memory=memory,
            hugepages={2 << 20: 64},
            tsc_khz=tsc.host_khz(),
            cmdline=words,
        )
        terminal = None if not commands else subprocess.DEVNULL
        with running(arguments(machine), stdin=terminal, stdout=None, stderr=None) as qemu:
            status = qemu.wait()
    if status:
        raise LostVm(f"QEMU ended with status {status}")
