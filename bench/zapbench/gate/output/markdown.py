# SPDX-License-Identifier: GPL-2.0-only
"""Markdown for a merge request: the outcome, what needs attention, the table, the commands."""

from zapbench.gate import commands, wording
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Verdict

HEADER = (
    "| verdict | case | statistic | base or reference | head | change | {} interval | limit |\n"
    "|---|---|---|--:|--:|--:|---|---|"
)


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`."""
    lines = [f"### {wording.summary(judgement)}", "", _cell(wording.title(judgement)), ""]
    lines += [f"> {_cell(warning)}\n" for warning in judgement.warnings]
    for check in judgement.checks:
        if check.ruling.verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE):
            lines += _remark(check, judgement)
    counted = [check for check in judgement.checks if check.counted]
    lines += ["", HEADER.format(wording.confidence(judgement)), *map(_row, counted), ""]
    said = [
        f"Medians of the boots, in {judgement.unit}; lower is better.",
        *wording.unseen(judgement),
    ]
    lines += [" ".join(said), ""]
    others = [check for check in judgement.checks if not check.counted]
    if others:
        lines += ["<details><summary>Not counted</summary>", ""]
        lines += [f"- `{check.case}`: {_cell(wording.why(check))}" for check in others]
        lines += ["", "</details>", ""]
    lines += ["To reproduce:", "", "```", *commands.reproducing(judgement), "```"]
    return "\n".join(lines) + "\n"


def _remark(check: Check, judgement: Judgement) -> list[str]:
    lines = [f"- **{check.ruling.verdict}** `{check.case}`: {_cell(wording.why(check))}"]
    lines.append(f"  Budget: {_cell(check.budget.reason)}.")
    if following := wording.what_next(check, judgement):
        lines.append(f"  Next: {_cell(following)}")
    lines += [f"  - grew: {_cell(name)}" for name in check.functions]
    return lines


def _row(check: Check) -> str:
    cells = (
        check.ruling.verdict,
        f"`{check.case}`",
        check.budget.statistic,
        wording.figure(check.reference),
        wording.figure(check.head),
        wording.change(check),
        wording.interval(check),
        check.budget.demand,
    )
    return f"| {' | '.join(map(_cell, cells))} |"


def _cell(words: str) -> str:
    """A table's cell, in which nothing is markup but what was meant to be."""
    return words.replace("|", "\\|").replace("<", "&lt;").replace("*", "\\*").replace("\n", " ")
