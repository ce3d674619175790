# SPDX-License-Identifier: GPL-2.0-only
"""What has to be the same for two sets of figures to be compared.

Of a record, what its context says of the machine; of this machine, what the context does not
know.  The kernel itself is what is compared, and the boot words in its name are part of it, so
that they are no part of either.
"""

import re
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from zapbench.host.machine import CPU, Machine
from zapbench.host.process import output
from zapbench.kernel.words import recorded
from zapbench.record import Context
from zapbench.vm.qemu import PROGRAM

Fingerprint = Mapping[str, str]

MEMORY = "memory"
"""Of a virtual machine, it follows the cases that a boot has: kernels keep parts of a GiB."""
EFFORT = {"samples": "--samples", "seconds a case": "--max-seconds"}
PASSING = re.compile(r"^(BOOT_IMAGE|initrd|zapbench_pad|hugepagesz|hugepages)=")
"""Words of a kernel command line that name the kernel, perturb a boot, or follow the cases."""


def of_context(context: Context) -> Fingerprint:
    """The machine, virtual or not, that a stream was recorded on, and how."""
    named = recorded(context.run.kernel)
    words = [
        word for word in context.cmdline.split() if word not in named and not PASSING.match(word)
    ]
    return {
        "tier": context.run.tier,
        "unit": context.unit,
        "clock": context.clock,
        "CPU": context.cpu,
        "CPUs": str(context.cpus),
        "page size": str(context.page_size),
        "kernel command line": " ".join(words),
        "zapbench": context.tool,
        MEMORY: f"{-(-context.mem_total >> 30)} GiB",
        "userfaultfd": context.uffd.route,
        **{f"THP {name}": value for name, value in context.thp.items()},
        **{
            name: context.argv[context.argv.index(option) + 1]
            for name, option in EFFORT.items()
            if option in context.argv[:-1]
        },
    }


def of_machine(tier: str, machine: Machine | None = None) -> Fingerprint:
    """This machine, as far as figures of a tier depend on it.

    Raises:
        EnvironmentMissing: the tier needs QEMU and there is none.
    """
    machine = machine or Machine()
    parts = {name: read(machine) for name, (tiers, read) in PARTS.items() if tier in tiers}
    return {name: value or "unknown" for name, value in parts.items()}


def _field(machine: Machine, name: str) -> str | None:
    found = re.search(rf"^{name}\s*:\s*(.*)$", machine.read("proc/cpuinfo") or "", re.M)
    return found[1] if found else None


def _governors(machine: Machine) -> str:
    names = machine.glob(f"{CPU}/cpu[0-9]*/cpufreq/scaling_governor")
    return " ".join(sorted({machine.read(name) or "" for name in names})) or "none"


def _command_line(machine: Machine) -> str:
    words = (machine.read("proc/cmdline") or "").split()
    return " ".join(word for word in words if not PASSING.match(word))


TIMED = ("native", "kvm", "tcg")
VIRTUAL = ("kvm", "tcg", "icount")
PARTS: Mapping[str, tuple[tuple[str, ...], Callable[[Machine], str | None]]] = {
    "CPU": (TIMED, lambda machine: _field(machine, "model name")),
    "microcode": (TIMED, lambda machine: _field(machine, "microcode")),
    "governor": (TIMED, _governors),
    "host command line": (TIMED, _command_line),
    "QEMU": (VIRTUAL, lambda machine: output([PROGRAM, "--version"]).splitlines()[0]),
}
"""Counted instructions depend on the emulator alone, times on the machine below it too."""


def differences(left: Fingerprint, right: Fingerprint) -> list[str]:
    """What differs, a phrase each; empty if nothing does.

    What one of them does not know is no difference: kernels have other files of THP, and older
    records say less.
    """
    return [
        f"{name} ({left[name]} / {right[name]})"
        for name in left
        if name in right and left[name] != right[name]
    ]


def common(contexts: Iterable[Context], where: Path) -> tuple[Fingerprint, list[str]]:
    """The fingerprint of a result, and what differs between its own boots."""
    prints = [{**of_context(each), "kernel build": each.build_id or "unknown"} for each in contexts]
    odd = {text: None for each in prints[1:] for text in differences(prints[0], each)}
    own = {name: value for name, value in prints[0].items() if name != "kernel build"}
    return own, [f"within {where}: {text}" for text in odd if not text.startswith(f"{MEMORY} (")]
