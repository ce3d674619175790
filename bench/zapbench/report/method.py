# SPDX-License-Identifier: GPL-2.0-only
"""How the figures were made, where, and what is missing."""

import re
from collections.abc import Iterable

from zapbench import text
from zapbench.kernel.words import short
from zapbench.report.document import (
    Block,
    Bullets,
    Cell,
    Grid,
    Heading,
    Section,
)
from zapbench.report.study import Group, Study, by_reason
from zapbench.result.table import TIER_NOTES, Lack

METHOD = (
    "The contract of a method is checked before its cost: a broken one gives an error and no "
    "figure. Methods are related only where they reach the same end state with nothing lost.",
    "States: M, mapped and registered; T, the next access of any page raises the declared event; "
    "R, resolved: accesses complete and read the right bytes. zap times M to T, cycle M to T to R.",
    "Two rounds go untimed; small operations are timed in batches; what an empty sample costs is "
    "taken off.",
    "The unit of replication is the boot (natively: the process), one median for each. Intervals "
    "are 95 % of Student's t on the logarithms of these medians, ratios Welch's test on the "
    "same; percentiles are of all samples pooled, and left out where fewer than ten samples lie "
    "beyond.",
    "Figures have four significant digits. Lower is better.",
)
WARNINGS = {
    "icount": "icount figures are instructions, not times: caches, TLB misses, IPIs and waiting "
    "for locks are free there. They repeat from boot to boot and may be compared with one another.",
    "kvm": "kvm figures are times in a virtual machine, not on bare metal.",
    "tcg": "tcg figures are times in an emulated machine: good for screening, not for a verdict.",
    "native": "native figures are the truth for that machine and that day only; a virtual or "
    "shared machine adds noise of its own.",
}
NAMED = 12  # cases that are named for one reason; the others are counted
PAD = re.compile(r"\bzapbench_pad=x+")


def method(study: Study) -> Section:
    """How it was measured, and on what."""
    tiers = dict.fromkeys(group.tier for group in study.groups)
    warnings = [WARNINGS.get(t, f"{t}: {TIER_NOTES.get(t, 'an unknown tier')}.") for t in tiers]
    units = dict.fromkeys(group.unit for group in study.groups)
    if len(units) > 1:
        warnings.append(
            f"Mixed units: figures in {' and in '.join(units)} are in tables of their own and "
            "are never set against one another but as ratios."
        )
    few = [group.name for group in study.groups if 0 < group.results.boots < 2]
    if few:
        warnings.append(f"One boot only, so no intervals: {', '.join(few)}.")
    blocks: list[Block] = [Bullets(METHOD)]
    if warnings:
        blocks += [Heading("Warnings"), Bullets(tuple(warnings))]
    if study.groups:
        blocks += [Heading("Machines"), _machines(study)]
    return Section("method", "Method and machines", tuple(blocks))


def _machines(study: Study) -> Grid:
    names = [f"{short(group.kernel)} ({group.tier})" for group in study.groups]
    facts = [_facts(group) for group in study.groups]
    keys = dict.fromkeys(key for each in facts for key in each)
    rows = tuple((Cell(key), *(Cell(each.get(key, text.NONE)) for each in facts)) for key in keys)
    return Grid("What ran where", ("", *names), rows)


def _facts(group: Group) -> dict[str, str]:
    contexts, table = group.results.contexts, group.results.table
    context = contexts[0]
    pools = ", ".join(f"{pool.total} of {pool.size >> 10} KiB" for pool in context.hugepages)
    return {
        "release": context.uname.release,
        "version": context.uname.version,
        "build id": context.build_id or "unknown",
        "processor": f"{context.cpu}, {context.uname.machine}",
        "processors": str(context.cpus),
        "memory": text.memory(context.mem_total),
        "page": f"{context.page_size} bytes",
        "clock": f"{context.clock}, {context.unit}",
        "transparent huge pages": ", ".join(f"{k}={v}" for k, v in context.thp.items()),
        "hugetlb pages": pools or "none",
        "userfaultfd": f"{context.uffd.route}, features {context.uffd.features:#x}",
        "boot parameters": PAD.sub("", context.cmdline).strip() or "none that matter",
        "boots": group.boots_text,
        "seeds": ", ".join(dict.fromkeys(str(each.seed) for each in contexts)),
        "measured by": ", ".join(dict.fromkeys(each.tool for each in contexts)),
        "harness": f"at most {text.share(table.harness)} of a median sample, taken off",
    }


def missing(study: Study) -> Section | None:
    """Cases without a figure, and why; results that were cut off or held nothing."""
    blocks: list[Block] = []
    notes = _notes(study)
    if notes:
        blocks.append(Bullets(tuple(notes)))
    for group in study.groups:
        lines = _lacking(group, NAMED)
        if lines:
            blocks += [Heading(group.name), Bullets(tuple(lines))]
    return Section("missing", "What is missing, and why", tuple(blocks)) if blocks else None


def missing_in_short(study: Study) -> list[str]:
    """The same for a letter: cases are counted, not named."""
    lines = [f"{group.name} {line}" for group in study.groups for line in _lacking(group, 0)]
    return [*_notes(study), *lines]


def _lacking(group: Group, named: int) -> list[str]:
    failed = _reasons("failed", group.results.failed, named)
    return [*failed, *_reasons("skipped", group.results.skipped, named)]


def _notes(study: Study) -> list[str]:
    notes = list(study.material.notes)
    for group in study.groups:
        if group.cut:
            notes.append(f"{group.name}: {group.cut}; what was finished is shown")
        if group.foreign:
            notes.append(
                f"{group.name}: {text.number(group.foreign, 'record')} in another unit than "
                f"{group.unit} left out"
            )
        if not group.timings:
            notes.append(f"{group.name} has no figure at all")
    return notes


def _reasons(word: str, lacks: Iterable[Lack], named: int) -> list[str]:
    lines = []
    for reason, cases in by_reason((lack.reason, str(lack.case)) for lack in lacks).items():
        shown = ", ".join(sorted(cases)[:named])
        more = f" and {len(cases) - named} more" if shown and len(cases) > named else ""
        said = f"{word}: {reason} ({text.number(len(cases), 'case')})"
        lines.append(f"{said}: {shown}{more}" if shown else said)
    return lines


def title_of(slug: str) -> str:
    """A title from the name of a directory: its date goes to the end of the line."""
    parts = slug.split("-")
    day = "-".join(parts[:3])
    dated = len(parts) > 3 and len(day) == 10 and day.replace("-", "").isdigit()
    said = " ".join(parts[3:] if dated else parts)
    return said[:1].upper() + said[1:] + (f", {day}" if dated else "")
