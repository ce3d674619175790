# SPDX-License-Identifier: GPL-2.0-only
"""How the figures were made, where, what is missing, and how to make them again."""

import re
import shlex
from collections.abc import Iterable, Sequence

from zapbench import text
from zapbench.boot import COUNTED, QUICK, Effort
from zapbench.case import Case, grid
from zapbench.kernel.words import short
from zapbench.record import Context
from zapbench.report.document import (
    Block,
    Bullets,
    Cell,
    Commands,
    Grid,
    Heading,
    Section,
    Text,
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


def again(study: Study, slug: str) -> Section:
    """The commands that make the report, and its figures, again."""
    lines = ["# this page, its charts and its letter again, from the records next to it"]
    lines.append(f"zapbench report --check -o reports/{slug}")
    if study.groups:
        lines.append("# the figures again, on a machine of your own")
    directories = []
    for index, group in enumerate(study.groups):
        directory = f"results/{slug}-{index + 1}"
        directories.append(directory)
        lines.append(f"{_run(group)} -o {directory}")
    if directories:
        title = study.material.title
        named = f" --title {shlex.quote(title)}" if title != title_of(slug) else ""
        lines.append(f"zapbench report {' '.join(directories)} -o reports/{slug}{named}")
    blocks: list[Block] = [
        Text("Records are next to this page, in records.jsonl.gz; all else is made from them."),
        Commands(tuple(lines)),
    ]
    if any(group.timings for group in study.groups):
        pyperf = (
            "# the boots' medians, for pyperf and for spreadsheets",
            "python -m pyperf show suite.json.gz",
            "python -m pyperf stats suite.json.gz",
            f"zapbench report --csv reports/{slug}",
        )
        blocks.append(Commands(pyperf))
    return Section("again", "To make it again", tuple(blocks))


def _run(group: Group) -> str:
    context = group.results.contexts[0]
    words = ["zapbench", "run", *_selection(group)]
    if group.tier != "native":
        words += ["--kernel", short(group.kernel), "--accel", group.tier]
    seed = f"--seed {context.seed}"
    return f"{shlex.join(words)} --boots {group.results.boots} {seed}"


def _selection(group: Group) -> list[str]:
    """What chooses the cases that were tried: a grid, workloads of one, or their names."""
    results, quick = group.results, _is_quick(group)
    tried = {*results.timings, *(case for case, _ in (*results.failed, *results.skipped))}
    allowed = {cell.case for cell in grid(quick=quick) if cell.excluded is None}
    option = ["--quick"] if quick else []
    if tried == allowed:
        return option
    whole = {
        workload
        for workload in {case.workload for case in tried}
        if _of(allowed, workload) == _of(tried, workload)
    }
    rest = [case for case in tried if case.workload not in whole]
    return [*option, *sorted(f"{workload}/*" for workload in whole), *_globs(rest)]


def _of(cases: Iterable[Case], workload: str) -> set[Case]:
    return {case for case in cases if case.workload == workload}


def _globs(cases: Sequence[Case]) -> list[str]:
    """The names; where they are many, what they begin with."""
    if len(cases) <= NAMED:
        return sorted(map(str, cases))
    return sorted({f"{case.workload}/{case.method}/{case.backing}/*" for case in cases})


def _is_quick(group: Group) -> bool:
    """Whether as many samples were asked for as `--quick` does."""
    effort: Effort = COUNTED[QUICK] if group.tier == "icount" else QUICK
    return _option(group.results.contexts[0], "--samples") == str(effort.samples)


def _option(context: Context, name: str) -> str | None:
    words = list(context.argv)
    return words[words.index(name) + 1] if name in words[:-1] else None
