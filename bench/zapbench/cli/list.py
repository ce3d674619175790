# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench list``: the cases there are, and which of them this kernel supports."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

import click

from zapbench import where
from zapbench.boot import contracts
from zapbench.case import NO_METHOD, Case, Cell, choose
from zapbench.cli.options import where_options
from zapbench.cli.output import console, json_option, print_json
from zapbench.cli.output import grid as print_grid
from zapbench.cli.progress import ON_STDERR
from zapbench.record import Contract, Error, Recording, Skip

SUPPORTED, EXCLUDED, MISSING, BROKEN = "yes", "excluded", "no", "broken"
Key = tuple[str, str, int]


@dataclass(frozen=True, slots=True)
class Listed:
    """One case: whether it can be measured here, and if not, why."""

    case: str
    supported: str
    reason: str


@click.command()
@click.argument("globs", nargs=-1, metavar="[GLOB]...")
@where_options
@click.option("--quick", is_flag=True, help="Only the grid of `run --quick`.")
@json_option
def command(
    *,
    globs: tuple[str, ...],
    target: str | None,
    kernel: str | None,
    accel: str,
    quick: bool,
    as_json: bool,
) -> int:
    """List the cases that match a GLOB; probe the kernel for what it supports."""
    cells = choose(globs, quick=quick)
    running = where.choose(target, kernel, accel, ON_STDERR)
    probes = probes_of(cells)
    with where.prepared(running, [probe.case for probe in probes], ON_STDERR):
        recording = contracts(running, probes)
    listed = listing(cells, recording)
    if as_json:
        print_json(listed)
        return 0
    out = console()
    print_grid(
        ("case", "here", "why not"),
        ([each.case, each.supported, each.reason] for each in listed),
        out,
    )
    count = sum(each.supported == SUPPORTED for each in listed)
    out.print(f"\n{len(listed)} cases, {count} of them can be measured on {running.kernel}")
    return 0


def _probe(case: Case) -> Case:
    """The contract case that tells whether the method of a case is available."""
    return Case("contract", case.method, case.backing, case.page_size, case.page_size)


def probes_of(cells: Iterable[Cell]) -> list[Cell]:
    """One contract case for each method, backing and page size among the cells."""
    probes = {
        _probe(cell.case): None for cell in cells if cell.excluded is None and _has_method(cell)
    }
    return [Cell(case, case.excluded) for case in probes]


def _has_method(cell: Cell) -> bool:
    return cell.case.method != NO_METHOD


def listing(cells: Iterable[Cell], recording: Recording) -> list[Listed]:
    """Say of each case whether it can be measured where the recording was made."""
    broken = {(c.method, c.backing, c.page_size): c.why for c in recording.of(Contract) if c.why}
    missing = {
        record.case: record.reason
        for record in recording.records
        if isinstance(record, Skip | Error)
    }
    return [_listed(cell, broken, missing) for cell in cells]


def _listed(cell: Cell, broken: Mapping[Key, str], missing: Mapping[str, str]) -> Listed:
    case, excluded = cell
    name = str(case)
    if excluded is not None:
        return Listed(name, EXCLUDED, excluded)
    key = (case.method, case.backing, case.page_size)
    if key in broken:
        return Listed(name, BROKEN, broken[key])
    reason = missing.get(str(_probe(case)))
    return Listed(name, MISSING, reason) if reason is not None else Listed(name, SUPPORTED, "")
