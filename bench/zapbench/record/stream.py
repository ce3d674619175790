# SPDX-License-Identifier: GPL-2.0-only
"""Records as lines: encoded, decoded, and read stream by stream."""

import errno
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import msgspec

from zapbench.error import OtherVersion, SchemaError, Truncated
from zapbench.record.kinds import (
    VERSION,
    Context,
    Contract,
    End,
    Error,
    Record,
    RecordBase,
    Run,
    Samples,
    Skip,
    Uname,
)

_DECODER = msgspec.json.Decoder(Record)


class _Head(msgspec.Struct):
    v: int | None = None
    kind: str | None = None


_HEAD = msgspec.json.Decoder(_Head)


def encode(record: Record) -> bytes:
    """One record as a line, with its newline."""
    return msgspec.json.encode(record) + b"\n"


def decode(line: bytes, source: str = "records", number: int = 1) -> Record:
    """Decode one line; ``source`` and ``number`` say where it is, for the message.

    Raises:
        OtherVersion: it is a record of another version.
        SchemaError: it is no record, or damaged.
    """
    try:
        record: Record = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise _invalid(line, source, number, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if number == 1:
            raise _foreign(source) from error
        raise SchemaError(f"{source}: line {number} is damaged ({error})") from error
    return record


def _foreign(source: str) -> SchemaError:
    return SchemaError(f"{source} is not a zapbench record file; give one that `run` wrote")


def _invalid(line: bytes, source: str, number: int, error: Exception) -> SchemaError:
    """The error for a line that is JSON but no record of this version."""
    try:
        head = _HEAD.decode(line)
    except msgspec.ValidationError:
        head = _Head()
    if head.v is None or head.kind is None:
        return _foreign(source) if number == 1 else SchemaError(f"{source}: line {number}: {error}")
    if head.v != VERSION:
        return OtherVersion(
            f"{source}: line {number} is of record version {head.v}, this zapbench reads "
            f"version {VERSION}; use the zapbench that wrote it"
        )
    return SchemaError(f"{source}: line {number}: {error}")


def parse(lines: Iterable[bytes], source: str = "records") -> Iterator[Record]:
    """Decode the lines of one or more streams, yielding each record as its line comes.

    Raises:
        SchemaError: see `decode`.
        Truncated: after every record was yielded, when a stream lacked its ``end``.
    """
    cut: Run | None = None  # the first stream that was cut off
    current: Run | None = None  # the stream being read
    came = Counter[type]()  # records of the stream being read, by kind
    last: Run | None = None
    for number, line in enumerate(lines, 1):
        if not line.endswith(b"\n") and _is_half(line):
            current = current or last
            break
        record = decode(line, source, number)
        if isinstance(record, Context):
            cut, current = cut or current, record.run
            came = Counter[type]()
        elif current is None:
            raise SchemaError(f"{source}: line {number}: expected a context record first")
        last = record.run
        yield record
        came[type(record)] += 1
        if isinstance(record, End):
            _check_counts(record, came, f"{source}: line {number}")
            current = None
    cut = cut or current
    if last is None:
        raise Truncated(f"{source} was cut off before its first record: measure again")
    if cut is not None:
        raise Truncated(
            f"{source}: the stream of boot {cut.boot} on {cut.kernel} was cut off: it has no end "
            "record; what is there was kept"
        )


def _is_half(line: bytes) -> bool:
    """Whether a line without its end is the begin of a record, not something foreign."""
    starts = (b'{"v":', b'{"kind":')
    return any(line[: len(start)] == start[: len(line)] for start in starts)


def _check_counts(end: End, came: Counter[type], where: str) -> None:
    """The ``end`` record says what its writer wrote: less means lines were lost on the way."""
    for kind, count in counted(end).items():
        if came[kind] != count:
            raise SchemaError(
                f"{where}: the stream's end counts {count} {kind.__name__.lower()} records, "
                f"{came[kind]} are there: the file was changed"
            )


def counted(end: End) -> dict[type[RecordBase], int]:
    """How many records of each kind a stream has by its end."""
    return {Samples: end.samples, Contract: end.contracts, Skip: end.skips, Error: end.errors}


R = TypeVar("R", bound=RecordBase)


@dataclass(frozen=True, slots=True)
class Recording:
    """The records of a file, in order; ``truncated`` says which stream was cut off, if any.

    ``damaged``: it says that something was left out as nothing could vouch for it.
    """

    source: str
    records: tuple[Record, ...]
    truncated: str | None = None
    damaged: bool = False

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]

    @property
    def builds(self) -> list[str]:
        """The build ids of the kernels that were measured, as far as they are known."""
        return sorted({each.build_id for each in self.of(Context) if each.build_id is not None})


def finished(records: Iterable[Record]) -> set[tuple[int, str]]:
    """Which (boot, case) pairs need not run again: what was interrupted does.

    A contract record ends no case: what it is for is timed after it.
    """
    return {measured for record in records if (measured := pair(record)) is not None}


def pair(record: Record) -> tuple[int, str] | None:
    """The boot and case that need not run again as there is this record; None if it ends none."""
    canceled = isinstance(record, Error) and record.errno == errno.ECANCELED
    if isinstance(record, Samples | Skip | Error) and not canceled:
        return record.run.boot, record.case
    return None


def failures(records: Sequence[Record]) -> list[Error]:
    """The errors, without those of interrupted cases that were measured later."""
    errors = [record for record in records if isinstance(record, Error)]
    if not any(record.errno == errno.ECANCELED for record in errors):
        return errors
    done = finished(records)
    return [
        record
        for record in errors
        if record.errno != errno.ECANCELED or (record.run.boot, record.case) not in done
    ]


def collect(lines: Iterable[bytes], source: str = "records") -> Recording:
    """Parse everything; a stream that was cut off is noted, not raised."""
    records: list[Record] = []
    try:
        records.extend(parse(lines, source))
    except Truncated as error:
        return Recording(source, tuple(records), str(error))
    return Recording(source, tuple(records))


def published(
    record: Record,
    words: Callable[[str], str] = str,
    parameters: Callable[[Context], str] | None = None,
    run: Run | None = None,
) -> Record:
    """A record as others may see it.

    ``words`` makes names, reasons and arguments fit to be seen, ``parameters`` the kernel's
    command line; ``run`` replaces the record's own.  A boot id, which could be found in a log of
    that machine, is left out.  No figure changes.
    """
    mine = run or msgspec.structs.replace(record.run, kernel=words(record.run.kernel))
    fields: dict[str, Any] = {"run": mine}
    if isinstance(record, Context):
        fields["argv"] = tuple(map(words, record.argv))
        fields["cpu"] = words(record.cpu)
        fields["boot_id"] = None
        fields["cmdline"] = parameters(record) if parameters is not None else record.cmdline
        names = (getattr(record.uname, name) for name in record.uname.__struct_fields__)
        fields["uname"] = Uname(*map(words, names))
    elif isinstance(record, Skip | Error):
        fields["reason"] = words(record.reason)
    return msgspec.structs.replace(record, **fields)
