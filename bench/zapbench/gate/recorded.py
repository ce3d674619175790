# SPDX-License-Identifier: GPL-2.0-only
"""Judge what was measured before."""

import shlex
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from zapbench.error import UsageError
from zapbench.gate import commands, noise, plan
from zapbench.gate.budget import TIERS, Budgets
from zapbench.gate.evidence import Side
from zapbench.gate.fingerprint import differences
from zapbench.gate.judge import comparable, judge
from zapbench.gate.judgement import Judgement
from zapbench.gate.noise import Calibration
from zapbench.result.store import Results


def judgement(
    budgets: Budgets,
    directories: Sequence[Path],
    confirm: tuple[Path, Path] | None,
    pins: Sequence[Path] = (),
    *,
    force: bool,
) -> Judgement:
    """Judge result directories: head, or base and head; ``confirm`` are fresh ones of both.

    ``pins`` are of kernels that budgets name; of two of one kernel the second is fresh.

    Raises:
        UsageError: they cannot be judged by these budgets.
        EnvironmentMissing: they are timed, and the noise floor of this machine is unknown.
    """
    fresh: Sequence[Path | None] = confirm or (None, None)
    sides = [
        Side(Results(first), Results(again) if again is not None else None)
        for first, again in zip(directories, fresh[-len(directories) :], strict=True)
    ]
    base, head = sides[0] if len(sides) > 1 else None, sides[-1]
    pinned = _pinned(budgets, pins)
    names = [side.kernel for side in pinned]
    tier = head.results.tier
    plan.applicable(budgets, tier, head.kernel, has_base=base is not None, pins=names)
    comparable(base, head, force=force)
    words = ["zapbench", "gate", "--budgets", str(budgets.path), *map(commands.path, directories)]
    words += ["--confirm", *map(commands.path, confirm)] if confirm else []
    words += [word for pin in pins for word in ("--pin", commands.path(pin))]
    day = datetime.now(UTC).date()
    found = judge(budgets, base, head, _calibration(head), day, force=force, pins=pinned)
    return replace(found, again=shlex.join(words + (["--force"] if force else [])))


def _pinned(budgets: Budgets, pins: Sequence[Path]) -> list[Side]:
    """Pinned kernels, by the names that are in their records."""
    found: dict[str, list[Results]] = {}
    named = {each.against for each in budgets.budgets}
    for pin in pins:
        results = Results(pin)
        if results.kernel not in named:
            raise UsageError(f"{pin} is of {results.kernel}, which no budget is against")
        found.setdefault(results.kernel, []).append(results)
    for kernel, several in found.items():
        if len(several) > 2:
            raise UsageError(
                f"--pin names {kernel} more than twice: once, and once for fresh boots"
            )
    return [Side(*several) for several in found.values()]


def _calibration(head: Side) -> Calibration | None:
    """The noise floor of the machine that measured, which must be this one."""
    found = noise.here(head.results.tier)
    if found is None or not (changed := differences(found.context, head.prints[0])):
        return found
    if TIERS[found.tier] != "instructions":
        raise UsageError(
            f"{head.results.directory} was not measured where the noise floor was: "
            f"{'; '.join(changed)}; calibrate and measure on one machine"
        )
    return None  # counted boots know their own noise
