# SPDX-License-Identifier: GPL-2.0-only
"""What is missing or noisy on this machine, each with the command that fixes it.

A check is a function from the machine to a `Finding` and a row of `CHECKS`.  Nothing is
changed and nothing is printed.
"""

import contextlib
import errno
import platform
import re
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from zapbench.host import settings
from zapbench.host.machine import CPU, Machine
from zapbench.host.packages import PROGRAMS, install, used_by
from zapbench.host.root import as_root, write_as_root
from zapbench.uffd import MINOR_FEATURES

DAMON = "sys/kernel/mm/damon/admin/kdamonds"
HUGEPAGES = "sys/kernel/mm/hugepages"
THP = "sys/kernel/mm/transparent_hugepage"
CLOCK = "sys/devices/system/clocksource/clocksource0"
GIB = 1 << 30


class State(StrEnum):
    """How bad a finding is."""

    OK = "ok"
    WARN = "warn"
    """Figures are noisier, fewer, or not those of bare metal."""
    MISSING = "missing"
    """Some command cannot work."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What a check saw; `fix` is a command or an advice, empty when all is well."""

    state: State
    seen: str
    fix: str = ""


def userfaultfd(machine: Machine) -> Finding:
    """Whether userfaultfd is available, and for which faults."""
    got = machine.userfaultfd()
    sysctl = machine.read("proc/sys/vm/unprivileged_userfaultfd")
    fix = as_root("sysctl vm.unprivileged_userfaultfd=1")
    if got.route == "user mode only":
        seen = f"faults from user mode only (vm.unprivileged_userfaultfd is {sysctl})"
        return Finding(State.WARN, seen, fix)
    if got.route:
        return Finding(State.OK, f"by {got.route}")
    if got.error == errno.ENOSYS:
        return Finding(State.MISSING, "not in this kernel", "a kernel with CONFIG_USERFAULTFD=y")
    name = errno.errorcode.get(got.error, str(got.error))
    return Finding(State.MISSING, f"refused: {name}", fix)


def minor_faults(machine: Machine) -> Finding:
    """Whether the kernel reports minor faults, for which backings."""
    features = machine.userfaultfd().features
    lacking = [name for name, bit in MINOR_FEATURES.items() if not features & bit]
    if not lacking:
        return Finding(State.OK, " and ".join(MINOR_FEATURES))
    return Finding(State.MISSING, f"not for {', '.join(lacking)}", "a kernel of 5.14 or later")


def hugetlb(machine: Machine) -> Finding:
    """The pools, and whether a run may raise them."""
    pools = list(machine.glob(f"{HUGEPAGES}/hugepages-*kB"))
    if not pools:
        return Finding(State.MISSING, "no hugetlb pages", "a kernel with CONFIG_HUGETLBFS=y")
    seen = [
        f"{pool.rpartition('-')[2]}: {machine.read(pool + '/free_hugepages')} free "
        f"of {machine.read(pool + '/nr_hugepages')}"
        for pool in pools
    ]
    empty = [pool for pool in pools if machine.read(pool + "/free_hugepages") == "0"]
    fixed = [pool for pool in empty if not machine.writable(pool + "/nr_hugepages")]
    if not fixed:
        note = "; runs raise what they need" if empty else ""
        return Finding(State.OK, ", ".join(seen) + note)
    fix = write_as_root("64", f"/{fixed[0]}/nr_hugepages")
    return Finding(State.WARN, ", ".join(seen), fix)


def shmem_thp(machine: Machine) -> Finding:
    """Whether shmem can have transparent huge pages, or a run may arrange it."""
    files = [*machine.glob(f"{THP}/hugepages-*kB/shmem_enabled"), f"{THP}/shmem_enabled"]
    words = {name: word for name in files if (word := machine.chosen(name))}
    if not words:
        return Finding(
            State.MISSING,
            "no transparent huge pages",
            "a kernel with CONFIG_TRANSPARENT_HUGEPAGE=y",
        )
    off = [name for name, word in words.items() if word in ("never", "deny")]
    seen = f"{len(words) - len(off)} of {len(words)} sizes on"
    if any(machine.writable(name) for name in words):
        return Finding(State.OK, seen + "; runs set what they need")
    if off:
        return Finding(State.WARN, seen, write_as_root("advise", *(f"/{name}" for name in off)))
    return Finding(State.OK, seen)


