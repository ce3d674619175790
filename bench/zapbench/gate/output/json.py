# SPDX-License-Identifier: GPL-2.0-only
"""JSON: everything that was found, for programs."""

import json
from typing import Any

from zapbench.gate import commands, wording
from zapbench.gate.judgement import Check, Judgement

FIGURES = ("head", "reference", "change", "low", "high", "floor", "detectable", "boots")


def render(judgement: Judgement) -> str:
    """See `zapbench.gate.output`.  ``p`` is one-sided and adjusted; ``floor`` a ratio less 1."""
    data = {
        "v": 1,
        "status": judgement.status.name,
        "head": judgement.head.kernel,
        "base": judgement.base.kernel if judgement.base is not None else None,
        "pins": [side.kernel for side in judgement.pins],
        "tier": judgement.tier,
        "unit": judgement.unit,
        "budgets": str(judgement.budgets.path),
        "confidence": 1 - 2 * judgement.level,
        "warnings": list(judgement.warnings),
        "checks": [_check(check, judgement) for check in judgement.checks],
        "reproduce": commands.reproducing(judgement),
    }
    return json.dumps(data, indent=1) + "\n"


def _check(check: Check, judgement: Judgement) -> dict[str, Any]:
    return {
        "verdict": check.ruling.verdict,
        "case": check.case,
        "statistic": check.budget.statistic,
        "limit": check.budget.limit.text,
        "against": check.budget.against,
        "line": check.budget.position.line,
        "budget_reason": check.budget.reason,
        "because": check.ruling.because.name,
        "why": wording.why(check),
        "functions": list(check.functions),
        "next": wording.what_next(check, judgement),
        "p": check.ruling.p,
        "more_boots": check.ruling.more,
        "waived_until": check.waiver.expires.isoformat() if check.waiver else None,
        **{name: getattr(check, name) for name in FIGURES},
    }
