# SPDX-License-Identifier: GPL-2.0-only
"""A made-up tree of settings, and another process that holds them."""

import contextlib
import functools
import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from limits import seconds, until

from zapbench.host import settings
from zapbench.host.settings import Needs

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MM = "sys/kernel/mm"
THP = f"{MM}/transparent_hugepage"
POOL_2M = f"{MM}/hugepages/hugepages-2048kB"
POOL_1G = f"{MM}/hugepages/hugepages-1048576kB"
FILES = {
    f"{POOL_2M}/nr_hugepages": "4",
    f"{POOL_2M}/free_hugepages": "3",
    f"{POOL_2M}/resv_hugepages": "1",
    f"{POOL_1G}/nr_hugepages": "0",
    f"{POOL_1G}/free_hugepages": "0",
    f"{POOL_1G}/resv_hugepages": "0",
    f"{THP}/hpage_pmd_size": str(2 * MIB),
    f"{THP}/shmem_enabled": "always within_size advise [never] deny force",
    f"{THP}/hugepages-64kB/shmem_enabled": "always inherit within_size advise [never]",
    f"{THP}/hugepages-2048kB/shmem_enabled": "always [inherit] within_size advise never",
    f"{THP}/khugepaged/defrag": "1",
    "proc/meminfo": "MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB",
}


def contents(root: Path) -> dict[str, str]:
    """What the tree holds; a choice, once written, is the bare word."""
    return {name: settings.read(root / name) for name in FILES if "meminfo" not in name}


def leftover(root: Path) -> Path:
    return root.parent / "state/settings.json"


NEEDS = Needs(hugetlb={2 * MIB: 16 * MIB}, mthp=frozenset({64 * KIB, 2 * MIB}))
CHILD = """
import signal, sys
from pathlib import Path
from zapbench.host.settings import Needs, applied
needs = Needs(hugetlb={2 << 20: int(sys.argv[2])}, mthp=frozenset({2 << 20}))
with applied(needs, root=Path(sys.argv[1])):
    print("applied", flush=True)
    signal.pause()
"""


CHANGED = (
    "/proc/sys/vm/nr_hugepages",
    "/sys/kernel/mm/transparent_hugepage/shmem_enabled",
    "/sys/kernel/mm/transparent_hugepage/khugepaged/defrag",
)
"""Of this machine, what a run may change while it lasts."""


def held() -> contextlib.AbstractContextManager[None]:
    """Hold the settings of this machine against its runs, when they have ended."""
    return settings.locked(Path("/"), seconds(600))


def now() -> list[str]:
    """What they are when nobody measures on this machine, and no killed run has left anything.

    Both is waited for: other runs of this machine are killed, too, and gone on with.
    """

    def seen() -> list[str] | None:
        with held():
            if any(journal.exists() for journal in settings.journals(Path("/"))):
                return None
            return [Path(name).read_text() for name in CHANGED if Path(name).exists()]

    found = until(seen, "the end of what a killed run has left", 300)
    assert found is not None
    return found


def as_before(before: list[str]) -> None:
    """Check that the settings were put back; those that others change are waited for."""
    with contextlib.suppress(AssertionError):
        until(lambda: now() == before, "the settings as before")
    assert now() == before


@contextlib.contextmanager
def on_this_machine(state: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Change real settings, with a journal in a directory; whatever is left is put back."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(state))
    try:
        yield
    finally:
        monkeypatch.setenv("ZAPBENCH_STATE", str(state))
        with held():
            settings.recover(Path("/"))


PID_NAMESPACE = ("unshare", "--pid", "--fork", "--kill-child")
"""Before a command: /proc stays the machine's, as for programs that zapbench itself encloses."""
CONTAINER = (*PID_NAMESPACE, "--mount-proc")


def need(namespace: Sequence[str]) -> None:
    """Skip a test where this user can make no such namespace."""
    if os.geteuid() != 0 or not _works(tuple(namespace)):
        pytest.skip(f"needs root, and a kernel that lets it: {' '.join(namespace)}")


@functools.cache
def _works(namespace: tuple[str, ...]) -> bool:
    with contextlib.suppress(FileNotFoundError):
        return subprocess.run([*namespace, "true"], check=False).returncode == 0
    return False


@contextlib.contextmanager
def holder(
    root: Path, nbytes: int = 16 * MIB, within: Sequence[str] = ()
) -> Iterator[subprocess.Popen[str]]:
    """Another process inside the context; ``within`` are words before the command."""
    command = [*within, sys.executable, "-c", CHILD, str(root), str(nbytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "applied\n"
            yield process
        finally:
            process.kill()


def kill(process: subprocess.Popen[str]) -> None:
    """End a holder such that it can clean up nothing."""
    process.kill()
    process.wait()


def killed(root: Path, within: Sequence[str] = ()) -> None:
    """Leave settings as a run does that is killed."""
    with holder(root, within=within) as process:
        kill(process)
