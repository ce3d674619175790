# SPDX-License-Identifier: GPL-2.0-only
"""What of its boots a side lacks for a case, and whose doing that is.

A case that the kernel lost once is lost, whatever its other boots show: an error that is not the
host's, or a boot that began and has neither an end nor the case.  What the host lost, or nobody
measured, leaves a verdict open.
"""

import errno
from collections.abc import Collection
from typing import NamedTuple

from zapbench.gate.evidence import Side
from zapbench.gate.verdict import Because
from zapbench.record import Context, End, Error, Samples, Skip, failures
from zapbench.result.request import kept
from zapbench.result.store import Results
from zapbench.text import listed

HOSTS = (errno.ECANCELED, errno.EINTR, errno.ETIMEDOUT, errno.ENOMEM, errno.ENOSPC)
"""Of an error record: what was measured was interrupted or killed, was silent, found no room."""


GRAVEST = (Because.BROKEN, Because.CUT, Because.INCOMPLETE)


class Missing(NamedTuple):
    """Why a case is not whole."""

    because: Because
    why: str


class Gaps:
    """What of its boots a side lacks."""

    def __init__(self, side: Side) -> None:
        self._results = [_Presence(each) for each in side.all_results]

    def of(self, case: str) -> Missing | None:
        """What is missing of a case; the gravest, None if it is whole, or has no record at all.

        A boot that has no end may have been about any case.
        """
        measured = any(case in each.measured for each in self._results)
        found = [
            each.missing(case, measured=measured)
            for each in self._results
            if case in each.cases or each.cut
        ]
        there = [each for each in found if each is not None]
        return min(there, key=lambda each: GRAVEST.index(each.because), default=None)


class _Presence:
    """Which boots of a result gave what."""

    def __init__(self, results: Results) -> None:
        records = results.recording.records
        self.boots = {record.run.boot for record in records}
        asked = kept(results.directory)
        self.wanted = set(range((asked[1].boots if asked is not None else None) or 0))
        self.cut: set[int] = set()
        self.measured: dict[str, set[int]] = {}
        self.skipped: dict[str, set[int]] = {}
        open_: set[int] = set()
        for record in records:
            if isinstance(record, Samples):
                self.measured.setdefault(record.case, set()).add(record.run.boot)
            elif isinstance(record, Skip):
                self.skipped.setdefault(record.case, set()).add(record.run.boot)
            elif isinstance(record, Context):
                self.cut |= open_ & {record.run.boot}
                open_.add(record.run.boot)
            elif isinstance(record, End):
                open_.discard(record.run.boot)
        self.cut |= open_
        self.errors: dict[str, list[Error]] = {}
        for error in failures(records):
            self.errors.setdefault(error.case, []).append(error)
        self.cases = {*self.measured, *self.skipped, *self.errors}

    def missing(self, case: str, *, measured: bool) -> Missing | None:
        """See `Gaps.of`; ``measured``: some boot of the side gave the case a figure."""
        errors = self.errors.get(case, [])
        if broken := [error for error in errors if error.errno not in HOSTS]:
            return Missing(Because.BROKEN, self._among(_boots_of(broken), broken[0].reason))
        known = self.measured.get(case, set()) | self.skipped.get(case, set())
        known |= _boots_of(errors)
        if lost := self.cut - known:
            return Missing(Because.CUT, self._among(lost, "they have no end either"))
        if errors:
            return Missing(Because.INCOMPLETE, self._among(_boots_of(errors), errors[0].reason))
        if lost := self.wanted - known:
            return Missing(Because.INCOMPLETE, self._among(lost, "not measured"))
        skipped = self.skipped.get(case, set()) - self.measured.get(case, set())
        if measured and skipped:
            return Missing(Because.INCOMPLETE, self._among(skipped, "skipped there"))
        return None

    def _among(self, boots: Collection[int], why: str) -> str:
        total = len(self.boots | self.wanted)
        return f"boot {listed([str(boot) for boot in sorted(boots)])} of {total}: {why}"


def _boots_of(errors: Collection[Error]) -> set[int]:
    """The boots that gave them."""
    return {error.run.boot for error in errors}
