# SPDX-License-Identifier: GPL-2.0-only
"""What a machine shows when nothing was changed: A/A runs, kept with date and fingerprint.

Two legs of one kernel, interleaved as the gate interleaves base and head: boots 2 k and 2 k + 1
are a pair.  What is kept are the figures of each boot; floors and spreads are made from them
when asked for.

Counted instructions need none: their boots repeat those of base to the instruction, and by how
much kernels differ that differ in nothing that is executed is in `zapbench.gate.floors`.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

from zapbench.error import DiskFull, EnvironmentMissing
from zapbench.gate.budget import TIERS
from zapbench.gate.estimate import Estimate
from zapbench.gate.fingerprint import Fingerprint, differences, of_machine
from zapbench.host.file import write_atomically
from zapbench.host.journal import state_directory
from zapbench.result.welch import Spread, squares

VERSION = 1
FRESH = timedelta(days=30)
BootFigures = Mapping[int, float | None]
"""One figure of each boot, by its number; None: a boot that has none."""
Legs = tuple[BootFigures, BootFigures]


@dataclass(frozen=True, slots=True)
class Noise:
    """The noise of one figure, in logarithms.

    ``floor`` is the largest difference between two sets of boots of one kernel that cannot be
    ruled out; ``spread`` the standard deviation of what is judged: of pairs of boots where a
    limit is relative to base, else of boots.
    """

    floor: float
    spread: Spread | None


@dataclass(frozen=True, slots=True)
class Calibration:
    """The A/A runs of one tier on one machine: ``figures[statistic][case]`` are both legs."""

    tier: str
    kernel: str
    taken: datetime
    machine: Fingerprint
    context: Fingerprint
    figures: Mapping[str, Mapping[str, Legs]] = field(default_factory=dict)

    def noise(
        self, statistic: str, case: str, than: str | None = None, *, paired: bool = False
    ) -> Noise | None:
        """The noise of a case, or of its ratio to another in the same boot; None: unknown.

        ``paired``: with the spread of a difference of two boots, not of one.
        """
        cases = self.figures.get("p50" if statistic == "per_page" else statistic, {})
        if case not in cases or (than is not None and than not in cases):
            return None
        left, right = (
            logs(leg, cases[than][number] if than is not None else None)
            for number, leg in enumerate(cases[case])
        )
        if min(len(left), len(right)) < 2:
            return None
        return of_legs(left, right, paired=paired)

    def stale(self, machine: Fingerprint, now: datetime) -> str | None:
        """Why it must not be used any more; None if it may."""
        if changed := differences(self.machine, machine):
            return f"was made before this changed: {', '.join(changed)}"
        if now - self.taken > FRESH:
            return f"is of {self.taken:%Y-%m-%d}, more than {FRESH.days} days old"
        return None


def logs(boots: BootFigures, than: BootFigures | None = None) -> list[float]:
    """Logarithms of the figures above 0, or of their ratios boot by boot, in order of boots."""
    pairs = ((boots[boot], 1.0 if than is None else than.get(boot)) for boot in sorted(boots))
    return [math.log(top / below) for top, below in pairs if top and below]


def of_legs(left: Sequence[float], right: Sequence[float], *, paired: bool) -> Noise:
    """The noise that two sets of boots of one kernel show, boots of a pair at the same place.

    The floor is the far end of the 95 % interval of their difference, so that it shrinks as
    more boots are taken, and holds whatever sets the two apart besides chance.
    """
    pairs = min(len(left), len(right))
    differences = [b - a for a, b in zip(left[:pairs], right[:pairs], strict=True)]
    freedom = pairs - 1 if paired else len(left) + len(right) - 2
    square = squares(differences) if paired else squares(left) + squares(right)
    found = Estimate(tuple(differences))
    floor = abs(found.centre) + (found.reach or 0.0)
    return Noise(floor, Spread(math.sqrt(square / freedom), freedom))


def path(tier: str) -> Path:
    """Where the calibration of a tier is kept."""
    return state_directory() / f"noise-{tier}.json"


def save(calibration: Calibration) -> Path:
    """Keep a calibration; cases of an earlier one stay if its fingerprint is the same.

    Raises:
        DiskFull: it cannot be written; the one of before is left.
    """
    where = path(calibration.tier)
    figures = {name: dict(cases) for name, cases in calibration.figures.items()}
    before, taken = _read(where), calibration.taken
    if before is not None and _goes_with(before, calibration):
        for name, cases in before.figures.items():
            if cases.keys() - figures.get(name, {}).keys():
                taken = before.taken  # the oldest of what is kept
            figures[name] = {**cases, **figures.get(name, {})}
    data = {
        "v": VERSION,
        "tier": calibration.tier,
        "kernel": calibration.kernel,
        "taken": taken.isoformat(),
        "machine": dict(calibration.machine),
        "context": dict(calibration.context),
        "figures": figures,
    }
    try:
        write_atomically(where, f"{json.dumps(data)}\n".encode())
    except OSError as error:
        raise DiskFull(f"cannot keep the calibration in {where}: {error.strerror}") from error
    return where


def _goes_with(before: Calibration, now: Calibration) -> bool:
    return (
        before.kernel == now.kernel
        and not differences(before.context, now.context)
        and before.stale(now.machine, now.taken) is None
    )


def _read(where: Path) -> Calibration | None:
    """What is kept; None if there is nothing, or nothing that can be understood."""
    try:
        data = json.loads(where.read_text(encoding="utf-8"))
        if data["v"] != VERSION:
            return None
        figures = {
            name: {case: (_boots(legs[0]), _boots(legs[1])) for case, legs in cases.items()}
            for name, cases in data["figures"].items()
        }
        taken = datetime.fromisoformat(data["taken"]).astimezone(UTC)
        words = (str(data["tier"]), str(data["kernel"]))
        return Calibration(*words, taken, data["machine"], data["context"], figures)
    except FileNotFoundError:
        return None
    except (OSError, ValueError, TypeError, KeyError, AttributeError, IndexError):
        return None


def _boots(leg: Mapping[str, float | None]) -> BootFigures:
    return {int(boot): None if value is None else float(value) for boot, value in leg.items()}


def load(tier: str, machine: Fingerprint, now: datetime, *, needed: bool) -> Calibration | None:
    """The calibration of a tier, if it may be used.

    Raises:
        EnvironmentMissing: it is ``needed``, and there is none that may.
    """
    found = _read(path(tier))
    why = "is missing" if found is None else found.stale(machine, now)
    if why is None:
        return found
    if needed:
        raise EnvironmentMissing(
            f"the noise floor of this machine ({tier}) {why}: times cannot be judged; "
            "run `zapbench calibrate` with the same cases first, on a quiet machine"
        )
    return None


def here(tier: str) -> Calibration | None:
    """The calibration of this machine; times cannot be judged without, whatever is forced.

    Raises:
        EnvironmentMissing: the tier is timed, and there is none that may be used.
    """
    timed = TIERS[tier] != "instructions"
    return load(tier, of_machine(tier), datetime.now(UTC), needed=timed)
