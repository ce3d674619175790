# SPDX-License-Identifier: GPL-2.0-only
"""Budgets and waivers: what a TOML file demands of whom.

[[budget]]
cases = "cycle/madv_zap/*"      # a glob of case names, or a list of them
statistic = "p50"               # a row of zapbench.result.timings.STATISTICS; default p50
limit = "+2 %"                  # of base; or "900 ns", "2300 instructions"; or
                                # "0.5 x cycle/remap": of another case of the same boot
tier = "icount"                 # or a list; default: all tiers that may gate
kernel = "6.12*"                # a glob of the head's name; default: any
reason = "why this limit"

[[waiver]]
cases = "cycle/madv_zap/*"
reason = "why it may be exceeded for now"
expires = 2027-01-31
"""

import fnmatch
import math
import re
import tomllib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from zapbench.case import grid, select
from zapbench.error import UsageError
from zapbench.gate.schema import Place, at, whereabouts
from zapbench.result.timings import STATISTICS

TIERS = {"native": "ns", "kvm": "ns", "icount": "instructions"}
"""The tiers that may gate, and their units; `tcg` is for screening only."""

_NUMBER = r"(?:\d+(?:\.\d+)?|\.\d+)"
_ABSOLUTE = re.compile(rf"(-?{_NUMBER})\s*(ns|us|µs|ms|s|instructions)")
_RELATIVE = re.compile(rf"([+-]|−)\s*({_NUMBER})\s*%")  # noqa: RUF001 - a minus sign is one
_OTHER = re.compile(rf"(-?{_NUMBER})\s*[x×*]\s*(\S+)")
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


@dataclass(frozen=True, slots=True)
class Budget:
    """One demand; ``place`` is its line in the file, for messages."""

    cases: tuple[str, ...]
    limit: Limit
    reason: str
    place: Place
    statistic: str = "p50"
    tiers: tuple[str, ...] = tuple(TIERS)
    kernel: str = "*"

    def inapplicable(self, tier: str, kernel: str, *, has_base: bool) -> str | None:
        """Why it does not apply to a measurement at all; None if it does."""
        unit = TIERS.get(tier)
        reasons = {
            f"{tier} is for screening only": unit is None,
            f"is for {' and '.join(self.tiers)}, this is {tier}": tier not in self.tiers,
            f"is in {self.limit.unit}, {tier} gives {unit}": self.limit.unit not in (None, unit),
            "case_total is counted, never timed": self.statistic == "case_total" and unit == "ns",
            f"is for kernel {self.kernel}, this is {kernel}": (
                not fnmatch.fnmatchcase(kernel, self.kernel)
            ),
            "is relative to a base, and none was given": self.limit.needs_base and not has_base,
        }
        return next((reason for reason, holds in reasons.items() if holds), None)

    def matches(self, case: str) -> bool:
        """Whether it is about a case."""
        return any(fnmatch.fnmatchcase(case, glob) for glob in self.cases)


@dataclass(frozen=True, slots=True)
class Waiver:
    """Cases that may exceed their budgets up to and including a day."""

    cases: tuple[str, ...]
    reason: str
    expires: date
    place: Place

    def matches(self, case: str) -> bool:
        """Whether it is about a case."""
        return any(fnmatch.fnmatchcase(case, glob) for glob in self.cases)


@dataclass(frozen=True, slots=True)
class Budgets:
    """A budget file."""

    path: Path
    budgets: tuple[Budget, ...]
    waivers: tuple[Waiver, ...]


def load(path: Path) -> Budgets:
    """Read a budget file.

    Raises:
        UsageError: it cannot be read, or does not say what a budget file may; with line and
            column.
    """
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read budgets {path}: {error}") from error
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"{path}: {error}") from error
    for key in data:
        if key not in ("budget", "waiver"):
            raise at(path, whereabouts(text, None, 0, key), f"unknown table {key!r}")
    budgets = tuple(_budget(entry) for entry in _entries(path, text, data, "budget"))
    waivers = tuple(_waiver(entry) for entry in _entries(path, text, data, "waiver"))
    if not budgets:
        raise UsageError(f"{path} holds no [[budget]]; see bench/budgets.toml for how to write one")
    return Budgets(path, budgets, waivers)


@dataclass(frozen=True, slots=True)
class _Entry:
    """One table of the file, and how to say where it is wrong."""

    path: Path
    text: str
    table: str
    index: int
    values: Mapping[str, Any]

    def place(self, key: str | None = None) -> Place:
        return whereabouts(self.text, self.table, self.index, key)

    def wrong(self, key: str | None, message: str) -> UsageError:
        return at(self.path, self.place(key), message)


