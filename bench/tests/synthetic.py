# SPDX-License-Identifier: GPL-2.0-only
"""Record lines made up for tests: their figures were measured nowhere."""

import re
import zlib
from typing import Any

from zapbench.case import Case
from zapbench.record import (
    VERSION,
    Context,
    Contract,
    End,
    Error,
    HugePool,
    Hypervisor,
    Promise,
    Record,
    Run,
    Samples,
    Skip,
    Uname,
    Unit,
    Userfaultfd,
    encode,
)

KERNEL = "synthetic"


def run_of(boot: int = 0, kernel: str = KERNEL, tier: str = "native") -> Run:
    return Run(kernel, tier, boot)


LINE = re.compile(r"^(\d+\.\d+)(?=\+|$)")
"""What a kernel is called that is the newest of its line; it says which that is."""


def context(run: Run, *, unit: Unit = "ns", seed: int = 7) -> Context:
    return Context(
        v=VERSION,
        run=run,
        uname=Uname("Linux", LINE.sub(r"\1.117", run.kernel), "#1", "x86_64"),
        build_id=None,
        cmdline="",
        cpu="none",
        cpus=2,
        clock="raw" if unit == "ns" else "tsc",
        unit=unit,
        mem_total=1 << 32,
        page_size=4096,
        thp={"enabled": "madvise"},
        hugepages=(HugePool(2 << 20, 0, 0),),
        uffd=Userfaultfd("syscall", 0, 0),
        seed=seed,
        tool="synthetic",
        argv=(),
        start=start_of(run, seed),
        boot_id=f"boot-{run.boot}",
        machine=None if run.tier == "native" else Hypervisor("QEMU emulator version 0", 1024),
        samples=11,
        max_seconds=0.5,
    )


def start_of(run: Run, seed: int) -> str:
    """When a boot began: the same for the same one, another for any other."""
    digits = zlib.crc32(f"{run.kernel} {run.tier} {seed} {run.boot}".encode())
    return f"2026-01-01T00:00:00.{digits:010}Z"


def samples(run: Run, name: str, values: tuple[int, ...] | None, **fields: object) -> Samples:
    case = Case.parse(name)
    known: dict[str, Any] = {
        "case": name,
        "workload": case.workload,
        "method": case.method,
        "backing": case.backing,
        "page_size": case.page_size,
        "range_size": case.range_size,
        "axes": dict(case.axes),
        "rep": 0,
        "unit": "ns",
        "ops_per_sample": 1,
        "pages_per_op": case.range_size // case.page_size,
        "minor_faults": 0,
        "missing_faults": 0,
        "empty": 0,
        "values": values,
    }
    return Samples(v=VERSION, run=run, **(known | fields))


def contract(run: Run, name: str, *, broken: str = "", equivalent: bool = True) -> Contract:
    case = Case.parse(name)
    promises = {
        "cache": Promise(True, broken != "cache", "1 of 1 pages"),
        "cow": Promise(False, None, "a shared mapping has no private pages", impossible=True),
        "vmas": Promise(False, False, "+2 mappings"),
    }
    return Contract(
        v=VERSION,
        run=run,
        case=name,
        workload="contract",
        method=case.method,
        backing=case.backing,
        page_size=case.page_size,
        range_size=case.range_size,
        axes={},
        expected="minor",
        event="minor",
        promises=promises,
        equivalent=equivalent and not broken,
        why=f"promise {broken} broken" if broken else "",
    )


def skip(run: Run, case: str, reason: str = "not supported", errno: int = 22) -> Skip:
    return Skip(v=VERSION, run=run, case=case, reason=reason, errno=errno)


def error(run: Run, case: str, reason: str = "contract broken", errno: int = 71) -> Error:
    return Error(v=VERSION, run=run, case=case, reason=reason, errno=errno)


def stream(run: Run, *records: Record, unit: Unit = "ns", seed: int = 7) -> list[bytes]:
    """The lines of a whole stream, context and end included."""
    kinds = (Samples, Contract, Skip, Error)
    counts = (sum(isinstance(record, kind) for record in records) for kind in kinds)
    end = End(*counts, v=VERSION, run=run)
    return [encode(record) for record in (context(run, unit=unit, seed=seed), *records, end)]
