# SPDX-License-Identifier: GPL-2.0-only
"""Record lines: the one format that measurements leave the C program in, version 1.

A *stream* is what one boot (natively: one process) writes: a ``context`` record, then
``samples``, ``contract``, ``skip`` and ``error`` records in any order, then ``end``.  A record
file is a concatenation of streams, as JSON lines, usually compressed.  Records are the truth;
every other file that zapbench writes is derived from them and can be made again.
"""

import contextlib
import errno
import gzip
import inspect
import os
import time
import zlib
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

import msgspec

from zapbench.error import DiskFull, SchemaError, Truncated

VERSION: Literal[1] = 1
FLUSH_BYTES = 1 << 16  # of text: some 10 KiB compressed
FLUSH_SECONDS = 1.0
_CHUNK = 1 << 16

Count = Annotated[int, msgspec.Meta(ge=0)]
Totals = Annotated[tuple[Count, ...], msgspec.Meta(min_length=1)]

Clock = Literal["raw", "tsc"]
Unit = Literal["ns", "instructions"]


class Run(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Which kernel, in which way of measuring (tier), in which boot (natively: process)."""

    kernel: str
    tier: str
    boot: int


class _Line(
    msgspec.Struct, frozen=True, kw_only=True, tag_field="kind", forbid_unknown_fields=True
):
    v: Literal[1]
    run: Run


class Uname(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What uname(2) says."""

    sysname: str
    release: str
    version: str
    machine: str


class HugePool(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One hugetlb pool: page size in bytes, pages in the pool, pages free."""

    size: int
    total: int
    free: int


class Userfaultfd(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How userfaultfd was reached, and the feature and ioctl bits that UFFDIO_API gave."""

    route: Literal["syscall", "dev", "user-mode-only", "none"]
    features: int
    ioctls: int


class Context(_Line, frozen=True, tag="context"):
    """First record of a stream: the machine, the kernel and the program that measured.

    ``mem_total`` and ``page_size`` are bytes; ``thp`` maps the files of
    ``/sys/kernel/mm/transparent_hugepage`` to the word selected in each.
    """

    uname: Uname
    build_id: str | None
    cmdline: str
    cpu: str
    cpus: int
    clock: Clock
    unit: Unit
    mem_total: int
    page_size: int
    thp: dict[str, str]
    hugepages: tuple[HugePool, ...]
    uffd: Userfaultfd
    seed: int
    tool: str
    argv: tuple[str, ...]


class Histogram(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Log-linear histogram of sample totals.

    A value below ``2**(bits + 1)`` is its own bucket; above, with
    ``e = floor(log2(value)) - bits``, the bucket is ``(e << bits) + (value >> e)`` and is
    ``2**e`` wide, so no value is off by more than ``2**-bits`` of itself.
    """

    bits: int
    min: int
    max: int
    sum: int
    count: int
    buckets: tuple[tuple[int, int], ...]


class CaseTotal(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Cost of a whole case, deferred work included, over ``ops`` operations."""

    value: int
    ops: int


class Samples(_Line, frozen=True, tag="samples"):
    """The timings of one case.

    ``values`` (or ``histogram``) are totals of a sample, in ``unit``: a sample is
    ``ops_per_sample`` operations on ``pages_per_op`` pages each (0: on none).  ``empty`` is
    what a sample with nothing in it costs: the harness's share.  ``stages`` splits each value
    of ``values`` by stage, in the same order.
    """

    case: str
    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: dict[str, str]
    rep: int
    unit: Unit
    ops_per_sample: int
    pages_per_op: int
    minor_faults: int
    missing_faults: int
    empty: int
    values: Totals | None = None
    histogram: Histogram | None = None
    stages: dict[str, tuple[Count, ...]] = {}
    case_total: CaseTotal | None = None

    def __post_init__(self) -> None:
        if (self.values is None) == (self.histogram is None):
            raise ValueError("a samples record has either `values` or `histogram`")
        if self.ops_per_sample < 1 or self.pages_per_op < 0:
            raise ValueError("`ops_per_sample` is at least 1 and `pages_per_op` at least 0")


class Promise(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One promise of a method: whether it makes it, whether it held (None: not testable)."""

    promised: bool
    held: bool | None
    note: str

    @property
    def broken(self) -> bool:
        """The method promises this, and was seen not to keep it."""
        return self.promised and self.held is False


class Contract(_Line, frozen=True, tag="contract"):
    """What a method was seen to do to one kind of mapping.

    ``event`` is what the next access met, ``expected`` what it should have met.
    ``equivalent``: the end state is that of MADV_ZAP and no data is lost; ``why`` names the
    first promise that broke, if one did.
    """

    case: str
    workload: str
    method: str
    backing: str
    page_size: int
    range_size: int
    axes: dict[str, str]
    expected: str
    event: str
    promises: dict[str, Promise]
    equivalent: bool
    why: str


class Skip(_Line, frozen=True, tag="skip"):
    """A case that this kernel or machine cannot run, and why; ``errno`` is 0 if none."""

    case: str
    reason: str
    errno: int


class Error(_Line, frozen=True, tag="error"):
    """A case that gave no figure: its contract failed, or a call did."""

    case: str
    reason: str
    errno: int


class End(_Line, frozen=True, tag="end"):
    """Last record of a stream; the counts of the others."""

    samples: int
    contracts: int
    skips: int
    errors: int


Record = Context | Samples | Contract | Skip | Error | End

_DECODER = msgspec.json.Decoder(Record)


class _Head(msgspec.Struct):
    v: int | None = None
    kind: str | None = None


_HEAD = msgspec.json.Decoder(_Head)


def encode(record: Record) -> bytes:
    """One record as a line, with its newline."""
    return msgspec.json.encode(record) + b"\n"


def decode(line: bytes, source: str = "records", number: int = 1) -> Record:
    """Decode one line; ``source`` and ``number`` say where it stands, for the message.

    Raises:
        SchemaError: it is no record, is of another version, or is damaged.
    """
    try:
        record: Record = _DECODER.decode(line)
    except msgspec.ValidationError as error:
        raise _invalid(line, source, number, error) from error
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        if number == 1:
            raise _foreign(source) from error
        raise SchemaError(
            f"{source}: line {number} is damaged ({error}); cut the file there, or measure again"
        ) from error
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
        return SchemaError(
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
            "record; what is there was kept, `zapbench run --resume` goes on from it"
        )


def _is_half(line: bytes) -> bool:
    """Whether a line without its end is the begin of a record, not something foreign."""
    starts = (b'{"v":', b'{"kind":')
    return any(line[: len(start)] == start[: len(line)] for start in starts)


def _check_counts(end: End, came: Counter[type], where: str) -> None:
    """The ``end`` record says what its writer wrote: less means lines were lost on the way."""
    written = {Samples: end.samples, Contract: end.contracts, Skip: end.skips, Error: end.errors}
    for kind, count in written.items():
        if came[kind] != count:
            raise SchemaError(
                f"{where}: the stream's end counts {count} {kind.__name__.lower()} records, "
                f"{came[kind]} are there: the file was changed; measure again"
            )


R = TypeVar("R", bound=_Line)


@dataclass(frozen=True, slots=True)
class Recording:
    """The records of a file, in order; ``truncated`` says which stream was cut off, if any."""

    source: str
    records: tuple[Record, ...]
    truncated: str | None = None

    def of(self, kind: type[R]) -> list[R]:
        """The records of one kind, in order."""
        return [record for record in self.records if isinstance(record, kind)]


def finished(records: Iterable[Record]) -> set[tuple[int, str]]:
    """Which (boot, case) pairs need not run again: what was interrupted does.

    A contract record ends no case: what it stands for is timed after it.
    """
    done: set[tuple[int, str]] = set()
    for record in records:
        canceled = isinstance(record, Error) and record.errno == errno.ECANCELED
        if isinstance(record, Samples | Skip | Error) and not canceled:
            done.add((record.run.boot, record.case))
    return done


def failures(records: Sequence[Record]) -> list[Error]:
    """The errors, without those of interrupted cases that were measured later."""
    done = finished(records)
    return [
        record
        for record in records
        if isinstance(record, Error)
        and (record.errno != errno.ECANCELED or (record.run.boot, record.case) not in done)
    ]


def collect(lines: Iterable[bytes], source: str = "records") -> Recording:
    """Parse everything; a stream that was cut off is noted, not raised."""
    records: list[Record] = []
    try:
        records.extend(parse(lines, source))
    except Truncated as error:
        return Recording(source, tuple(records), str(error))
    return Recording(source, tuple(records))


def load(path: Path) -> Recording:
    """Read a record file, compressed or not.

    Raises:
        SchemaError: the file cannot be read, is foreign, damaged or of another version.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror}") from error
    if data[:2] == b"\x1f\x8b":
        text, whole = _inflate(data, str(path))
        recording = collect(text.splitlines(keepends=True), str(path))
        if whole < len(data) and recording.truncated is None:
            return Recording(str(path), recording.records, f"{path} was cut off at byte {whole}")
        return recording
    return collect(data.splitlines(keepends=True), str(path))


def _inflate(data: bytes, source: str) -> tuple[bytes, int]:
    """Decompress gzip members; also how many bytes the *whole* ones take.

    Unlike `gzip.decompress` this keeps what a cut-off last member still holds.
    """
    text: list[bytes] = []
    whole = position = 0
    inflate = zlib.decompressobj(wbits=31)
    try:
        while position < len(data):
            chunk = data[position : position + _CHUNK]
            text.append(inflate.decompress(chunk))
            position += len(chunk) - len(inflate.unused_data)
            if inflate.eof:
                whole, inflate = position, zlib.decompressobj(wbits=31)
    except zlib.error as error:
        raise SchemaError(
            f"{source}: damaged after byte {whole} ({error}); cut the file there, or measure again"
        ) from error
    return b"".join(text), whole


class Writer:
    """Appends record lines to a compressed record file.

    The file is a sequence of whole gzip members, each appended by one write: at any moment it
    is readable up to the last flush, whoever dies.  A cut-off last member, left by a crash of
    the machine, is rewritten as a whole one when the file is opened again.

    Raises:
        DiskFull: the file cannot be written; it still holds what it held.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._pending: list[bytes] = []
        self._size = 0
        self._flushed = time.monotonic()
        try:
            self._file = open(path, "ab", buffering=0)  # noqa: SIM115 - closed by close()
        except OSError as error:
            raise DiskFull(f"cannot write {path}: {error.strerror}") from error
        if os.fstat(self._file.fileno()).st_size:  # 0 for a device, which has no end
            self._mend()

    def _mend(self) -> None:
        data = self.path.read_bytes()
        text, whole = _inflate(data, str(self.path))
        if whole == len(data):
            return
        kept, _ = _inflate(data[:whole], str(self.path))
        rest = text[len(kept) :]
        os.ftruncate(self._file.fileno(), whole)
        self._append(rest[: rest.rfind(b"\n") + 1])

    def write(self, line: bytes) -> None:
        """Add one line; it is on disk after `FLUSH_SECONDS`, `FLUSH_BYTES`, or `flush`."""
        self._pending.append(line)
        self._size += len(line)
        if self._size >= FLUSH_BYTES or time.monotonic() - self._flushed >= FLUSH_SECONDS:
            self.flush()

    def flush(self) -> None:
        """Put what was written so far on disk."""
        text, self._pending, self._size = b"".join(self._pending), [], 0
        self._flushed = time.monotonic()
        self._append(text)

    def _append(self, text: bytes) -> None:
        if not text:
            return
        member = gzip.compress(text, compresslevel=6, mtime=0)
        before = os.fstat(self._file.fileno()).st_size
        try:
            written = self._file.write(member)
            if written != len(member):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            with contextlib.suppress(OSError):  # a device, such as /dev/full, has no length
                os.ftruncate(self._file.fileno(), before)
            raise DiskFull(
                f"cannot write {self.path}: {error.strerror}; it holds what was finished before: "
                "make room, then `zapbench run --resume`"
            ) from error

    def close(self) -> None:
        """Flush and close; what cannot be flushed is an error, the file is closed all the same."""
        try:
            self.flush()
        finally:
            self._file.close()

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a record line; committed as ``schema/record-v1.json``."""
    schema = msgspec.json.schema(Record)
    for definition in schema["$defs"].values():  # Python 3.13 takes the indentation off itself
        definition["description"] = inspect.cleandoc(definition["description"])
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:zapbench:record:v{VERSION}",
        "title": f"zapbench record, version {VERSION}: one line of a record file",
    } | schema
