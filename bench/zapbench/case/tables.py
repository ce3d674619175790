# SPDX-License-Identifier: GPL-2.0-only
"""The C tables that span the matrix of cases, as Python sees them."""

from functools import cache
from typing import Any, NamedTuple

from zapbench._zapbench import ffi, lib


def text(pointer: Any) -> str:
    """A C string."""
    return str(ffi.string(pointer).decode())


def _text_or_none(pointer: Any) -> str | None:
    return text(pointer) if pointer else None


class Method(NamedTuple):
    """A row of the methods; ``differs`` says why its end state is not MADV_ZAP's, if so.

    ``promises`` are the names of those that it makes; ``lock`` is how the kernel locks the call,
    ``hole`` what other threads may meet meanwhile.  ``calls`` is how many system calls one drop
    makes, ``descriptors`` those that it cannot do without.
    """

    name: str
    summary: str
    promises: frozenset[str]
    differs: str | None
    calls: int
    descriptors: tuple[str, ...]
    lock: str | None
    hole: str | None


class Workload(NamedTuple):
    """A row of the workloads.

    ``handles_faults``: along its own axes it says who resolves them; ``is_harness``: what it
    times is the harness's own share of the others.
    """

    name: str
    summary: str
    uses_method: bool
    timed: bool
    handles_faults: bool
    is_harness: bool


class Backing(NamedTuple):
    """A row of the backings; ``uffd_minor``: userfaultfd has a minor mode for it.

    ``minor_feature`` is the UFFD_FEATURE_MINOR_* bit that says so, 0 if there is none.
    """

    name: str
    summary: str
    hugetlb: bool
    uffd_minor: bool
    minor_feature: int


class Promise(NamedTuple):
    """A row of the promises; ``loss`` is what a method does that does not keep it.

    Where that is a cost besides instructions, ``cost`` says what is seen of it, and
    ``cost_kept`` and ``cost_lost`` are the words for the two outcomes.  ``events``: it is
    checked with userfaultfd's REMOVE, UNMAP and REMAP events asked for.
    """

    name: str
    summary: str
    loss: str
    cost: str | None
    cost_kept: str
    cost_lost: str
    events: bool


class Axis(NamedTuple):
    """A row of the further axes: the words it takes besides its default, ``N`` for a number.

    ``workloads`` are those that take it.
    """

    name: str
    summary: str
    values: tuple[str, ...]
    workloads: tuple[str, ...]


def _rows(table: str) -> list[Any]:
    rows = getattr(lib, f"zapbench_{table}")
    return [rows[i] for i in range(getattr(lib, f"zapbench_nr_{table}"))]


@cache
def methods() -> dict[str, Method]:
    """The ways to drop translations, in the order of the table."""
    return {
        name: Method(
            name,
            text(row.summary),
            frozenset(each for bit, each in enumerate(promises()) if row.promises >> bit & 1),
            _text_or_none(row.differs),
            int(row.calls),
            tuple(name for name in ("file", "uffd") if getattr(row, f"needs_{name}")),
            _text_or_none(row.lock),
            _text_or_none(row.hole),
        )
        for row in _rows("methods")
        for name in [text(row.name)]
    }


@cache
def workloads() -> dict[str, Workload]:
    """What can be timed, in the order of the table."""
    return {
        name: Workload(
            name,
            text(row.summary),
            bool(row.uses_method),
            bool(row.timed),
            bool(row.handles_faults),
            bool(row.is_harness),
        )
        for row in _rows("workloads")
        for name in [text(row.name)]
    }


def is_harness(workload: str) -> bool:
    """Whether a workload times the harness's own share: the same wherever it runs."""
    known = workloads()
    return workload in known and known[workload].is_harness


@cache
def backings() -> dict[str, Backing]:
    """What can be behind a mapping, in the order of the table."""
    return {
        name: Backing(
            name,
            text(row.summary),
            bool(row.hugetlb),
            bool(row.uffd_minor),
            int(row.minor_feature),
        )
        for row in _rows("backings")
        for name in [text(row.name)]
    }


@cache
def promises() -> dict[str, Promise]:
    """What a method may promise about the state it leaves, in the order of the table."""
    return {
        name: Promise(
            name,
            text(row.summary),
            _text_or_none(row.loss) or f"does not keep {name}",
            _text_or_none(row.cost),
            _text_or_none(row.cost_kept) or "kept",
            _text_or_none(row.cost_lost) or "lost",
            bool(row.events),
        )
        for row in _rows("promises")
        for name in [text(row.name)]
    }


@cache
def page_sizes() -> tuple[int, ...]:
    """Page sizes in bytes, ascending."""
    return tuple(sorted(int(row.bytes) for row in _rows("page_sizes")))


@cache
def axes() -> dict[str, Axis]:
    """The further axes of a case, in the order of the table."""
    return {
        name: Axis(
            name,
            text(row.summary),
            ("N",) if row.max else tuple(text(word) for word in row.words if word),
            tuple(text(workload.name) for workload in row.workloads if workload),
        )
        for row in _rows("axes")
        for name in [text(row.name)]
    }


def axis_values(name: str) -> tuple[str, ...]:
    """The words that a further axis takes besides its default, in the order of the table."""
    return axes()[name].values
