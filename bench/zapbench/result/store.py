# SPDX-License-Identifier: GPL-2.0-only
"""Result directories, and the pyperf suite in them.  The only user of pyperf.

A result directory holds ``records.jsonl.gz``, the truth (``records.jsonl`` while it is measured
and after a crash; see `zapbench.record.Writer`), and ``suite.json.gz``, made from it
for ``python -m pyperf stats`` and ``compare_to``.
"""

import contextlib
import gzip
import io
import os
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import pyperf

from zapbench.case import Case, Cell
from zapbench.error import DiskFull, UsageError, ZapbenchError
from zapbench.host.file import locked, write_atomically
from zapbench.record import (
    Context,
    Error,
    Recording,
    Samples,
    Skip,
    Unit,
    Writer,
    failures,
    is_there,
    load,
    plain,
)
from zapbench.result.request import REQUEST, SEED, Asked
from zapbench.result.table import Lack, Table, build, excluded
from zapbench.result.timings import Timings, by_case
from zapbench.result.whole import with_remark

RESULTS = Path("results")  # holds result directories, where the user names none
RECORDS = "records.jsonl.gz"
SUITE = "suite.json.gz"
SECONDS_PER_NS = 1e-9


class Results:
    """A result directory, opened for reading; ``recording`` replaces its records.

    Of its records it says what is missing, and how to go on; see `zapbench.result.whole`.
    What is made of the records is made here, once: their cases, and the table of them.
    """

    def __init__(self, directory: Path, recording: Recording | None = None) -> None:
        self.directory = directory
        if recording is None:
            recording = with_remark(directory, load(_record_file(directory)))
        self.recording: Recording = recording
        self.contexts = self.recording.of(Context)
        if not self.contexts:
            raise UsageError(f"{directory} holds no finished measurement; start it anew")
        kinds = {f"{each.run.kernel} ({each.run.tier}, {each.unit})" for each in self.contexts}
        if len(kinds) > 1:
            mixed = " and ".join(sorted(kinds))
            raise UsageError(f"{directory} mixes {mixed}: give each a directory of its own")
        builds = self.recording.builds
        if len(builds) > 1:
            mixed = " and ".join(build[:12] for build in builds)
            raise UsageError(
                f"{directory} mixes builds {mixed} of {self.kernel}: they are different kernels; "
                "give each a directory, and in a report a name, of its own"
            )

    @property
    def kernel(self) -> str:
        """The kernel that was measured."""
        return self.contexts[0].run.kernel

    @property
    def build_id(self) -> str | None:
        """The build id of its image, if any boot knows it."""
        return next(iter(self.recording.builds), None)

    @property
    def tier(self) -> str:
        """The way it was measured."""
        return self.contexts[0].run.tier

    @property
    def unit(self) -> Unit:
        """``ns`` or ``instructions``."""
        return self.contexts[0].unit

    @cached_property
    def boots(self) -> int:
        """How many boots, natively processes, there were."""
        return len({context.run.boot for context in self.contexts})

    @cached_property
    def timings(self) -> dict[Case, Timings]:
        """What was timed, by case, in the order in which the cases came."""
        return by_case(self.recording.of(Samples))

    @cached_property
    def failed(self) -> list[Lack]:
        """The errors, in order; see `zapbench.record.failures`."""
        return _lacks(failures(self.recording.records))

    @cached_property
    def skipped(self) -> list[Lack]:
        """What could not be run, in order."""
        return _lacks(self.recording.of(Skip))

    @cached_property
    def table(self) -> Table:
        """The comparison table."""
        return build(self.recording, self.timings, self.failed, self.skipped)

    def table_of(self, cells: Iterable[Cell]) -> Table:
        """The table with the excluded ones among the cells that were asked for."""
        return replace(self.table, excluded=excluded(cells))


def _lacks(records: Iterable[Skip | Error]) -> list[Lack]:
    return [Lack(Case.parse(record.case), record.reason) for record in records]


def _record_file(directory: Path) -> Path:
    """The record file of a result directory; a path to a record file itself is taken too."""
    if directory.is_file():
        return directory
    if not directory.exists():
        raise UsageError(f"{directory} does not exist; name a directory that `run` wrote")
    if not recorded(directory):
        raise UsageError(f"{directory} is no result directory: it holds no {RECORDS}")
    return directory / RECORDS