def settings_left(machine: Machine) -> Finding:
    """Whether a run that was killed has left settings changed."""
    if seen := settings.left(machine.root):
        return Finding(State.WARN, seen, as_root("zapbench doctor --restore"))
    return Finding(State.OK, "none is left changed by a run that was killed")


def governor(machine: Machine) -> Finding:
    """Whether the CPUs keep their frequency."""
    names = machine.glob(f"{CPU}/cpu[0-9]*/cpufreq/scaling_governor")
    words = sorted({word for name in names if (word := machine.read(name))})
    if not words:
        return Finding(State.OK, "none here: the host or the firmware decides")
    if words == ["performance"]:
        return Finding(State.OK, "performance")
    fix = write_as_root("performance", f"/{CPU}/cpu*/cpufreq/scaling_governor")
    return Finding(State.WARN, ", ".join(words), fix)


def turbo(machine: Machine) -> Finding:
    """Whether the clock may rise above its nominal frequency."""
    for name, off in ((f"{CPU}/intel_pstate/no_turbo", "1"), (f"{CPU}/cpufreq/boost", "0")):
        value = machine.read(name)
        if value is not None:
            if value == off:
                return Finding(State.OK, "off")
            return Finding(State.WARN, "on", write_as_root(off, f"/{name}"))
    return Finding(State.OK, "no control here: the host or the firmware decides")


def smt(machine: Machine) -> Finding:
    """Whether a sibling hardware thread shares the core."""
    if machine.read(f"{CPU}/smt/active") == "1":
        return Finding(State.WARN, "on", write_as_root("off", f"/{CPU}/smt/control"))
    return Finding(State.OK, "off")


def mitigations(machine: Machine) -> Finding:
    """Which mitigations slow each entry to the kernel: recorded, not to be fixed."""
    states = [machine.read(name) or "" for name in machine.glob(f"{CPU}/vulnerabilities/*")]
    active = sum(state.startswith("Mitigation") for state in states)
    open_ones = sum(state.startswith("Vulnerable") for state in states)
    return Finding(State.OK, f"{active} active, {open_ones} vulnerable: compare like with like")


def isolated(machine: Machine) -> Finding:
    """Whether CPUs are kept free of other work."""
    if cpus := machine.read(f"{CPU}/isolated"):
        return Finding(State.OK, f"CPUs {cpus}: use them with taskset -c {cpus}")
    fix = "boot with isolcpus=LIST nohz_full=LIST rcu_nocbs=LIST"
    return Finding(State.WARN, "none", fix)


def clocksource(machine: Machine) -> Finding:
    """Whether reading the clock is cheap."""
    current = machine.read(f"{CLOCK}/current_clocksource") or "unknown"
    if current in ("tsc", "kvm-clock", "arch_sys_counter"):
        return Finding(State.OK, current)
    if "tsc" in (machine.read(f"{CLOCK}/available_clocksource") or "").split():
        fix = write_as_root("tsc", f"/{CLOCK}/current_clocksource")
    else:
        fix = "boot with tsc=reliable, if the kernel log does not call it unstable"
    return Finding(State.WARN, f"{current}: slow to read", fix)


def aslr(machine: Machine) -> Finding:
    """Whether addresses, so cache and TLB conflicts, differ from process to process."""
    if machine.read("proc/sys/kernel/randomize_va_space") == "0":
        return Finding(State.OK, "off")
    return Finding(State.WARN, "on: more processes average it out", "setarch -R zapbench run")


def virtual(machine: Machine) -> Finding:
    """Whether this is bare metal."""
    flags = re.search(r"^flags\s*:.*\bhypervisor\b", machine.read("proc/cpuinfo") or "", re.M)
    if flags:
        seen = "a virtual machine: native figures are a guest's"
        return Finding(State.WARN, seen, "measure on bare metal")
    return Finding(State.OK, "bare metal")


def reclaim(machine: Machine) -> Finding:
    """Whether DAMON takes cold pages away by itself, Documentation/admin-guide/mm/damon/."""
    for state in machine.glob(f"{DAMON}/*/state"):
        if machine.read(state) != "on":
            continue
        actions = machine.glob(f"{Path(state).parent}/contexts/*/schemes/*/action")
        if any(machine.read(action) == "pageout" for action in actions):
            return Finding(
                State.WARN, "DAMON pages out: it unmaps pages", write_as_root("off", f"/{state}")
            )
    return Finding(State.OK, "on demand only")


