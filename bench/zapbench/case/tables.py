# SPDX-License-Identifier: GPL-2.0-only
"""The C tables that span the matrix of cases, as Python sees them."""

from functools import cache
from typing import Any, NamedTuple

from zapbench._zapbench import ffi, lib


def text(pointer: Any) -> str:
    """A C string."""
    return str(ffi.string(pointer).decode())


class Axis(NamedTuple):
    """A row of one of the C tables: a name and the line that says what it means."""

    name: str
    summary: str


class Method(NamedTuple):
    """A row of the methods; ``differs`` says why its end state is not MADV_ZAP's, if so."""

    name: str
    summary: str
    differs: str | None


class Workload(NamedTuple):
    """A row of the workloads."""

    name: str
    summary: str
    uses_method: bool
    timed: bool


class Backing(NamedTuple):
    """A row of the backings; ``uffd_minor``: userfaultfd has a minor mode for it."""

    name: str
    summary: str
    hugetlb: bool
    uffd_minor: bool


def _rows(table: str) -> list[Any]:
    rows = getattr(lib, f"zapbench_{table}")
    return [rows[i] for i in range(getattr(lib, f"zapbench_nr_{table}"))]


@cache
def methods() -> dict[str, Method]:
    """The ways to drop translations, in the order of the table."""
    return {
        name: Method(name, text(row.summary), text(row.differs) if row.differs else None)
        for row in _rows("methods")
        for name in [text(row.name)]
    }


@cache
def workloads() -> dict[str, Workload]:
    """What can be timed, in the order of the table."""
    return {
        name: Workload(name, text(row.summary), bool(row.uses_method), bool(row.timed))
        for row in _rows("workloads")
        for name in [text(row.name)]
    }


@cache
def backings() -> dict[str, Backing]:
    """What can stand behind a mapping, in the order of the table."""
    return {
        name: Backing(name, text(row.summary), bool(row.hugetlb), bool(row.uffd_minor))
        for row in _rows("backings")
        for name in [text(row.name)]
    }


@cache
def promises() -> dict[str, Axis]:
    """What a method may promise about the state it leaves, in the order of the table."""
    return {
        name: Axis(name, text(row.summary))
        for row in _rows("promises")
        for name in [text(row.name)]
    }


@cache
def page_sizes() -> tuple[int, ...]:
    """Page sizes in bytes, ascending."""
    return tuple(sorted(int(row.bytes) for row in _rows("page_sizes")))


@cache
def axis_values(name: str) -> tuple[str, ...]:
    """The words that a further axis takes besides its default, in the order of the table."""
    values = {text(row.name): text(row.values) for row in _rows("axes")}
    return tuple(values[name].split())
