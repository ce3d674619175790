# SPDX-License-Identifier: GPL-2.0-only
"""Budgets and waivers: what a TOML file demands of whom.

[[budget]]
cases = "cycle/madv_zap/*"      # a glob of case names, or a list of them
statistic = "p50"               # a row of zapbench.result.timings.STATISTICS; default p50
limit = "+2 %"                  # of base; or "900 ns", "2300 instructions"; or
                                # "0.5 x cycle/remap": of another case of the same boot
tier = "icount"                 # or a list; default: all tiers that may gate
kernel = "6.12*"                # a glob of the head's name; default: any
against = "6.12.107"            # a kernel that takes the place of base; only if relative to one
required = true                 # must be there: true, false or "claimed"; default: what is
                                # named literally is, what a glob matches is not
reason = "why this limit"

[[waiver]]
cases = "cycle/madv_zap/*"
up_to = "+8 %"                  # a limit of the form of the budget's, instead of that
reason = "why it may be exceeded for now"
expires = 2027-01-31
"""

import fnmatch
import math
import re
from collections.abc import Callable, Collection
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_CEILING, Decimal
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from zapbench.case import grid, select
from zapbench.error import UsageError
from zapbench.gate.schema import Position, TomlFile, TomlTable
from zapbench.result.timings import STATISTICS
from zapbench.result.welch import EXACT

TIERS = {"native": "ns", "kvm": "ns", "icount": "instructions"}
"""The tiers that may gate, and their units; `tcg` is for screening only."""

_NUMBER = r"(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)"
_ABSOLUTE = re.compile(rf"(-?{_NUMBER})\s*(ns|us|µs|ms|s|instructions)")
_RELATIVE = re.compile(rf"([+-]|−)\s*({_NUMBER})\s*%")  # noqa: RUF001 - a minus sign is one
_OTHER = re.compile(rf"(-?{_NUMBER})\s*[x×*]\s*(\S+)")
_GLOB = re.compile(r"[*?[]")
_NS = {"ns": 1.0, "us": 1e3, "µs": 1e3, "ms": 1e6, "s": 1e9}


@dataclass(frozen=True, slots=True)
class Limit:
    """What a figure may be at most: ``factor`` times its reference.

    The reference is base, with ``than`` another case of the same boot, with ``unit`` one such
    unit.
    """

    text: str
    factor: float
    unit: str | None = None
    than: str | None = None

    @property
    def log(self) -> float:
        """The natural logarithm of the factor."""
        return math.log(self.factor)

    @property
    def needs_base(self) -> bool:
        """The reference is another kernel."""
        return self.unit is None and self.than is None

    def reference(self, case: str) -> str | None:
        """The case that ``case`` is measured by; its own place unless one is given."""
        if self.than is None or self.than.count("/") > 1:
            return self.than
        return "/".join([self.than, *case.split("/")[2:]])

    def replaces(self, other: "Limit") -> bool:
        """Whether it is of the form of another, so that it can take its place."""
        return (self.unit, self.than) == (other.unit, other.than)


CLAIMED = "claimed"
"""Required of a head whose name has the method as a series, and where base has the method."""


