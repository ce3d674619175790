# SPDX-License-Identifier: GPL-2.0-only
"""One turn of a campaign: the boot that runs is measured if it is the one that is due."""

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import msgspec

from zapbench.boot import Work, available, effort_for, nothing_measured
from zapbench.campaign import boots
from zapbench.campaign.journal import BASE, Boot, Journal, Seen, Side, load, save
from zapbench.case import choose
from zapbench.error import DiskFull, EnvironmentMissing, Interrupted, UsageError, ZapbenchError
from zapbench.gate.fingerprint import differences, of_context, of_machine
from zapbench.host.file import locked
from zapbench.measure import Leg, left, measure
from zapbench.observer import Observer, OnRecord
from zapbench.record import Context, Record, Recording, Samples, Skip, Writer, failures, finished
from zapbench.record import load as load_records
from zapbench.result.request import SEED, again, in_place, keep
from zapbench.result.store import RECORDS, Results, create, recorded, went_on, write_suite
from zapbench.run import PAST_CASES
from zapbench.target import Job, Target, now
from zapbench.text import number
from zapbench.where import prepared

MOST_LOST = 3
"""A boot that is lost more often in a row is lost by what is measured in it."""

DYING_SECONDS = 3.0
"""What a killed turn had started dies a moment later, and holds its lock until then."""


@dataclass(frozen=True, slots=True)
class Turn:
    """What came of a turn: the boot that was measured, if one was, and its cases by what became.

    ``failed`` are those without a figure, with the reason.
    """

    journal: Journal
    measured: Boot | None = None
    timed: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    failed: tuple[tuple[str, str], ...] = ()


def turn(directory: Path, observer: Observer, *, force: bool = False) -> Turn:
    """Measure the boot that runs, if it is due; ``directory`` is the campaign's.

    What the boot before has left half done is discarded first, unless this is still that boot,
    which is gone on with.  ``force``: though settings of the machine changed, or boots were lost.

    Raises:
        UsageError: there is no campaign, its records are not those that it measured, or the
            kernel is not the one of before.
        EnvironmentMissing: another kernel runs, or the same boot as before, or another turn, or
            this is another machine or one with other settings; nothing was measured.
        Interrupted, LostProcess, LostVm, DiskFull: what was finished is kept, for a turn in the
            same boot.
    """
    load(directory)  # or the lock would complain
    directory = directory.absolute()
    busy = f"another turn of {directory} is being measured: wait for it"
    with locked(directory, patience=DYING_SECONDS, busy=busy):
        journal = load(directory)
        if journal.due is None:
            return Turn(journal)
        with in_place(journal.asked):
            return _Turn(directory, journal, observer, force=force).taken()


