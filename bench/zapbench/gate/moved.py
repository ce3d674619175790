# SPDX-License-Identifier: GPL-2.0-only
"""What made a counted figure exceed its limit: the functions of the kernel that grew most."""

from collections.abc import Callable, Mapping
from dataclasses import replace

from zapbench.error import Interrupted, ZapbenchError
from zapbench.explain.difference import Measured, difference
from zapbench.explain.name import named
from zapbench.explain.side import Booted, Side
from zapbench.gate.judgement import Check, Judgement
from zapbench.gate.verdict import Verdict
from zapbench.observer import Observer

FIGURES: Mapping[str, Callable[[Booted, str], Measured]] = {
    "p50": Booted.samples,
    "per_page": Booted.samples,
    "case_total": Booted.whole,
}
"""What of a case is explained, by the statistic that is judged; of a tail there is nothing."""


def with_functions(
    judgement: Judgement, side: Callable[[str], Side], observer: Observer
) -> Judgement:
    """With the functions that grew in each FAIL against a base: one more boot of each kernel.

    ``side`` says how a kernel is booted.  What cannot be said is a warning: the verdicts stay.

    Raises:
        Interrupted: by a signal.
    """
    wanted: dict[str, dict[str, None]] = {}
    for check in judgement.checks:
        for kernel in _kernels(check, judgement):
            wanted.setdefault(kernel, {})[check.case] = None
    try:
        booted = {
            kernel: _boot(side(kernel), [*cases], observer) for kernel, cases in wanted.items()
        }
        checks = tuple(_told(check, judgement, booted) for check in judgement.checks)
    except Interrupted:
        raise
    except ZapbenchError as error:
        warning = f"the functions that grew are not named: {error}"
        return replace(judgement, warnings=(*judgement.warnings, warning))
    return replace(judgement, checks=checks)


def _kernels(check: Check, judgement: Judgement) -> tuple[str, ...]:
    """The base and the head of what is to be explained; none of all else."""
    base = judgement.base_of(check.budget)
    failed = check.ruling.verdict is Verdict.FAIL and check.change is not None
    known = check.budget.limit.needs_base and check.budget.statistic in FIGURES
    return (base.kernel, judgement.head.kernel) if failed and known and base is not None else ()


def _boot(side: Side, cases: list[str], observer: Observer) -> Booted:
    observer.note(f"{side.kernel} is booted once more, to name the functions that grew")
    with observer.stages() as progress:
        return side.boot(cases, progress)


def _told(check: Check, judgement: Judgement, booted: Mapping[str, Booted]) -> Check:
    kernels = _kernels(check, judgement)
    if not kernels:
        return check
    figures = FIGURES[check.budget.statistic]
    base, head = (figures(booted[kernel], check.case) for kernel in kernels)
    return replace(check, functions=tuple(named(difference(base, head))))
