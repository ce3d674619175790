# SPDX-License-Identifier: GPL-2.0-only
"""Plain text of 72 columns for a mailing list."""

import shlex
import textwrap

from zapbench.gate import commands, wording
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Verdict

WIDTH = 72


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`.  A command too long for a line is continued by backslashes."""
    lines = [*_wrapped(wording.summary(judgement)), *_wrapped(wording.title(judgement)), ""]
    for warning in judgement.warnings:
        lines += _wrapped(warning)
    lines += [f"Medians of the boots in {judgement.unit}, lower is better."]
    lines += [line for said in wording.unseen(judgement) for line in _wrapped(said)]
    lines += [""]
    for verdict in (Verdict.FAIL, Verdict.INCONCLUSIVE, Verdict.PASS, Verdict.SKIP):
        checks = [check for check in judgement.checks if check.ruling.verdict is verdict]
        for check in checks:
            lines += _check(check, judgement)
    lines += ["To reproduce:", ""]
    for command in commands.reproducing(judgement):
        lines += _command(command)
    return "\n".join(lines) + "\n"


def _check(check: Check, judgement: Judgement) -> list[str]:
    lines = _wrapped(f"{check.ruling.verdict} {check.case} ({check.budget.statistic})")
    if check.head is not None and check.ruling.verdict is not Verdict.SKIP:
        figures = {
            "base" if check.budget.limit.needs_base else "reference": (
                wording.figure(check.reference)
            ),
            "head": wording.figure(check.head),
            "change": f"{wording.change(check)} {wording.interval(check)}".strip(),
        }
        lines += [f"  {name:<10}{value}" for name, value in figures.items()]
    lines += _wrapped(wording.why(check), "  ")
    for name in check.functions:
        lines += _wrapped(f"Grew: {name}", "  ")
    if following := wording.what_next(check, judgement):
        lines += _wrapped(f"Next: {following}", "  ")
    return [*lines, ""]


def _wrapped(text: str, indent: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indent,
        subsequent_indent=indent,
        break_on_hyphens=False,
    )


def _command(command: str) -> list[str]:
    """A command as the shell takes it; only a word too long for a line exceeds the width."""
    lines = ["  "]
    for word in map(shlex.quote, shlex.split(command)):
        if len(lines[-1]) + len(word) + len(" \\") > WIDTH and lines[-1].strip():
            lines[-1] += "\\"
            lines.append("    ")
        lines[-1] += f"{word} "
    return [line.rstrip() for line in lines]