class _Turn:
    def __init__(
        self, directory: Path, journal: Journal, observer: Observer, *, force: bool
    ) -> None:
        self._directory, self._journal, self._force = directory, journal, force
        self._observer = observer
        self._boots = boots.of(journal, observer)
        cells = available(choose(journal.asked.globs, quick=journal.asked.quick))
        self._cases = [cell.case for cell in cells]
        self._warned: set[str] = set()

    def taken(self) -> Turn:
        if self._journal.machine != boots.identity():
            raise EnvironmentMissing(
                f"{self._directory} is a campaign of another machine: go on there, or begin one "
                "here with `zapbench campaign start`"
            )
        boot_id = self._boots.boot_id()
        settled = self._settled(boot_id)
        if self._journal.due is None:
            return self._turn(settled)
        side, which = self._journal.due
        self._check_running(side, which, boot_id)
        boot = self._journal.begun or Boot(side, which, boot_id, now())
        try:
            self._measure(boot)
        except UsageError:  # to go on would be no use
            raise
        except KeyboardInterrupt:
            raise Interrupted(f"interrupted; {self._go_on}") from None
        except ZapbenchError as error:
            raise type(error)(f"{error}; {self._go_on}") from error
        return self._turn(boot)

    @property
    def _again(self) -> str:
        return again("campaign", self._directory / BASE)

    @property
    def _go_on(self) -> str:
        return f"go on{'' if self._journal.vm else ' in this boot'} with: {self._again}"

    def _save(self, **changes: Any) -> None:
        self._journal = msgspec.structs.replace(self._journal, **changes)
        save(self._directory, self._journal)

    # What a boot of before has left

    def _settled(self, boot_id: str) -> Boot | None:
        """Keep or discard what was begun in another boot; the boot that is kept."""
        begun = self._journal.begun
        if begun is None or begun.boot_id == boot_id:
            return None
        made = self._pairs(begun)
        if made == self._wanted(begun):
            self._finish(begun)
            return begun
        if recorded(self._directory / begun.side):
            with create(self._directory / begun.side, resume=True) as writer:
                writer.drop(self._journal.numbers(begun.number))
        self._save(begun=None, lost=self._journal.lost + 1)
        self._observer.note(
            f"{self._journal.named(begun.side, begun.number)}, was not measured to its end before "
            f"the machine went down: its {len(made)} of {len(self._wanted(begun))} measurements "
            "are discarded, and it is due again"
        )
        return None

    def _wanted(self, boot: Boot) -> set[tuple[int, str]]:
        numbers = self._journal.numbers(boot.number)
        return {(each, str(case)) for each in numbers for case in self._cases}

    def _pairs(self, boot: Boot) -> set[tuple[int, str]]:
        return finished(self._recorded(boot)) & self._wanted(boot)

    def _recorded(self, boot: Boot) -> tuple[Record, ...]:
        """What is in the records of a boot, that is of all its processes."""
        if not recorded(self._directory / boot.side):
            return ()
        numbers = self._journal.numbers(boot.number)
        records = load_records(self._directory / boot.side / RECORDS).records
        return tuple(record for record in records if record.run.boot in numbers)

    # Whether to measure at all

    def _check_running(self, side: Side, which: int, boot_id: str) -> None:
        """See that this is a boot of the kernel that is due, and not one of before."""
        kernel = self._journal.kernel(side)
        here = self._boots.running(kernel)
        same = next((each for each in self._journal.done if each.boot_id == boot_id), None)
        wrong = ""
        if same is not None:
            wrong = f"this boot was measured, as {self._journal.named(same.side, same.number)}"
        elif here != kernel:
            wrong = f"{here} runs"
        if wrong:
            due = boots.what_next(self._directory, self._journal, self._observer)
            raise EnvironmentMissing(f"nothing was measured: {wrong}, and {due}")
        if self._journal.lost >= MOST_LOST and not self._force:
            raise EnvironmentMissing(
                f"nothing was measured: {self._journal.named(side, which)}, was lost "
                f"{self._journal.lost} times before its end: see what the machine's log says, and "
                f"begin anew without the case that it dies of, or try again with: {self._again} "
                "--force"
            )

    def _check_alike(self, before: dict[str, str], here: dict[str, str]) -> None:
        """See that the machine is as it was in the first boot, or say what is not."""
        found = [text for text in differences(before, here) if text not in self._warned]
        if not found:
            return
        self._warned.update(found)
        said = f"not as in the first boot of this campaign (then / now): {'; '.join(found)}"
        if not self._force:
            raise EnvironmentMissing(f"{said}: put it back, or measure all the same with --force")
        self._observer.note(f"{said}; measured all the same, as --force was given")

    def _look(self, context: Context) -> None:
        """Look at how a process begins, before any of it is kept."""
        kernel = context.run.kernel
        before = self._journal.builds.get(kernel)
        if None not in (before, context.build_id) and before != context.build_id:
            raise UsageError(
                f"{kernel} is another build than before in this campaign, {context.build_id} and "
                f"not {before}: nothing was measured; boot the one of before, or begin a new "
                "campaign with this one"
            )
        if self._journal.seen is not None:
            self._check_alike(self._journal.seen.context, dict(of_context(context)))

    # Measuring

    def _measure(self, boot: Boot) -> None:
        journal, where = self._journal, self._directory / boot.side
        target = self._boots.target(journal.kernel(boot.side))
        if journal.seen is not None:
            self._check_alike(journal.seen.host, dict(of_machine(target.tier)))
        seed = SEED if journal.asked.seed is None else journal.asked.seed
        effort = effort_for(target.tier, quick=journal.asked.quick)
        work = Work(tuple(map(str, self._cases)), effort, seed)
        keep(where, "campaign", journal.asked)
        with self._begun(boot), create(where, resume=True) as writer:
            leg = self._leg(boot, target, writer)
            numbers = journal.numbers(boot.number)
            place = f"{target.tier}, {boots.IN_PLACE}" if journal.vm else target.tier
            self._observer.note(
                f"{left([leg], work, numbers)} measurements to make in "
                f"{number(len(numbers), 'process')}, {journal.named(boot.side, boot.number)} "
                f"({place})"
            )
            with prepared(target, self._cases, self._observer):
                measure([leg], work, numbers, self._watching(), PAST_CASES)
            nothing = nothing_measured(Recording("", self._recorded(boot)), Samples)
            if nothing is not None:
                writer.drop(numbers)
                raise nothing
        self._finish(boot)

    @contextlib.contextmanager
    def _begun(self, boot: Boot) -> Iterator[None]:
        """Note that a boot is measured, while it is, and after that if there is some of it."""
        self._save(begun=boot)
        try:
            yield
        except BaseException:
            if not self._recorded(boot):
                self._save(begun=None)
            raise

    def _leg(self, boot: Boot, target: Target, writer: Writer) -> Leg:
        """The kernel that is measured; checks that the boots of before are there.

        Builds are looked at by `_look`, over both sides.
        """
        before = went_on(writer, target.kernel, target.tier)
        records = before.records if before is not None else ()
        there = {record.run.boot for record in records}
        for each in self._journal.done:
            if each.side == boot.side and not there.issuperset(self._journal.numbers(each.number)):
                raise UsageError(
                    f"{writer.path.parent} lacks records of "
                    f"{self._journal.named(each.side, each.number)}, which was measured: restore "
                    "them, or begin anew elsewhere"
                )
        return Leg(target, writer, finished(records))

    def _watching(self) -> Observer:
        """The observer, but each process is looked at when it begins."""

        @contextlib.contextmanager
        def cases(total: int) -> Iterator[OnRecord]:
            with self._observer.cases(total) as on_record:

                def noted(job: Job, record: Record) -> None:
                    if isinstance(record, Context):
                        self._look(record)
                    on_record(job, record)

                yield noted

        return replace(self._observer, cases=cases)

    def _finish(self, boot: Boot) -> None:
        """Note that a boot was measured to its end, and make what is derived from the records."""
        contexts = [each for each in self._recorded(boot) if isinstance(each, Context)]
        first, *_ = contexts
        seen = Seen(dict(of_machine(first.run.tier)), dict(of_context(first)))
        kernel = self._journal.kernel(boot.side)
        builds = {} if first.build_id is None else {kernel: first.build_id}
        self._save(
            done=(*self._journal.done, boot),
            begun=None,
            lost=0,
            seen=self._journal.seen or seen,
            builds={**builds, **self._journal.builds},
        )
        try:
            write_suite(Results(self._directory / boot.side))
        except DiskFull as error:  # the next turn of this side makes it
            self._observer.note(str(error))

    def _turn(self, boot: Boot | None) -> Turn:
        """What is to be said of a boot that was measured."""
        if boot is None:
            return Turn(self._journal)
        records = self._recorded(boot)
        return Turn(
            self._journal,
            boot,
            frozenset(each.case for each in records if isinstance(each, Samples)),
            frozenset(each.case for each in records if isinstance(each, Skip)),
            tuple({each.case: each.reason for each in failures(records)}.items()),
        )
