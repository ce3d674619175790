# SPDX-License-Identifier: GPL-2.0-only
"""The kinds of records, and the JSON Schema that is made from them.

No record refers to one that refers to it, so that the garbage collector, which looks for such
circles, need not look at any of them (``gc=False``): there may be hundreds of thousands.
"""

import inspect
from enum import StrEnum
from typing import Annotated, Any, Literal

import msgspec

VERSION: Literal[1] = 1

Count = Annotated[int, msgspec.Meta(ge=0)]
Totals = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]

Clock = Literal["raw", "tsc"]
Unit = Literal["ns", "instructions"]


class Run(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Which kernel, in which way of measuring (tier), in which boot (natively: process)."""

    kernel: str
    tier: str
    boot: int


class RecordBase(
    msgspec.Struct,
    frozen=True,
    gc=False,
    kw_only=True,
    tag_field="kind",
    forbid_unknown_fields=True,
):
    """What every line holds: the version of the format, and where it was measured."""

    v: Literal[1]
    run: Run


class Uname(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What uname(2) says."""

    sysname: str
    release: str
    version: str
    machine: str


class HugePool(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """One hugetlb pool: page size in bytes, pages in the pool, pages free."""

    size: int
    total: int
    free: int


class Userfaultfd(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """How userfaultfd was reached, and the feature and ioctl bits that UFFDIO_API gave."""

    route: Literal["syscall", "dev", "user-mode-only", "none"]
    features: int
    ioctls: int


class Hypervisor(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What the host says of a virtual machine: QEMU's version, and its memory in MiB.

    Its accelerator is the tier, its CPUs are those of the context.
    """

    qemu: str
    memory: int


class Context(RecordBase, frozen=True, tag="context", omit_defaults=True):
    """First record of a stream: the machine, the kernel and the program that measured.

    ``mem_total`` and ``page_size`` are bytes; ``thp`` maps the files of
    ``/sys/kernel/mm/transparent_hugepage`` to the word selected in each.

    Records of before have none of the fields with a default, and nothing is known of them.
    ``start`` is when the boot began, by the clock of the host (UTC), no two alike; ``boot_id``
    is the kernel's own, which repeats where instructions are counted; ``machine`` is None
    natively; ``samples`` and ``max_seconds`` are what was to be measured of a case.
    """

    uname: Uname
    build_id: str | None
    cmdline: str
    cpu: str
    cpus: int
    clock: Clock
    unit: Unit
    mem_total: int
    page_size: int
    thp: dict[str, str]
    hugepages: tuple[HugePool, ...]
    uffd: Userfaultfd
    seed: int
    tool: str
    argv: tuple[str, ...]
    start: str | None = None
    boot_id: str | None = None
    machine: Hypervisor | None = None
    samples: int | None = None
    max_seconds: float | None = None


class Histogram(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Log-linear histogram of sample totals.

    A value below ``2**(bits + 1)`` is its own bucket; above, with
    ``e = floor(log2(value)) - bits``, the bucket is ``(e << bits) + (value >> e)`` and is
    ``2**e`` wide, so no value is off by more than ``2**-bits`` of itself.
    """

    bits: int
    min: int
    max: int
    sum: int
    count: int
    buckets: tuple[tuple[int, int], ...]


class Faults(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """What became of the faults that were timed.

    Of ``pages`` that were accessed, ``faults`` raised an event; ``repeated`` counts further
    events of the same page.  ``strandings``: threads that slept on after their page was
    resolved, and were woken by the watch; ``eexist`` and ``eagain``: answers of the resolving
    ioctl.  ``wall`` is the time of all passes together, in the record's unit;
    ``oversubscribed``: there were more threads and handlers than CPUs.
    """

    pages: int
    faults: int
    repeated: int
    strandings: int
    eexist: int
    eagain: int
    wall: int
    oversubscribed: bool


class CaseTotal(msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True):
    """Cost of a whole case, deferred work included, over ``ops`` operations."""

    value: int
    ops: int


class Samples(RecordBase, frozen=True, tag="samples"):
    """The timings of one case.

    ``values`` (or ``histogram``) are totals of a sample, in ``unit``: a sample is
    ``ops_per_sample`` operations on ``pages_per_op`` pages each (0: on none).  ``empty`` is
    what a sample with nothing in it costs: the harness's share.  ``stages`` splits each value
    of ``values`` by stage, in the same order; ``stage_histograms`` does so for a part of the
    samples (the ``count`` of each), not in order.  ``faults`` is there where faults are timed.
    """

    case: str
    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: dict[str, str]
    rep: int
    unit: Unit
    ops_per_sample: int
    pages_per_op: int
    minor_faults: int
    missing_faults: int
    empty: int
    values: Totals | None = None
    histogram: Histogram | None = None
    stages: dict[str, tuple[Count, ...]] = {}
    stage_histograms: dict[str, Histogram] = {}
    faults: Faults | None = None
    case_total: CaseTotal | None = None

    def __post_init__(self) -> None:
        if (self.values is None) == (self.histogram is None):
            raise ValueError("a samples record has either `values` or `histogram`")
        if self.ops_per_sample < 1 or self.pages_per_op < 0:
            raise ValueError("`ops_per_sample` is at least 1 and `pages_per_op` at least 0")


class Seen(StrEnum):
    """What was seen of a promise, in the order of what is worse in one of several boots."""

    NOTHING = "nothing there"
    """There is nothing of the kind, so that no method could lose it."""
    NOT_TRIED = "not tried"
    KEPT = "kept"
    LOST = "lost"
    BROKEN = "broken"
    """Promised, and lost."""


_NOTHING = frozenset(
    {
        "no guard regions on this backing or kernel",
        "no UFFDIO_POISON on this backing or kernel",
        "no uffd-wp on this backing or kernel",
        "not registered with userfaultfd",
    }
)
"""Notes of records from before ``impossible`` that meant it, and that no table tells: what there is
depends on the kernel."""


class Promise(
    msgspec.Struct, frozen=True, gc=False, forbid_unknown_fields=True, omit_defaults=True
):
    """One promise of a method: whether it makes it, whether it held (None: not tried).

    ``impossible``: there is nothing of the kind here, see `Seen`.
    ``counts``: what so many ``calls`` made the kernel do in all, if that was counted; of so many
    ``contended`` ones, while another thread mapped and unmapped, how many waited for which lock.
    """

    promised: bool
    held: bool | None
    note: str
    impossible: bool = False
    counts: dict[str, Count] = {}

    def __post_init__(self) -> None:
        if self.counts and self.counts.get("calls", 0) < 1:
            raise ValueError("`counts` are those of at least one of `calls`")

    @property
    def seen(self) -> Seen:
        """In one word."""
        if self.held is None:
            nothing = self.impossible or self.note in _NOTHING
            return Seen.NOTHING if nothing else Seen.NOT_TRIED
        if self.held:
            return Seen.KEPT
        return Seen.BROKEN if self.promised else Seen.LOST


class Contract(RecordBase, frozen=True, tag="contract"):
    """What a method was seen to do to one kind of mapping.

    ``event`` is what the next access met, ``expected`` what it should have met.
    ``equivalent``: the end state is that of MADV_ZAP and no data is lost; ``why`` names the
    first promise that broke, if one did.
    """

    case: str
    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: dict[str, str]
    expected: str
    event: str
    promises: dict[str, Promise]
    equivalent: bool
    why: str


class Skip(RecordBase, frozen=True, tag="skip"):
    """A case that this kernel or machine cannot run, and why; ``errno`` is 0 if none."""

    case: str
    reason: str
    errno: int


class Error(RecordBase, frozen=True, tag="error"):
    """A case that gave no figure: its contract failed, or a call did."""

    case: str
    reason: str
    errno: int


class End(RecordBase, frozen=True, tag="end"):
    """Last record of a stream; the counts of the others."""

    samples: int
    contracts: int
    skips: int
    errors: int


Record = Context | Samples | Contract | Skip | Error | End


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a record line; committed as ``schema/record-v1.json``."""
    schema = msgspec.json.schema(Record)
    for definition in schema["$defs"].values():  # Python 3.13 takes the indentation off itself
        definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:zapbench:record:v{VERSION}",
        "title": f"zapbench record, version {VERSION}: one line of a record file",
    } | schema
