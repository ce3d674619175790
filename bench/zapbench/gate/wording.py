# SPDX-License-Identifier: GPL-2.0-only
"""A verdict in words: why, and what to do next.  All outputs say the same."""

import shlex
from collections.abc import Callable, Mapping

from zapbench import text
from zapbench.gate import commands
from zapbench.gate.evidence import ENOUGH
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Because, Verdict


def change(check: Check) -> str:
    """What was seen: a change from base, or how much of the limit's reference."""
    if check.change is None:
        return ""
    if check.budget.limit.needs_base:
        return text.judged_change(check.change)
    if check.budget.limit.unit is not None:
        return f"{text.tenths(check.change)} {check.budget.limit.unit}"
    return f"{text.ratio(check.change, digits=3)} x"


def interval(check: Check) -> str:
    """The 95 % interval of `change`."""
    if check.low is None or check.high is None:
        return ""
    if check.budget.limit.needs_base:
        return f"[{text.judged_change(check.low)}, {text.judged_change(check.high)}]"
    if check.budget.limit.unit is not None:
        return f"[{text.tenths(check.low)}, {text.tenths(check.high)}]"
    return text.ratio_interval(check.low, check.high, digits=3)


def figure(value: float | None) -> str:
    """A figure in the unit of its result."""
    return "-" if value is None else text.three(value)


def why(check: Check) -> str:
    """The reason of a verdict, with the figures that it rests on."""
    seen = " ".join(filter(None, (change(check), interval(check))))
    waived = "" if check.waiver is None else f", waived up to {check.waiver.up_to.text}"
    words = [f"{seen}, limit {check.budget.demand}{waived}" if seen else ""]
    words += [] if check.ruling.because is Because.NOT_APPLICABLE else [check.ruling.because]
    if check.floor is not None and check.ruling.because is Because.UNDER_FLOOR:
        words[-1] += f" of {text.share(check.floor, 2)}"
    return ": ".join(filter(None, (*words, check.note)))


def sees(check: Check) -> str:
    """How small an effect so many boots would see; empty where it says nothing."""
    if check.detectable is None:
        return ""
    return f"{check.boots} boots would see {text.share(check.detectable, 2)}"


def _more(check: Check, judgement: Judgement) -> str:
    if check.ruling.more is None:
        return "the figure lies at the limit, where no number of boots decides: move the limit"
    assert check.change is not None
    command = commands.deciding(
        judgement, check.boots + check.ruling.more, above=check.change > check.limit.factor
    )
    return (
        f"{check.ruling.more} more boots of each kernel would probably decide ({sees(check)}): "
        f"{command}"
    )


def _anew(check: Check, judgement: Judgement) -> str:
    return commands.deciding(judgement, max(ENOUGH, check.boots), above=False)


def _exceeded(check: Check, judgement: Judgement) -> str:
    base = judgement.base_of(check.budget) if check.budget.limit.needs_base else None
    command = commands.bisecting(judgement, base, check.case)
    found = [] if command is None else [f"find the commit with {command}"]
    if check.waiver is not None:
        return "; ".join([*found, "it is above what its waiver allows: see the reason there"])
    justified = "if the cost is justified, raise the limit or add a [[waiver]], with the reason"
    return "; ".join([*found, justified])


NEXT: Mapping[Because, Callable[[Check, Judgement], str]] = {
    Because.WITHIN: lambda check, judgement: "",
    Because.EXCEEDED: _exceeded,
    Because.UNCONFIRMED: lambda check, judgement: (
        f"needs confirmation in fresh boots: {commands.confirming(judgement)}"
    ),
    Because.UNTOLD: lambda check, judgement: (
        f"measure anew, so that the records say it: {_anew(check, judgement)}"
    ),
    Because.NOT_AGAIN: _more,
    Because.UNDER_FLOOR: lambda check, judgement: (
        f"lower the floor: zapbench calibrate {shlex.quote(check.case)}, with more boots"
    ),
    Because.ONE_OF_MANY: _more,
    Because.LATER: _more,
    Because.OPEN: _more,
    Because.SPLIT: lambda check, judgement: (
        "a part of the boots is slower: see in the records what they have in common, or take "
        f"more: {commands.deciding(judgement, 2 * check.boots, above=False)}"
    ),
    Because.ONE_BOOT: lambda check, judgement: (
        "boot both by turns: zapbench campaign start BASE HEAD"
        if judgement.tier == "native"
        else f"take {ENOUGH} boots of each kernel: {_anew(check, judgement)}"
    ),
    Because.NO_FLOOR: lambda check, judgement: f"zapbench calibrate {shlex.quote(check.case)}",
    Because.NO_FIGURE: lambda check, judgement: (
        "measure the case on both, without --quick, or with more boots"
    ),
    Because.LOST: lambda check, judgement: "see `zapbench contract` on the head",
    Because.ABSENT: lambda check, judgement: "see `zapbench contract` on the head",
    Because.BROKEN: lambda check, judgement: "see `zapbench contract` on the head",
    Because.CUT: lambda check, judgement: (
        "if zapbench itself was killed, go on with `zapbench run --resume -o` its directory"
    ),
    Because.NO_BOOT: lambda check, judgement: "see `zapbench kernel boot` on the head",
    Because.INCOMPLETE: lambda check, judgement: (
        "go on with `zapbench run --resume -o` its directory, or measure again: "
        f"{'; '.join(commands.reproducing(judgement))}"
    ),
    Because.NOT_MEASURED: lambda check, judgement: "measure the case, on both",
    Because.WAIVED: lambda check, judgement: "",
    Because.NOT_APPLICABLE: lambda check, judgement: "",
}


def what_next(check: Check, judgement: Judgement) -> str:
    """What to do about a verdict; empty if nothing."""
    return NEXT[check.ruling.because](check, judgement)


MODE = 0.3
"""The share of boots in a slow mode of which `unseen` says how likely it is missed."""


def unseen(judgement: Judgement) -> list[str]:
    """What so many boots cannot see of a PASS: none is drawn of those that are slower."""
    passing = [each for each in judgement.checks if each.ruling.verdict is Verdict.PASS]
    if not passing:
        return []
    boots = min(check.boots for check in passing)
    missed = text.share((1 - MODE) ** boots, 0)
    return [f"Of what slows {MODE:.0%} of the boots, {boots} boots see none in {missed} of gates."]


def confidence(judgement: Judgement) -> str:
    """That of the intervals: more than 95 % where figures are looked at several times."""
    return f"{100 * (1 - 2 * judgement.level):.4g} %"


def title(judgement: Judgement) -> str:
    """What was judged by what."""
    head = judgement.head.kernel
    sides = [*([] if judgement.base is None else [judgement.base]), *judgement.pins]
    base = f" against {text.listed([side.kernel for side in sides])}" if sides else ""
    return f"{head}{base} ({judgement.tier}), budgets of {judgement.budgets.path}"


def summary(judgement: Judgement) -> str:
    """How many budgets held."""
    counts = [(verdict, judgement.count(verdict)) for verdict in Verdict]
    return f"{judgement.status.name}: " + ", ".join(f"{n} {verdict}" for verdict, n in counts if n)