def numa_balancing(machine: Machine) -> Finding:
    """Whether the kernel unmaps pages by itself to see who uses them."""
    if machine.read("proc/sys/kernel/numa_balancing") in (None, "0"):
        return Finding(State.OK, "off")
    return Finding(State.WARN, "on: it unmaps pages", as_root("sysctl kernel.numa_balancing=0"))


def swap(machine: Machine) -> Finding:
    """Whether shmem pages may leave memory."""
    areas = (machine.read("proc/swaps") or "").splitlines()[1:]
    if areas:
        names = ", ".join(area.split()[0] for area in areas)
        return Finding(State.WARN, names, as_root("swapoff -a"))
    return Finding(State.OK, "none")


def memory(machine: Machine) -> Finding:
    """Whether the largest ranges fit."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", machine.read("proc/meminfo") or "", re.M)
    free = int(found[1]) * 1024 if found else 0
    seen = f"{free / GIB:.1f} GiB available"
    if free >= 3 * GIB:
        return Finding(State.OK, seen)
    return Finding(State.WARN, seen + ", the 1 GiB ranges need 3", "end what uses the memory")


def load(machine: Machine) -> Finding:
    """Whether other work runs next to the measurement."""
    average = float((machine.read("proc/loadavg") or "0").split()[0])
    if average < 0.3:
        return Finding(State.OK, f"load {average:.2f}")
    return Finding(State.WARN, f"load {average:.2f}", "end other work: see top")


def qemu(machine: Machine) -> Finding:
    """Whether kernels can be booted."""
    program = f"qemu-system-{machine.architecture}"
    if machine.has(program):
        return Finding(State.OK, program)
    package = PROGRAMS.get(program, "qemu-system-misc")
    return Finding(State.MISSING, f"no {program}", install(package))


def kvm(machine: Machine) -> Finding:
    """Whether /dev/kvm opens; only a boot proves that it runs a kernel."""
    try:
        with contextlib.closing(open(machine.root / "dev/kvm", "r+b", buffering=0)):
            return Finding(State.OK, "/dev/kvm opens; a boot will show whether it works")
    except PermissionError:
        return Finding(State.WARN, "/dev/kvm is not for you", as_root("usermod -aG kvm $USER"))
    except OSError:
        return Finding(State.WARN, "no /dev/kvm", "without it guests run under TCG or icount")


BUILD_TOOLS = used_by("kernel", "program")
BUILD_HEADERS = used_by("kernel", "header")


def kernel_build(machine: Machine) -> Finding:
    """Whether kernels can be built."""
    programs = {name: package for name, package in BUILD_TOOLS.items() if not machine.has(name)}
    headers = {
        name: package
        for name, package in BUILD_HEADERS.items()
        if not any([*machine.glob(f"usr/include/{where}{name}")] for where in ("", "*/"))
    }
    lacking = programs | headers
    if lacking:
        fix = install(*sorted(set(lacking.values())))
        return Finding(State.MISSING, f"no {', '.join(lacking)}", fix)
    return Finding(State.OK, "compiler, tools and headers are there")


def ccache(machine: Machine) -> Finding:
    """Whether building a kernel again is quick."""
    if machine.has("ccache"):
        return Finding(State.OK, "there")
    return Finding(State.WARN, "none: each build starts cold", install(PROGRAMS["ccache"]))


Check = Callable[[Machine], Finding]

CHECKS: tuple[tuple[str, Check], ...] = (
    ("userfaultfd", userfaultfd),
    ("minor faults", minor_faults),
    ("hugetlb pools", hugetlb),
    ("THP on shmem", shmem_thp),
    ("settings", settings_left),
    ("memory", memory),
    ("swap", swap),
    ("machine", virtual),
    ("governor", governor),
    ("turbo", turbo),
    ("SMT", smt),
    ("mitigations", mitigations),
    ("isolated CPUs", isolated),
    ("clock source", clocksource),
    ("ASLR", aslr),
    ("NUMA balancing", numa_balancing),
    ("reclaim", reclaim),
    ("load", load),
    ("Python", lambda machine: Finding(State.OK, platform.python_version())),
    ("QEMU", qemu),
    ("KVM", kvm),
    ("kernel build", kernel_build),
    ("ccache", ccache),
)


def examine(machine: Machine | None = None) -> dict[str, Finding]:
    """All findings by the name of their check, in the order of the table."""
    machine = machine or Machine()
    return {name: check(machine) for name, check in CHECKS}
