# SPDX-License-Identifier: GPL-2.0-only
"""The command line of QEMU."""

from dataclasses import replace
from pathlib import Path

import pytest

from zapbench.vm.qemu import VirtualMachine, arguments

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
    asked = VirtualMachine(
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
    words = arguments(VirtualMachine("tcg", Path("k"), Path("i"), None, None))
    assert words[words.index("-serial") + 1] == "mon:stdio"
    assert "virtio-serial-device" not in words


def test_a_plugin_is_all_that_is_added() -> None:
    plain = VirtualMachine("icount", Path("k"), Path("i"), Path("c"), Path("r"))
    words, asked = arguments(plain), arguments(replace(plain, plugin="/p.so,out=t"))
    at = asked.index("-plugin")
    assert asked[at : at + 2] == ["-plugin", "/p.so,out=t"]
    assert asked[:at] + asked[at + 2 :] == words