@dataclass(frozen=True, slots=True)
class Budget:
    """One demand; ``position`` is where it is in the file."""

    cases: tuple[str, ...]
    limit: Limit
    reason: str
    position: Position
    statistic: str = "p50"
    tiers: tuple[str, ...] = tuple(TIERS)
    kernel: str = "*"
    against: str | None = None
    required: bool | Literal["claimed"] | None = None

    @property
    def demand(self) -> str:
        """Its limit, and what of, where that is a kernel of its own."""
        return self.limit.text if self.against is None else f"{self.limit.text} of {self.against}"

    @property
    def literal(self) -> list[str]:
        """The cases that it names, rather than matches."""
        return [case for case in self.cases if not _GLOB.search(case)]

    def unmatched(self, cases: Collection[str]) -> list[str]:
        """The globs that match none of some cases."""
        return [
            glob
            for glob in self.cases
            if glob not in self.literal and not fnmatch.filter(cases, glob)
        ]

    def inapplicable(
        self, tier: str, kernel: str, *, has_base: bool, pins: Collection[str] = ()
    ) -> str | None:
        """Why it does not apply to a measurement at all; None if it does.

        ``pins`` are the kernels that were measured as some budgets' own bases.
        """
        pinned = self.against is not None
        unit = TIERS.get(tier)
        reasons = {
            f"{tier} is for screening only": unit is None,
            f"it is for {' and '.join(self.tiers)}, this is {tier}": tier not in self.tiers,
            f"it is in {self.limit.unit}, {tier} gives {unit}": self.limit.unit not in (None, unit),
            "case_total is counted, never timed": self.statistic == "case_total" and unit == "ns",
            f"it is for kernel {self.kernel}, this is {kernel}": (
                not fnmatch.fnmatchcase(kernel, self.kernel)
            ),
            "it is relative to a base, and none was given": (
                self.limit.needs_base and not pinned and not has_base
            ),
            f"it is against {self.against}: give its results with --pin": (
                pinned and self.against not in pins
            ),
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def matches(self, case: str) -> bool:
        """Whether it is about a case."""
        return any(fnmatch.fnmatchcase(case, glob) for glob in self.cases)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Cases that may exceed their budgets, but not a limit, up to and including a day."""

    cases: tuple[str, ...]
    up_to: Limit
    reason: str
    expires: date

    def matches(self, case: str) -> bool:
        """Whether it is about a case."""
        return any(fnmatch.fnmatchcase(case, glob) for glob in self.cases)


@dataclass(frozen=True, slots=True)
class Budgets:
    """A budget file, and its text."""

    path: Path
    budgets: tuple[Budget, ...]
    waivers: tuple[Waiver, ...]
    text: str


Words = str | Annotated[tuple[str, ...], msgspec.Meta(min_length=1)]


class BudgetTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``[[budget]]`` as it is written."""

    cases: Words
    limit: str
    reason: str
    statistic: str = "p50"
    tier: Words | None = None
    kernel: str = "*"
    against: str | None = None
    required: bool | Literal["claimed"] | None = None


class WaiverTable(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A ``[[waiver]]`` as it is written."""

    cases: Words
    up_to: str
    reason: str
    expires: date


class BudgetFile(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A budget file as it is written."""

    budget: tuple[BudgetTable, ...] = ()
    waiver: tuple[WaiverTable, ...] = ()


def load(path: Path) -> Budgets:
    """Read a budget file.

    Raises:
        UsageError: it cannot be read, or does not say what a budget file may; with line and
            column.
    """
    try:
        return parse(path, path.read_bytes().decode())
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read budgets {path}: {error}") from error


def parse(path: Path, text: str) -> Budgets:
    """Read the text of a budget file; raises what `load` does."""
    file = TomlFile(path, text)
    written = file.read(BudgetFile)
    budgets = [_budget(file.table("budget", n), each) for n, each in enumerate(written.budget)]
    waivers = [_waiver(file.table("waiver", n), each) for n, each in enumerate(written.waiver)]
    if not budgets:
        raise UsageError(f"{path} holds no [[budget]]; see bench/budgets.toml for how to write one")
    for number, waiver in enumerate(waivers):
        if not any(_overlap(waiver, budget) for budget in budgets):
            raise file.table("waiver", number).wrong(
                "cases", "cases: no [[budget]] is about any of these, so that nothing is waived"
            )
    return Budgets(path, tuple(budgets), tuple(waivers), text)


def _overlap(waiver: Waiver, budget: Budget) -> bool:
    """Whether some case is matched by both."""
    names = [str(cell.case) for cell in select(grid(quick=False), waiver.cases)]
    return any(map(budget.matches, names)) or any(map(waiver.matches, budget.literal))


def _budget(table: TomlTable, written: BudgetTable) -> Budget:
    _check_words(table, written)
    if written.statistic not in STATISTICS:
        known = ", ".join(STATISTICS)
        raise table.wrong("statistic", f"no statistic {written.statistic!r}: {known}")
    tiers = tuple(TIERS) if written.tier is None else _words(written.tier)
    for tier in tiers:
        if tier not in TIERS:
            raise table.wrong("tier", f"tier {tier!r} cannot gate: {', '.join(TIERS)}")
    limit = _limit(table, "limit", written.limit)
    units = {TIERS[tier] for tier in tiers}
    if written.tier is not None and limit.unit is not None and units != {limit.unit}:
        given = " and ".join(sorted(units))
        raise table.wrong("limit", f"mixed units: the limit is in {limit.unit}, tier gives {given}")
    if written.against is not None and not limit.needs_base:
        raise table.wrong(
            "against", f"against is for limits relative to a base, which {limit.text!r} is not"
        )
    return Budget(
        cases=_cases(table, written.cases),
        limit=limit,
        reason=written.reason,
        position=table.position(),
        statistic=written.statistic,
        tiers=tiers,
        kernel=written.kernel,
        against=written.against,
        required=written.required,
    )


def _waiver(table: TomlTable, written: WaiverTable) -> Waiver:
    _check_words(table, written)
    up_to = _limit(table, "up_to", written.up_to)
    return Waiver(_cases(table, written.cases), up_to, written.reason, written.expires)


def _check_words(table: TomlTable, written: BudgetTable | WaiverTable) -> None:
    for key in written.__struct_fields__:
        value = getattr(written, key)
        if isinstance(value, str | tuple) and not all(word.strip() for word in _words(value)):
            raise table.wrong(key, f"{key} is empty")
    if not all(each.isprintable() for each in written.reason.split()):
        raise table.wrong("reason", "reason has control characters in it")


def _words(value: Words) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else value


def _cases(table: TomlTable, written: Words) -> tuple[str, ...]:
    globs = _words(written)
    try:
        cells = select(grid(quick=False), globs)
    except UsageError as error:
        raise table.wrong("cases", str(error)) from error
    if all(cell.excluded for cell in cells):
        raise table.wrong("cases", f"no such case is available: {cells[0].excluded}")
    return globs


def _limit(table: TomlTable, key: str, written: str) -> Limit:
    """Read a limit that is in a file."""
    text = " ".join(written.split())
    limit = _read(text)
    if limit is None:
        raise table.wrong(
            key,
            f"cannot read {key} {text!r}: write '900 ns', '2300 instructions', '+2 %' of base, or "
            "'0.5 x cycle/remap'",
        )
    if limit.factor <= 0:
        raise table.wrong(key, f"{key} {text!r} is zero or negative")
    if math.isinf(limit.factor):
        raise table.wrong(key, f"{key} is greater than any figure")
    _check_reference(table, key, limit)
    return limit


def _read(text: str) -> Limit | None:
    """Read a limit; the table of forms is tried from the top."""
    tried = ((form.fullmatch(text), make) for form, make in FORMS)
    return next((make(text, found) for found, make in tried if found), None)


def _relative(text: str, found: re.Match[str]) -> Limit:
    percent = float(found[2]) * (1 if found[1] == "+" else -1)
    return Limit(text, 1 + percent / 100)


def _absolute(text: str, found: re.Match[str]) -> Limit:
    if found[2] == "instructions":
        return Limit(text, float(found[1]), unit="instructions")
    return Limit(text, float(found[1]) * _NS[found[2]], unit="ns")


FORMS: tuple[tuple[re.Pattern[str], Callable[[str, re.Match[str]], Limit]], ...] = (
    (_RELATIVE, _relative),
    (_ABSOLUTE, _absolute),
    (_OTHER, lambda text, found: Limit(text, float(found[1]), than=found[2])),
)


def rewritten(limit: Limit, factor: float) -> Limit:
    """A limit of the same form and unit for another factor, rounded up.

    To a tenth of a per cent, or to three digits: a thousandth in the middle of both.
    """
    if limit.needs_base:
        percent = _rounded_up((factor - 1) * 100, -1)
        text = f"{'-' if percent < 0 else '+'}{abs(percent):f} %"
    elif limit.than is not None:
        text = f"{_rounded_up(factor):f} x {limit.than}"
    else:
        found = _ABSOLUTE.fullmatch(limit.text)
        assert found is not None
        text = f"{_rounded_up(factor / _NS.get(found[2], 1.0)):f} {found[2]}"
    made = _read(text)
    assert made is not None
    return made


def _rounded_up(value: float, exponent: int | None = None) -> Decimal:
    """To so many powers of ten, else to three digits; not by what floating point has added."""
    exact = Decimal(value) - Decimal(abs(value) * EXACT)
    step = exact.adjusted() - 2 if exponent is None else exponent
    found = exact.quantize(Decimal(1).scaleb(step), ROUND_CEILING)
    return found.quantize(Decimal(1)) if found == found.to_integral_value() else found.normalize()


def _check_reference(table: TomlTable, key: str, limit: Limit) -> None:
    """A reference must be a case, or the workload and method of some."""
    if limit.than is None:
        return
    name = f"{limit.than}/*" if limit.than.count("/") == 1 else limit.than
    try:
        select(grid(quick=False), [name])
    except UsageError as error:
        raise table.wrong(key, str(error)) from error
