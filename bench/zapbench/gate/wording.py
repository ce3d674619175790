# SPDX-License-Identifier: GPL-2.0-only
"""A verdict in words: why, and what to do next.  All outputs say the same."""

import shlex
from collections.abc import Callable, Mapping

from zapbench import text
from zapbench.error import UsageError
from zapbench.gate.evidence import ENOUGH, Side
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Because, Verdict
from zapbench.kernel import words
from zapbench.kernel.catalogue import DebianSource, GitSource, Kernel, parse

HISTORY = ".asv/linux"
"""Where README.md has the history of Debian's releases."""


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
    words = [f"{seen}, limit {check.budget.limit.text}" if seen else ""]
    words += [] if check.ruling.because is Because.NOT_APPLICABLE else [check.ruling.because]
    if check.floor is not None and check.ruling.because is Because.UNDER_FLOOR:
        words[-1] += f" of {text.share(check.floor, 2)}"
    return ": ".join(filter(None, (*words, check.note)))


def sees(check: Check) -> str:
    """How small an effect so many boots would see; empty where it says nothing."""
    if check.detectable is None:
        return ""
    return f"{check.boots} boots would see {text.share(check.detectable, 2)}"


def _more(check: Check) -> str:
    if check.ruling.more is None:
        return "the figure lies at the limit, where no number of boots decides: move the limit"
    return f"{check.ruling.more} more boots of each kernel would probably decide ({sees(check)})"


def _fresh(judgement: Judgement) -> str:
    return (
        "measure both again with another --seed, and add --confirm with the new results; "
        f"or take {ENOUGH} boots or more, "
        f"of which the later half confirms: {'; '.join(measuring(judgement))}"
    )


NEXT: Mapping[Because, Callable[[Check, Judgement], str]] = {
    Because.WITHIN: lambda check, judgement: "",
    Because.EXCEEDED: lambda check, judgement: (
        f"find the commit with `{_bisecting(check, judgement)}`; if the cost is "
        "justified, raise the limit or add a [[waiver]], with the reason"
    ),
    Because.UNCONFIRMED: lambda check, judgement: f"needs confirmation: {_fresh(judgement)}",
    Because.UNTOLD: lambda check, judgement: (
        f"measure anew, so that the records say it: {'; '.join(measuring(judgement))}"
    ),
    Because.NOT_AGAIN: lambda check, judgement: _more(check),
    Because.UNDER_FLOOR: lambda check, judgement: (
        f"lower the floor: zapbench calibrate {shlex.quote(check.case)}, with more boots"
    ),
    Because.ONE_OF_MANY: lambda check, judgement: _more(check),
    Because.OPEN: lambda check, judgement: _more(check),
    Because.SPLIT: lambda check, judgement: (
        "a part of the boots is slower: see what they have in common in the records, "
        f"or take more: {'; '.join(measuring(judgement))}"
    ),
    Because.ONE_BOOT: lambda check, judgement: (
        "boot both by turns: zapbench campaign start BASE HEAD"
        if judgement.tier == "native"
        else f"take at least {ENOUGH} boots of each kernel"
    ),
    Because.NO_FLOOR: lambda check, judgement: f"zapbench calibrate {shlex.quote(check.case)}",
    Because.NO_FIGURE: lambda check, judgement: "measure the case on both, with more samples",
    Because.LOST: lambda check, judgement: "see `zapbench contract` on the head",
    Because.ABSENT: lambda check, judgement: "see `zapbench contract` on the head",
    Because.BROKEN: lambda check, judgement: "see `zapbench contract` on the head",
    Because.CUT: lambda check, judgement: (
        "if zapbench itself was killed, go on with `zapbench run --resume -o` its directory"
    ),
    Because.NO_BOOT: lambda check, judgement: "see `zapbench kernel boot` on the head",
    Because.INCOMPLETE: lambda check, judgement: (
        "go on with `zapbench run --resume -o` its directory, or measure again: "
        f"{'; '.join(measuring(judgement))}"
    ),
    Because.NOT_MEASURED: lambda check, judgement: "measure the case, on both",
    Because.WAIVED: lambda check, judgement: "",
    Because.NOT_APPLICABLE: lambda check, judgement: "",
}


def what_next(check: Check, judgement: Judgement) -> str:
    """What to do about a verdict; empty if nothing."""
    return NEXT[check.ruling.because](check, judgement)


def _bisecting(check: Check, judgement: Judgement) -> str:
    """The command that halves the range between a pinned base and the head."""
    base = judgement.base_of(check.budget)
    if check.budget.against is None or base is None:
        return "git bisect run zapbench gate --bisect ..."
    try:
        return " && ".join(halving(base.kernel, judgement.head.kernel, check.case, judgement.tier))
    except UsageError:
        return "git bisect run zapbench gate --bisect ..."


def halving(good: str, bad: str, case: str, tier: str) -> list[str]:
    """The commands that find the commit between two kernels, by the names that they have.

    Releases of Debian's are looked for in the repository of either, else in a history of them.

    Raises:
        UsageError: they are no names of commits.
    """
    if any(words.split(name)[1] for name in (good, bad)):
        raise UsageError("commits are booted without boot words")
    kernels = [parse(name) for name in (good, bad)]
    refs = [_ref(each) for each in kernels]
    places = {each.source.repository for each in kernels if isinstance(each.source, GitSource)}
    if len(places) > 1 or any("://" in place for place in places):
        raise UsageError(f"{good} and {bad} are in no repository of this machine")
    where, commands = next(iter(places), HISTORY), []
    if not places:
        lines = dict.fromkeys(f"{_line(name)}.*" for name in (good, bad))
        globs = shlex.quote(",".join(lines))
        commands.append(f"zapbench kernel history -o {HISTORY} --kernels {globs}")
    found = ["zapbench", "kernel", "bisect", *refs, case, "--repo", where]
    return [*commands, shlex.join(found + ([] if tier == "icount" else ["--accel", tier]))]


def _line(name: str) -> str:
    """The line that a release is of: 6.12 of 6.12.107."""
    return ".".join(name.partition("+")[0].split(".")[:2])


def _ref(kernel: Kernel) -> str:
    """What a kernel is called in a repository; a line of releases has a branch there."""
    if isinstance(kernel.source, GitSource) and kernel.series is None:
        return kernel.source.ref
    if not isinstance(kernel.source, DebianSource):
        raise UsageError(f"{kernel.name} is no commit")
    name = kernel.name
    return name if name.partition("+")[0] == _line(name) else f"v{name}"


def measuring(judgement: Judgement) -> list[str]:
    """The commands that measure what was judged, a line each."""
    cases = sorted({check.case for check in judgement.checks if check.head is not None})
    sides = (judgement.base, *judgement.pins, judgement.head)
    return [_run(side, cases) for side in sides if isinstance(side, Side)]


def reproducing(judgement: Judgement) -> list[str]:
    """The commands that come to the same judgement from nothing."""
    return [*([] if judgement.live else measuring(judgement)), judgement.again]


def _run(side: Side, cases: list[str]) -> str:
    results, tier = side.results, side.results.tier
    where = "" if tier == "native" else f" --kernel {shlex.quote(side.kernel)} --accel {tier}"
    words = " ".join(map(shlex.quote, cases))
    options = f"--boots {results.boots} --seed {results.contexts[0].seed}"
    return f"zapbench run {words}{where} {options} -o {shlex.quote(str(results.directory))}"


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
