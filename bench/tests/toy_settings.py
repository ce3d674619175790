# SPDX-License-Identifier: GPL-2.0-only
"""A made-up tree of settings, and another process that holds them."""

import contextlib
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

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


@contextlib.contextmanager
def holder(root: Path, nbytes: int = 16 * MIB) -> Iterator[subprocess.Popen[str]]:
    """Another process inside the context."""
    command = [sys.executable, "-c", CHILD, str(root), str(nbytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "applied\n"
            yield process
        finally:
            process.kill()
