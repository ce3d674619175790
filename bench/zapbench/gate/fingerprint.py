# SPDX-License-Identifier: GPL-2.0-only
"""What has to be the same for two sets of figures to be compared.

Of a record, what its context says of the machine and of what was asked; of this machine, what
the context does not know.  The kernel itself is what is compared, and the boot words in its name
are part of it, so that they are no part of either.

What a record does not say is not in its fingerprint: it equals anything, and `unknown` names it.
"""

import contextlib
import re
from collections.abc import Callable, Iterable, Mapping

from zapbench.host.machine import CPU, Machine
from zapbench.host.process import output
from zapbench.kernel.words import recorded
from zapbench.record import Context
from zapbench.vm.qemu import PROGRAM

Fingerprint = Mapping[str, str]
SEED = "seed"
MEM_TOTAL = "MemTotal"
RESERVED = 0.05
"""The share of memory by which what kernels leave of one machine may differ."""
PASSING = re.compile(r"^(BOOT_IMAGE|initrd|zapbench_pad|hugepagesz|hugepages)=")
"""Words of a kernel command line that name the kernel, perturb a boot, or follow the cases."""


# What a run chooses, and what is set for the cases that it measures.
_CHOSEN = re.compile(
    rf"({SEED}|memory|samples|seconds a case|THP (hugepages-|khugepaged|shmem_enabled).*)$"
)


def of_context(context: Context) -> Fingerprint:
    """The machine, virtual or not, that a stream was recorded on, and how."""
    named = recorded(context.run.kernel)
    words = [
        word for word in context.cmdline.split() if word not in named and not PASSING.match(word)
    ]
    machine = context.machine
    parts = {
        "tier": context.run.tier,
        "unit": context.unit,
        "clock": context.clock,
        "CPU": context.cpu,
        "CPUs": str(context.cpus),
        "page size": str(context.page_size),
        "kernel command line": " ".join(words),
        "zapbench": context.tool,
        "userfaultfd": context.uffd.route,
        "memory": f"{machine.memory} MiB" if machine is not None else None,
        # Where nobody says what the machine has, what its kernel was left with.
        MEM_TOTAL: f"{context.mem_total >> 20} MiB" if machine is None else None,
        "QEMU": machine.qemu if machine is not None else None,
        SEED: str(context.seed),
        "samples": _asked(context, context.samples, "--samples"),
        "seconds a case": _asked(context, context.max_seconds, "--max-seconds"),
        **{f"THP {file}": word for file, word in context.thp.items()},
    }
    return {name: value for name, value in parts.items() if value is not None}


def _asked(context: Context, number: float | None, option: str) -> str | None:
    """What was asked of a boot; a record of before may have it among the program's arguments."""
    words = context.argv
    if number is None and option in words[:-1]:
        with contextlib.suppress(ValueError):
            number = float(words[words.index(option) + 1])
    return None if number is None else f"{number:g}"


def lasting(fingerprint: Fingerprint) -> Fingerprint:
    """What of a record's fingerprint stays from run to run on one machine."""
    return {name: value for name, value in fingerprint.items() if not _CHOSEN.match(name)}


def unknown(context: Context) -> list[str]:
    """What a record of before does not say of what bears on its figures."""
    virtual = context.run.tier in VIRTUAL
    absent = {
        "when its boots began": context.start is None,
        "samples": "samples" not in of_context(context),
        "QEMU and memory": virtual and context.machine is None,
        "mTHP state": context.samples is None and not any("hugepages-" in k for k in context.thp),
    }
    return [name for name, lacking in absent.items() if lacking]


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
    """What is known of both and differs, a phrase each; empty if nothing does."""
    return [
        f"{name} ({value} / {right[name]})"
        for name, value in left.items()
        if name in right and not _alike(name, value, right[name])
    ]


def _alike(name: str, left: str, right: str) -> bool:
    if name != MEM_TOTAL:
        return left == right
    sizes = [int(text.partition(" ")[0]) for text in (left, right)]
    return min(sizes) >= (1 - RESERVED) * max(sizes)


def common(contexts: Iterable[Context]) -> tuple[Fingerprint, list[str]]:
    """The fingerprint of a result, and what differs between its own boots."""
    found: Fingerprint = {}
    odd: dict[str, None] = {}
    for context in contexts:
        each = of_context(context)
        odd |= dict.fromkeys(differences(found, each))
        found = {**each, **found}
    return found, list(odd)
