# SPDX-License-Identifier: GPL-2.0-only
"""The commands that make a report, and its figures, again."""

import fnmatch
import itertools
import shlex
from collections.abc import Iterable
from functools import lru_cache

from zapbench.boot import COUNTED, QUICK, Effort
from zapbench.case import Case, Cell, choose, depth, grid
from zapbench.error import UsageError
from zapbench.kernel.words import short
from zapbench.record import Context
from zapbench.report.document import Block, Commands, Section, Text
from zapbench.report.method import title_of
from zapbench.report.study import Group, Study
from zapbench.result.request import Asked

NAMED = 12
"""So many cases are named each; more are chosen by globs that match no other."""


def again(study: Study, slug: str) -> Section:
    """The commands that make the report, and its figures, again."""
    lines = [
        "# in this directory: the page, its charts and its letter, from the records next to them",
        "zapbench report --check -o .",
    ]
    if study.groups:
        lines.append("# in another directory, on a machine of your own: the figures, measured anew")
    directories = [f"{slug}-{index}" for index, _ in enumerate(study.groups, 1)]
    for group, directory in zip(study.groups, directories, strict=True):
        words = _run(group, study.material.asked.get(group.key))
        lines.append(shlex.join([*words, "-o", directory]))
    if directories:
        title = study.material.title
        named = ["--title", title] if title != title_of(slug) else []
        lines.append(shlex.join(["zapbench", "report", *directories, "-o", slug, *named]))
    blocks: list[Block] = [
        Text("Records are next to this page, in records.jsonl.gz; all else is made from them."),
        Commands(tuple(lines)),
    ]
    if any(group.timings for group in study.groups):
        pyperf = (
            "# in this directory: the boots' medians, for pyperf and for spreadsheets",
            "python -m pyperf show suite.json.gz",
            "python -m pyperf stats suite.json.gz",
            "zapbench report --csv .",
        )
        blocks.append(Commands(pyperf))
    return Section("again", "To make it again", tuple(blocks))


def _run(group: Group, asked: Asked | None) -> list[str]:
    words = ["zapbench", "run", *_selection(group, asked)]
    if group.tier != "native":
        words += ["--kernel", short(group.kernel), "--accel", group.tier]
    words += ["--boots", str(group.results.boots)]
    return [*words, "--seed", str(group.results.contexts[0].seed)]


def _selection(group: Group, asked: Asked | None) -> list[str]:
    """What chooses the cases that were tried: what was asked for, as long as that still does."""
    results, quick = group.results, _is_quick(group)
    tried = {*results.timings, *(case for case, _ in (*results.failed, *results.skipped))}
    if asked is not None and asked.quick == quick and tried <= _chosen(asked):
        return [*(["--quick"] if quick else []), *asked.globs]
    return [*(["--quick"] if quick else []), *globs(frozenset(map(str, tried)), quick=quick)]


def _chosen(asked: Asked) -> set[Case]:
    try:
        return {cell.case for cell in choose(asked.globs, quick=asked.quick)}
    except UsageError:
        return set()


@lru_cache(maxsize=16)
def globs(tried: frozenset[str], *, quick: bool) -> tuple[str, ...]:
    """What chooses these cases and no other: nothing for a grid, else globs, or names of few."""
    allowed = _names(grid(quick=quick))
    if tried == allowed:
        return ()
    if len(tried) <= NAMED:
        return tuple(sorted(tried))
    known = allowed | _names(depth(quick=quick))
    hits = {
        pattern: frozenset(fnmatch.filter(known, pattern))
        for pattern in sorted({each for name in tried for each in _patterns(name)})
    }
    exact = {pattern: found for pattern, found in hits.items() if found and found <= tried}
    left = set(tried)
    chosen = []
    while left:
        best = max(exact, key=lambda pattern: (len(exact[pattern] & left), -len(pattern)))
        if not exact[best] & left:
            break
        chosen.append(best)
        left -= exact[best]
    return tuple(sorted([*chosen, *left]))


def _names(cells: Iterable[Cell]) -> set[str]:
    return {str(cell.case) for cell in cells if cell.excluded is None}


def _patterns(name: str) -> Iterable[str]:
    """A name with any of its parts but the first left open, and all of them from one on."""
    first, *rest = name.split("/")
    for open_ in itertools.product((True, False), repeat=len(rest)):
        yield "/".join(
            [first, *("*" if each else part for each, part in zip(open_, rest, strict=True))]
        )
    for kept in range(len(rest)):
        yield "/".join([first, *rest[:kept], "*"])


def _is_quick(group: Group) -> bool:
    """Whether as many samples were asked for as `--quick` does."""
    effort: Effort = COUNTED[QUICK] if group.tier == "icount" else QUICK
    return _option(group.results.contexts[0], "--samples") == str(effort.samples)


def _option(context: Context, name: str) -> str | None:
    words = list(context.argv)
    return words[words.index(name) + 1] if name in words[:-1] else None