def _entries(path: Path, text: str, data: Mapping[str, Any], table: str) -> list[_Entry]:
    found = data.get(table, [])
    if not isinstance(found, list) or not all(isinstance(entry, dict) for entry in found):
        where = whereabouts(text, None, 0, table)
        raise at(path, where, f"write [[{table}]], with two brackets, for each")
    entries = [_Entry(path, text, table, index, entry) for index, entry in enumerate(found)]
    for entry in entries:
        keys = KEYS[table]
        for key in entry.values:
            if key not in keys:
                raise entry.wrong(key, f"unknown key {key!r}; a {table} has {', '.join(keys)}")
        for key, needed in keys.items():
            if needed and key not in entry.values:
                raise entry.wrong(None, f"this {table} lacks {key!r}")
    return entries


KEYS = {
    "budget": {
        "cases": True,
        "limit": True,
        "reason": True,
        "statistic": False,
        "tier": False,
        "kernel": False,
    },
    "waiver": {"cases": True, "reason": True, "expires": True},
}
"""The keys of each table, and whether they must be there."""


def _words(entry: _Entry, key: str) -> tuple[str, ...]:
    """A string, or a list of strings."""
    value = entry.values[key]
    words = [value] if isinstance(value, str) else value
    if not isinstance(words, list) or not words or not all(isinstance(w, str) for w in words):
        raise entry.wrong(key, f"{key} is a string or a list of strings")
    if not all(word.strip() for word in words):
        raise entry.wrong(key, f"{key} is empty")
    return tuple(words)


def _text(entry: _Entry, key: str, default: str = "") -> str:
    value = entry.values.get(key, default)
    if not isinstance(value, str) or not value.strip():
        raise entry.wrong(key, f"{key} is a text that is not empty")
    return value


def _cases(entry: _Entry) -> tuple[str, ...]:
    globs = _words(entry, "cases")
    try:
        cells = select(grid(quick=False), globs)
    except UsageError as error:
        raise entry.wrong("cases", str(error)) from error
    if all(cell.excluded for cell in cells):
        raise entry.wrong("cases", f"no such case can be had: {cells[0].excluded}")
    return globs


def _budget(entry: _Entry) -> Budget:
    statistic = _text(entry, "statistic", "p50")
    if statistic not in STATISTICS:
        raise entry.wrong("statistic", f"no statistic {statistic!r}: {', '.join(STATISTICS)}")
    tiers = _words(entry, "tier") if "tier" in entry.values else tuple(TIERS)
    for tier in tiers:
        if tier not in TIERS:
            raise entry.wrong("tier", f"tier {tier!r} cannot gate: {', '.join(TIERS)}")
    limit = _limit(entry)
    units = {TIERS[tier] for tier in tiers}
    if "tier" in entry.values and limit.unit is not None and units != {limit.unit}:
        given = " and ".join(sorted(units))
        raise entry.wrong("limit", f"mixed units: the limit is in {limit.unit}, tier gives {given}")
    return Budget(
        cases=_cases(entry),
        limit=limit,
        reason=_text(entry, "reason"),
        place=entry.place(),
        statistic=statistic,
        tiers=tiers,
        kernel=_text(entry, "kernel", "*"),
    )


def _waiver(entry: _Entry) -> Waiver:
    expires = entry.values["expires"]
    if type(expires) is not date:  # a datetime is a date too, and says too much
        raise entry.wrong("expires", "expires is a date, such as 2027-01-31, without quotes")
    return Waiver(_cases(entry), _text(entry, "reason"), expires, entry.place())


def _limit(entry: _Entry) -> Limit:
    """Read a limit; the table of forms is tried from the top."""
    text = " ".join(_text(entry, "limit").split())
    for form, make in FORMS:
        if found := form.fullmatch(text):
            limit = make(text, found)
            if limit.factor <= 0:
                raise entry.wrong("limit", f"limit {text!r} is zero or negative")
            _check_reference(entry, limit)
            return limit
    raise entry.wrong(
        "limit",
        f"cannot read limit {text!r}: write '900 ns', '2300 instructions', '+2 %' of base, or "
        "'0.5 x cycle/remap'",
    )


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


def _check_reference(entry: _Entry, limit: Limit) -> None:
    """A reference must be a case, or the workload and method of some."""
    if limit.than is None:
        return
    name = f"{limit.than}/*" if limit.than.count("/") == 1 else limit.than
    try:
        select(grid(quick=False), [name])
    except UsageError as error:
        raise entry.wrong("limit", str(error)) from error
