# SPDX-License-Identifier: GPL-2.0-only
"""The terminal's form: a line or three for each check, the bad ones last, next to the prompt."""

from zapbench.gate import wording
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Verdict

ORDER = (Verdict.SKIP, Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`."""
    lines = [wording.title(judgement), ""]
    said = set[str]()
    for verdict in ORDER:
        for check in judgement.checks:
            if check.ruling.verdict is verdict:
                lines += _lines(check, judgement, said)
    confidence = f"Intervals of {wording.confidence(judgement)}."
    lines += ["", *judgement.warnings]
    lines += [" ".join([confidence, *wording.unseen(judgement)]), wording.summary(judgement)]
    return "\n".join(lines) + "\n"


def _lines(check: Check, judgement: Judgement, said: set[str]) -> list[str]:
    """Those of a check; what is to be done is ``said`` once."""
    name = (
        check.case if check.budget.statistic == "p50" else f"{check.case} {check.budget.statistic}"
    )
    lines = [f"{check.ruling.verdict:<12}  {name}: {wording.why(check)}"]
    lines += [f"{'':<12}  grew: {name}" for name in check.functions]
    if following := wording.what_next(check, judgement):
        lines.append(f"{'':<12}  next: {'as above' if following in said else following}")
        said.add(following)
    return lines
