# SPDX-License-Identifier: GPL-2.0-only
"""The QEMU command line of a machine: a pure function of what is asked for."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

PROGRAM = "qemu-system-x86_64"
RAM_DISK_KIB = 128 << 10
"""Size of /dev/ram0: one ext2 block group of 4K blocks."""
PORT = "/dev/vport0p1"
"""The virtio serial port in the guest that records are written to."""


@dataclass(frozen=True, slots=True)
class Accelerator:
    """How the guest's instructions are run; a row of `ACCELERATORS`."""

    options: tuple[str, ...]
    cpu: str
    cmdline: tuple[str, ...]
    smp: bool
    clock: str
    told_frequency: bool = False  # of the host's time stamp counter


# No ERMS, no FSRM: TCG counts each REP iteration as an instruction, and clearing a page by
# bytes would cost eight times what it costs by words.
_PLAIN_CPU = "qemu64,+pdpe1gb,+rdtscp"

# nolapic_timer: under icount, the calibration of that timer takes half a minute.
ACCELERATORS: Mapping[str, Accelerator] = {
    "kvm": Accelerator(("-accel", "kvm"), "host", (), smp=True, clock="raw"),
    "tcg": Accelerator(
        ("-accel", "tcg,thread=multi"), _PLAIN_CPU, (), smp=True, clock="raw", told_frequency=True
    ),
    "icount": Accelerator(
        ("-accel", "tcg,thread=single", "-icount", "shift=0,sleep=off"),
        _PLAIN_CPU,
        ("nolapic_timer",),
        smp=False,
        clock="tsc",
    ),
}


@dataclass(frozen=True, slots=True)
class VirtualMachine:
    """A virtual machine.

    ``memory`` is in MiB, ``hugepages`` maps a page size in bytes to how many to reserve at
    boot, ``seed`` feeds the random numbers that QEMU hands the guest, ``tsc_khz`` is the frequency
    of the host's time stamp counter.  ``console`` is None for
    the terminal that zapbench runs on.  ``plugin`` is what QEMU's option of that name takes.
    """

    accelerator: str
    kernel: Path
    initramfs: Path
    console: Path | None
    records: Path | None
    memory: int = 1024
    cpus: int = 2
    hugepages: Mapping[int, int] = field(default_factory=dict)
    seed: int = 0
    tsc_khz: int | None = None
    cmdline: tuple[str, ...] = ()
    plugin: str | None = None

    @property
    def vcpus(self) -> int:
        """One under icount, which counts the instructions of a single CPU."""
        return self.cpus if ACCELERATORS[self.accelerator].smp else 1


def arguments(machine: VirtualMachine) -> list[str]:
    """The command that runs a machine.

    microvm has no firmware tables to parse and no PCI to probe: it boots in half the time of
    ``pc``.  ACPI off, because QEMU then names the virtio device on the kernel's command line.
    """
    accelerator = ACCELERATORS[machine.accelerator]
    return [
        PROGRAM,
        *("-M", "microvm,acpi=off,isa-serial=on,rtc=on"),
        *accelerator.options,
        *("-cpu", accelerator.cpu, "-smp", str(machine.vcpus), "-m", str(machine.memory)),
        *("-nodefaults", "-no-user-config", "-display", "none", "-no-reboot"),
        *("-seed", str(machine.seed & 0xFFFFFFFF)),
        # A wall clock would let two boots of one image differ.
        *("-rtc", "base=2024-01-01T00:00:00,clock=vm"),
        *_ports(machine),
        *(("-plugin", machine.plugin) if machine.plugin else ()),
        *("-kernel", str(machine.kernel), "-initrd", str(machine.initramfs)),
        *("-append", " ".join(_cmdline(machine))),
    ]


def _ports(machine: VirtualMachine) -> list[str]:
    if machine.console is None:
        console = ["-serial", "mon:stdio"]
    else:
        console = ["-chardev", f"file,id=console,path={machine.console}"]
        console += ["-serial", "chardev:console"]
    if machine.records is None:
        return console
    # Written by the thread of the vCPU itself: with a pipe, the guest's instruction count would
    # depend on how fast the host reads.
    return [
        *console,
        *("-chardev", f"file,id=records,path={machine.records}"),
        *("-device", "virtio-serial-device"),
        *("-device", "virtserialport,chardev=records,name=zapbench"),
    ]


def _cmdline(machine: VirtualMachine) -> list[str]:
    words = [
        "console=ttyS0",
        "loglevel=5",  # warnings too: a WARN in the kernel under test must be seen
        *("panic=-1", "oops=panic", "reboot=t"),  # without ACPI a triple fault ends the machine
        *("sysctl.vm.panic_on_oom=1", "sysctl.kernel.panic_on_rcu_stall=1"),
        *("nokaslr", "norandmaps"),  # the same addresses in each boot
        *("brd.rd_nr=1", f"brd.rd_size={RAM_DISK_KIB}"),
        *ACCELERATORS[machine.accelerator].cmdline,
    ]
    if machine.tsc_khz and ACCELERATORS[machine.accelerator].told_frequency:
        words += [f"tsc_early_khz={machine.tsc_khz}", "tsc=reliable"]
    for size, count in sorted(machine.hugepages.items()):
        words += [f"hugepagesz={size >> 20}M", f"hugepages={count}"]
    return [*words, *machine.cmdline]
