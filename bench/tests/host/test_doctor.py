# SPDX-License-Identifier: GPL-2.0-only
"""Each check of the doctor sees what a made-up machine has, and names what fixes it."""

import errno
import platform
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from zapbench.host import doctor
from zapbench.host.doctor import DAMON, HUGEPAGES, THP, Finding, State
from zapbench.host.machine import CPU, Machine
from zapbench.host.packages import install
from zapbench.host.root import write_as_root
from zapbench.uffd import MINOR_FEATURES, Userfaultfd

ALL_FEATURES = sum(MINOR_FEATURES.values())
GOOD_UFFD = Userfaultfd("syscall", ALL_FEATURES)
GOOD = {
    "proc/sys/vm/unprivileged_userfaultfd": "1",
    f"{HUGEPAGES}/hugepages-2048kB/nr_hugepages": "16",
    f"{HUGEPAGES}/hugepages-2048kB/free_hugepages": "16",
    f"{THP}/shmem_enabled": "always within_size [advise] never deny force",
    f"{THP}/hugepages-64kB/shmem_enabled": "always inherit within_size [advise] never",
    f"{CPU}/cpu0/cpufreq/scaling_governor": "performance",
    f"{CPU}/cpu1/cpufreq/scaling_governor": "performance",
    f"{CPU}/intel_pstate/no_turbo": "1",
    f"{CPU}/smt/active": "0",
    f"{CPU}/vulnerabilities/meltdown": "Mitigation: PTI",
    f"{CPU}/vulnerabilities/mds": "Vulnerable: no microcode",
    f"{CPU}/vulnerabilities/srbds": "Not affected",
    f"{CPU}/isolated": "2-3",
    "sys/devices/system/clocksource/clocksource0/current_clocksource": "tsc",
    "sys/devices/system/clocksource/clocksource0/available_clocksource": "tsc hpet acpi_pm",
    "proc/sys/kernel/randomize_va_space": "0",
    "proc/sys/kernel/numa_balancing": "0",
    "proc/swaps": "Filename Type Size Used Priority",
    "proc/cpuinfo": "processor : 0\nflags\t\t: fpu vme pse",
    "proc/meminfo": "MemTotal: 8388608 kB\nMemAvailable: 4194304 kB",
    "proc/loadavg": "0.05 0.10 0.20 1/123 4567",
    "dev/kvm": "",
    "usr/include/gelf.h": "",
    "usr/include/x86_64-linux-gnu/openssl/ssl.h": "",
}
PROGRAMS = ("qemu-system-x86_64", "ccache", *doctor.BUILD_TOOLS)


