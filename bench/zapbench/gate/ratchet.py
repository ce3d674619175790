# SPDX-License-Identifier: GPL-2.0-only
"""Tighter limits for a budget file, as far as a judgement bears them out: a unified diff."""

import difflib
import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.gate.budget import Budget, Budgets, Limit, parse, rewritten
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.schema import TomlFile
from zapbench.gate.verdict import Because, Verdict
from zapbench.result.welch import EXACT


@dataclass(frozen=True, slots=True)
class Ratchet:
    """The diff, empty if nothing can be tightened, and what is to be said about it, a line each."""

    diff: str
    notes: tuple[str, ...]


def ratchet(judgement: Judgement) -> Ratchet:
    """Tighten each budget all of whose cases pass to the worst of them, and the noise floor.

    The new limit is the upper end of the interval of that case, or what keeps each boot of it,
    with its noise floor added, rounded up; it is never looser than what is there.  Only the
    strings of limits are changed.
    """
    budgets, notes = judgement.budgets, []
    for number, budget in enumerate(judgement.budgets.budgets):
        limit = _tighter(budget, judgement)
        if limit is None:
            continue
        line = f"{budgets.path}, line {budget.position.line}"
        changed = _with_limit(budgets, number, limit)
        if changed is None:
            notes.append(f"{line}: the limit could be {limit.text!r}, but is written in a way")
            notes[-1] += " that is not understood: in quotes, in one line, it would be"
            continue
        budgets = changed
        others = [tier for tier in budget.tiers if _applies(budget, tier, judgement)]
        if others:
            notes.append(f"{line}: it is for {' and '.join(others)}, too, not judged here")
    header, where = _header(budgets.path)
    return Ratchet(_diff(judgement.budgets.text, budgets.text, header), (*notes, *where))


def _tighter(budget: Budget, judgement: Judgement) -> Limit | None:
    """The new limit; None where a case does not pass, or none was judged, or it is as tight."""
    checks = [each for each in judgement.checks if each.budget == budget]
    waived = any(each.ruling.because is Because.WAIVED for each in checks)
    counted = [each for each in checks if each.counted]
    if waived or not counted or any(each.ruling.verdict is not Verdict.PASS for each in counted):
        return None
    limit = rewritten(budget.limit, max(map(_needed, counted)))
    return limit if limit.factor < budget.limit.factor * (1 - EXACT) else None


def _applies(budget: Budget, tier: str, judgement: Judgement) -> bool:
    """Whether it judges on another tier, too."""
    kernel = judgement.head.kernel
    pins = [side.kernel for side in judgement.pins]
    why = budget.inapplicable(tier, kernel, has_base=True, pins=pins)
    return tier != judgement.tier and why is None


def _needed(check: Check) -> float:
    """The factor that a case needs: nothing passes without an interval and a floor."""
    assert check.least is not None
    assert check.floor is not None
    return check.least * (1 + check.floor)


def _with_limit(budgets: Budgets, number: int, limit: Limit) -> Budgets | None:
    """The file with another limit for a budget; None where its string is not found."""
    text = (
        TomlFile(budgets.path, budgets.text).table("budget", number).replaced("limit", limit.text)
    )
    if text is None:
        return None
    changed = parse(budgets.path, text)
    wanted = [*budgets.budgets]
    wanted[number] = replace(wanted[number], limit=limit)
    return changed if changed.budgets == tuple(wanted) else None


def _header(path: Path) -> tuple[str, list[str]]:
    """The name in the diff, as both `patch -p0` and `git apply` find it; where, if not here."""
    name = os.path.relpath(path)
    if name.startswith(".."):
        return f"./{path.name}", [f"apply it in {path.absolute().parent}"]
    return f"./{name}", []


def _diff(old: str, new: str, name: str) -> str:
    name += "\t" if " " in name else ""  # where `patch` is to find its end
    return "".join(_ended(difflib.unified_diff(_lines(old), _lines(new), name, name)))


def _lines(text: str) -> list[str]:
    """Lines with their ends; TOML and diffs know no other end than a newline."""
    return [f"{line}\n" for line in text.split("\n")[:-1]] + [
        rest for rest in text.split("\n")[-1:] if rest
    ]


def _ended(lines: Iterator[str]) -> Iterator[str]:
    for line in lines:
        yield line if line.endswith("\n") else f"{line}\n\\ No newline at end of file\n"
