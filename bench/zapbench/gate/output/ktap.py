# SPDX-License-Identifier: GPL-2.0-only
"""KTAP version 1 (Documentation/dev-tools/ktap.rst), the figures as diagnostics."""

from zapbench.gate import wording
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Verdict


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`.  INCONCLUSIVE is ``not ok``: nothing was shown to hold."""
    lines = ["KTAP version 1", f"1..{len(judgement.checks)}", f"# {wording.title(judgement)}"]
    lines += [f"# {_one_line(warning)}" for warning in judgement.warnings]
    for number, check in enumerate(judgement.checks, 1):
        lines += [*_diagnostics(check, judgement), _result(number, check)]
    return "\n".join([*lines, f"# {wording.summary(judgement)}"]) + "\n"


def _diagnostics(check: Check, judgement: Judgement) -> list[str]:
    values = {
        "verdict": check.ruling.verdict,
        "reference": wording.figure(check.reference),
        "head": wording.figure(check.head),
        "change": " ".join(filter(None, (wording.change(check), wording.interval(check)))),
        "limit": check.budget.demand,
        "boots": str(check.boots),
        "why": wording.why(check),
        "next": wording.what_next(check, judgement),
    }
    said = [f"# {name}: {_one_line(value)}" for name, value in values.items() if value]
    return [*said, *(f"# grew: {_one_line(name)}" for name in check.functions)]


def _result(number: int, check: Check) -> str:
    name = f"{check.case} {check.budget.statistic} {check.budget.demand}".replace("#", "")
    if check.ruling.verdict is Verdict.SKIP:
        return f"ok {number} {name} # SKIP {_one_line(wording.why(check))}"
    state = "ok" if check.ruling.verdict is Verdict.PASS else "not ok"
    return f"{state} {number} {name}"


def _one_line(text: str) -> str:
    return " ".join(text.split())