@pytest.fixture
def make(tmp_path: Path) -> Callable[..., Machine]:
    """A machine with all that is good, except for what the caller changes or removes (None)."""

    def build(
        changes: dict[str, str | None] | None = None,
        without: tuple[str, ...] = (),
        uffd: Userfaultfd = GOOD_UFFD,
    ) -> Machine:
        for name, text in (GOOD | (changes or {})).items():
            if text is not None:
                (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
                (tmp_path / name).write_text(text + "\n")
        programs = tmp_path / "bin"
        programs.mkdir()
        for name in set(PROGRAMS) - set(without):
            (programs / name).touch(mode=0o755)
        return Machine(tmp_path, str(programs), "x86_64", lambda: uffd)

    return build


def test_good_machine_has_no_complaint(make: Callable[..., Machine]) -> None:
    findings = doctor.examine(make())
    assert {name: f for name, f in findings.items() if f.state is not State.OK} == {}
    assert {name: f.fix for name, f in findings.items() if f.fix} == {}


@pytest.mark.parametrize(
    ("check", "changes", "state", "seen", "fix"),
    [
        ("governor", {f"{CPU}/cpu1/cpufreq/scaling_governor": "powersave"}, "warn",
         "performance, powersave", write_as_root("performance")),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": "0"}, "warn", "on", write_as_root("1")),
        ("turbo", {f"{CPU}/intel_pstate/no_turbo": None, f"{CPU}/cpufreq/boost": "1"}, "warn",
         "on", write_as_root("0", f"/{CPU}/cpufreq/boost")),
        ("SMT", {f"{CPU}/smt/active": "1"}, "warn", "on", "echo off"),
        ("isolated CPUs", {f"{CPU}/isolated": ""}, "warn", "none", "isolcpus="),
        ("clock source", {"sys/devices/system/clocksource/clocksource0/current_clocksource":
         "hpet"}, "warn", "hpet", "echo tsc"),
        ("ASLR", {"proc/sys/kernel/randomize_va_space": "2"}, "warn", "on", "setarch -R"),
        ("NUMA balancing", {"proc/sys/kernel/numa_balancing": "1"}, "warn", "on",
         "sysctl kernel.numa_balancing=0"),
        ("reclaim", {f"{DAMON}/0/state": "on", f"{DAMON}/0/contexts/0/schemes/0/action":
         "pageout"}, "warn", "DAMON", "echo off"),
        ("swap", {"proc/swaps": "Filename Type\n/dev/sda2 partition"}, "warn", "/dev/sda2",
         "swapoff"),
        ("machine", {"proc/cpuinfo": "flags : fpu hypervisor vme"}, "warn", "virtual",
         "bare metal"),
        ("memory", {"proc/meminfo": "MemAvailable: 1048576 kB"}, "warn", "1.0 GiB", "memory"),
        ("load", {"proc/loadavg": "1.70 1 1 1/2 3"}, "warn", "1.70", "top"),
        ("KVM", {"dev/kvm": None}, "warn", "no /dev/kvm", "TCG"),
        ("hugetlb pools", {f"{HUGEPAGES}/hugepages-2048kB/{name}": None for name in
         ("nr_hugepages", "free_hugepages")}, "missing", "no hugetlb", "CONFIG_HUGETLBFS"),
        ("THP on shmem", {f"{THP}/shmem_enabled": None,
         f"{THP}/hugepages-64kB/shmem_enabled": None}, "missing", "no transparent",
         "CONFIG_TRANSPARENT_HUGEPAGE"),
        ("kernel build", {"usr/include/gelf.h": None}, "missing", "gelf.h",
         "apt-get install libelf-dev"),
    ],
)  # fmt: skip
def test_each_trouble_is_seen_and_mended(
    make: Callable[..., Machine],
    check: str,
    changes: dict[str, str | None],
    state: str,
    seen: str,
    fix: str,
) -> None:
    findings = doctor.examine(make(changes))
    assert findings[check].state == state
    assert seen in findings[check].seen
    assert fix in findings[check].fix
    assert {name for name, f in findings.items() if f.state is not State.OK} == {check}


@pytest.mark.parametrize(
    ("check", "program", "package"),
    [("QEMU", "qemu-system-x86_64", "qemu-system-x86"), ("ccache", "ccache", "ccache")]
    + [("kernel build", name, package) for name, package in doctor.BUILD_TOOLS.items()],
)
def test_missing_program_names_its_package(
    make: Callable[..., Machine], check: str, program: str, package: str
) -> None:
    finding = doctor.examine(make(without=(program,)))[check]
    assert finding.state is not State.OK
    assert finding.fix == install(package)


@pytest.mark.parametrize(
    ("uffd", "state", "seen", "fix"),
    [
        (Userfaultfd("syscall", ALL_FEATURES), "ok", "by syscall", ""),
        (Userfaultfd("/dev/userfaultfd", ALL_FEATURES), "ok", "by /dev/userfaultfd", ""),
        (Userfaultfd("user mode only", ALL_FEATURES), "warn", "user mode only", "sysctl"),
        (Userfaultfd(error=errno.EPERM), "missing", "EPERM", "unprivileged_userfaultfd=1"),
        (Userfaultfd(error=errno.ENOSYS), "missing", "not in this kernel", "CONFIG_USERFAULTFD"),
    ],
)
def test_userfaultfd_by_each_route(
    make: Callable[..., Machine], uffd: Userfaultfd, state: str, seen: str, fix: str
) -> None:
    finding = doctor.examine(make(uffd=uffd))["userfaultfd"]
    assert finding.state == state
    assert seen in finding.seen
    assert fix in finding.fix


def test_minor_faults_are_looked_for_by_backing(make: Callable[..., Machine]) -> None:
    machine = make(uffd=Userfaultfd("syscall", MINOR_FEATURES["hugetlb"]))
    finding = doctor.examine(machine)["minor faults"]
    assert (finding.state, finding.seen) == (State.MISSING, "not for shmem")


class ReadOnly(Machine):
    """One on which this user may write nothing, even when the user is root."""

    def writable(self, name: str) -> bool:
        return False


def test_fixed_pool_and_thp_name_the_file_to_write(make: Callable[..., Machine]) -> None:
    pool = f"{HUGEPAGES}/hugepages-2048kB"
    machine = make({f"{pool}/free_hugepages": "0", f"{THP}/shmem_enabled": "[never] always"})
    findings = doctor.examine(ReadOnly(machine.root, machine.search_path))
    assert findings["hugetlb pools"].fix == write_as_root("64", f"/{pool}/nr_hugepages")
    assert findings["THP on shmem"].fix == write_as_root("advise", f"/{THP}/shmem_enabled")


def test_an_empty_tree_is_no_crash(tmp_path: Path) -> None:
    machine = Machine(tmp_path, "", "riscv64", lambda: Userfaultfd(error=errno.EPERM))
    findings = doctor.examine(machine)
    assert list(findings) == [name for name, _ in doctor.CHECKS]
    assert findings["QEMU"] == Finding(
        State.MISSING, "no qemu-system-riscv64", install("qemu-system-misc")
    )


def test_real_machine_is_described() -> None:
    findings = doctor.examine()
    assert findings["Python"].seen == platform.python_version()
    assert float(re.findall(r"[\d.]+", findings["memory"].seen)[0]) > 0
    assert all("\n" not in finding.seen for finding in findings.values())