def recorded(directory: Path) -> bool:
    """Whether a directory holds records, complete or not."""
    return is_there(directory / RECORDS)


def create(directory: Path, *, resume: bool = False) -> Writer:
    """Make a result directory and open its record file for appending.

    Raises:
        UsageError: it has something in it and ``resume`` is not asked for, or it cannot be
            written to.
        EnvironmentMissing: another run writes into it.
    """
    if resume and not recorded(directory) and not (directory / REQUEST).is_file():
        raise UsageError(f"{directory} holds no {RECORDS} to resume; start without --resume")
    _claim(directory, occupied=resume)
    writer = Writer(directory / RECORDS)
    if writer.went_on and not resume:  # another run came and went in between
        writer.close()
        raise _occupied(directory)
    return writer


def _claim(directory: Path, *, occupied: bool = False, resumable: bool = True) -> None:
    """Make a directory that is to be written to; unless it may be ``occupied``, it is empty."""
    try:
        directory.mkdir(parents=True, exist_ok=True)
        full = any(directory.iterdir())
    except OSError as error:
        raise _unusable(directory, error) from error
    if full and not occupied:
        raise _occupied(directory, resumable=resumable)
    if not os.access(directory, os.W_OK | os.X_OK):
        raise UsageError(f"{directory} is not writable: choose another with -o")


def claimed(directory: Path | None, kernel: str, tier: str, *, resumable: bool = True) -> Path:
    """Make a directory for results, or, if none is named, `free_directory`.

    ``resumable``: the command that writes to it has a ``--resume``, which the error may name.

    Raises:
        UsageError: it has something in it, or cannot be written to.
    """
    if directory is None:
        return free_directory(RESULTS, kernel, tier)
    _claim(directory, resumable=resumable)
    return directory


def forget(directory: Path) -> None:
    """Remove a directory with nothing in it but what was asked for."""
    with contextlib.suppress(OSError):
        if [path.name for path in directory.iterdir()] == [REQUEST]:
            (directory / REQUEST).unlink()
            directory.rmdir()


def went_on(writer: Writer, kernel: str, tier: str) -> Recording | None:
    """What is in a result directory that is gone on with; None if it is a new one.

    Raises:
        UsageError: it is of another kernel or tier.
    """
    if not writer.went_on:
        return None
    before = load(writer.path)
    for context in before.of(Context):
        if (context.run.kernel, context.run.tier) != (kernel, tier):
            raise UsageError(
                f"{writer.path.parent} holds {context.run.kernel} ({context.run.tier}), not "
                f"{kernel} ({tier}): choose another with -o"
            )
    return before


def seed_of(asked: Asked, before: Recording | None) -> int:
    """The seed that is asked for, else that of before, else `SEED`."""
    if asked.seed is not None:
        return asked.seed
    contexts = before.of(Context) if before is not None else []
    return contexts[0].seed if contexts else SEED


def _unusable(directory: Path, error: OSError) -> UsageError:
    return UsageError(
        f"cannot use {directory} for results: {error.strerror}; choose another with -o"
    )


def _occupied(directory: Path, *, resumable: bool = True) -> UsageError:
    go_on = ", or go on in it with --resume" if resumable else ""
    return UsageError(f"{directory} is not empty: choose another with -o{go_on}")


@dataclass(frozen=True, slots=True)
class Repaired:
    """What was found: whether the file was cut off, and the file as it was, if bytes are gone."""

    cut: bool
    aside: Path | None


def repair(directory: Path) -> Repaired:
    """Take what is damaged out of the records, and half a record at the end of a cut-off file.

    Raises:
        UsageError: it is no result directory, or cannot be written to.
        EnvironmentMissing: a run writes into it.
        SchemaError: nothing can be kept.
        DiskFull: it cannot be written; what was there is left.
    """
    if directory.is_file():
        raise UsageError(f"{directory} is a file: name the result directory that it is in")
    _record_file(directory)
    _claim(directory, occupied=True)
    with Writer(directory / RECORDS, keep_cut=True) as writer:
        return Repaired(writer.cut, writer.damaged)


def discard(directory: Path) -> None:
    """Remove a result directory in which nothing was recorded; any other is left alone."""
    with contextlib.suppress(OSError, ZapbenchError), locked(directory, patience=0):
        if not load(directory / RECORDS).records:
            for each in (RECORDS, plain(directory / RECORDS).name, REQUEST):
                (directory / each).unlink(missing_ok=True)
            directory.rmdir()


def free_directory(parent: Path, kernel: str, tier: str) -> Path:
    """Make ``<parent>/<kernel>-<tier>-<n>``, with the n after the highest there is.

    Raises:
        UsageError: it cannot be made.
    """
    number = max(_numbers(parent, kernel, tier), default=0)
    try:
        parent.mkdir(parents=True, exist_ok=True)
        while True:
            number += 1
            with contextlib.suppress(FileExistsError):  # of a run that began at the same time
                made = _numbered(parent, kernel, tier, number)
                made.mkdir()
                return made
    except OSError as error:
        raise _unusable(parent, error) from error


def latest_directory(parent: Path, kernel: str, tier: str) -> Path:
    """The one of ``<parent>/<kernel>-<tier>-<n>`` with the highest n.

    Raises:
        UsageError: there is none.
    """
    numbers = _numbers(parent, kernel, tier)
    if not numbers:
        raise UsageError(f"{parent} holds no results of {kernel} ({tier}) to resume; use -o")
    return _numbered(parent, kernel, tier, max(numbers))


def _numbered(parent: Path, kernel: str, tier: str, number: int) -> Path:
    return parent / f"{re.sub('[/?]', '_', kernel)}-{tier}-{number}"


def _numbers(parent: Path, kernel: str, tier: str) -> list[int]:
    stem = _numbered(parent, kernel, tier, 0).name.removesuffix("0")
    names = [path.name for path in parent.glob("*")] if parent.is_dir() else []
    rest = [name.removeprefix(stem) for name in names if name.startswith(stem)]
    return [int(number) for number in rest if number.isascii() and number.isdecimal()]


def suite(timings: Iterable[Timings]) -> pyperf.BenchmarkSuite | None:
    """The timings of one kernel and tier as a pyperf suite; None if there are none."""
    made = _benchmarks(timings)
    return pyperf.BenchmarkSuite(made) if made else None


def suites(named: Mapping[str, Iterable[Timings]]) -> bytes | None:
    """A pyperf suite of several results as JSON; None if there are no timings.

    A benchmark is named by its case; if there are several results, after the result's name.
    """
    made = [
        benchmark
        for name, timings in named.items()
        for benchmark in _benchmarks(timings, f"{name}: " if len(named) > 1 else "")
    ]
    if not made:
        return None
    return _json(pyperf.BenchmarkSuite(made))


def _json(made: pyperf.BenchmarkSuite) -> bytes:
    text = io.StringIO()
    made.dump(text)
    return text.getvalue().encode()


def _benchmarks(timings: Iterable[Timings], prefix: str = "") -> list[pyperf.Benchmark]:
    """The timings of one kernel and tier.

    One benchmark per case, one pyperf Run per boot, with one value: the boot's median, in
    seconds (or instructions) per operation.  pyperf pools the values of all runs in its
    tests, so more than one a boot would make it see differences that are none.
    """
    benchmarks = []
    for each in timings:
        medians = zip(sorted(each.boots), each.medians, strict=True)
        runs = [
            _run(each, boot, median, prefix)
            for boot, median in medians
            if median > 0  # pyperf takes no other
        ]
        if runs:
            benchmarks.append(pyperf.Benchmark(runs))
    return benchmarks


def _run(each: Timings, boot: int, median: float, prefix: str) -> pyperf.Run:
    seconds = each.unit == "ns"
    record = each.records[0]
    metadata = {
        "name": f"{prefix}{each.case}",
        "unit": "second" if seconds else "integer",
        "loops": record.ops_per_sample,
        "kernel": record.run.kernel,
        "tier": record.run.tier,
        "boot": boot,
        "pages_per_op": each.pages_per_op,
    }
    value = median * SECONDS_PER_NS if seconds else median
    return pyperf.Run([value], metadata=metadata, collect_metadata=False)


def write_suite(results: Results) -> Path | None:
    """Make the ``suite.json.gz`` of a directory again; None, and no file, without samples.

    Raises:
        DiskFull: it cannot be written; the one of before, if any, is left.
    """
    made = suite(results.timings.values())
    if made is None:
        return None
    path = results.directory / SUITE
    try:
        write_atomically(path, gzip.compress(_json(made), mtime=0))
    except OSError as error:
        raise DiskFull(
            f"cannot write {path}: {error.strerror}; what was measured is whole: make room"
        ) from error
    return path
