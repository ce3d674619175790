# SPDX-License-Identifier: GPL-2.0-only
"""Record files: read whatever is left of one, appended to without risk."""

import contextlib
import errno
import gzip
import itertools
import os
import time
from collections.abc import Container
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.error import DiskFull, OtherVersion, SchemaError
from zapbench.host.file import drafts, locked, write_atomically
from zapbench.record.salvage import GZIP, Inflated, inflate, salvage
from zapbench.record.stream import Recording, collect, decode

FLUSH_BYTES = 1 << 16
FLUSH_SECONDS = 1.0
MEMBER_BYTES = 1 << 14


def load(path: Path) -> Recording:
    """Read a record file, compressed or not; where it is still plain (see `Writer`), that.

    Of a damaged file, what `zapbench.record.salvage` keeps; ``truncated`` says so.

    Raises:
        SchemaError: the file cannot be read, is foreign, of another version, or nothing in it
            can be kept.
    """
    try:
        return _best(path).content.recording
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror}") from error


@dataclass(frozen=True, slots=True)
class _Content:
    """The lines of a file and their records; not ``whole``: without those that are damaged.

    ``cut``: it ends in half a line or half a gzip member.
    """

    lines: list[bytes]
    recording: Recording
    whole: bool = True
    cut: bool = False

    @property
    def text(self) -> list[bytes]:
        """The lines without a half one at the end."""
        return [line for line in self.lines if line.endswith(b"\n")]


@dataclass(frozen=True, slots=True)
class _Found:
    """A file and what is in it; ``beside`` is the other one, if that holds something else."""

    path: Path
    data: bytes
    content: _Content
    beside: Path | None = None


def _best(path: Path) -> _Found:
    """The file that holds most: the plain one, but after a crash of the machine.

    Raises:
        OSError: there is none, or it cannot be read.
        SchemaError: nothing in them can be kept.
    """
    found: list[_Found] = []
    error: SchemaError | None = None
    there = [each for each in dict.fromkeys((plain(path), path)) if each.exists()] or [path]
    for each in there:
        data = each.read_bytes()
        try:
            found.append(_Found(each, data, _content(data, str(each))))
        except OtherVersion:
            raise
        except SchemaError as this:
            error = error or this
    if not found:
        assert error is not None
        raise error
    best = max(found, key=lambda each: len(each.content.text))
    kept = set(best.content.text)
    same = [each.path for each in found if kept.issuperset(each.content.text)]
    return replace(best, beside=next((each for each in there if each not in same), None))


def _content(data: bytes, source: str) -> _Content:
    found = inflate(data) if GZIP in data or data[:2] in (GZIP[:1], GZIP[:2]) else Inflated(data)
    lines = found.text.splitlines(keepends=True)
    cut = found.cut is not None or found.text[-1:] not in (b"\n", b"")
    try:
        if found.damaged is not None:
            raise SchemaError(
                f"{source} is damaged, and nothing in it can be kept: measure anew elsewhere"
            )
        recording = collect(lines, source)
    except SchemaError:
        kept, recording = salvage(lines, source)
        if not kept:
            raise
        return _Content(kept, recording, whole=False, cut=cut)
    if found.cut is not None and recording.truncated is None:
        recording = replace(recording, truncated=f"{source} was cut off: its end is missing")
    return _Content(lines, recording, cut=cut)


def is_there(path: Path) -> bool:
    """Whether there is something to `load`."""
    return plain(path).is_file() or path.is_file()


def plain(path: Path) -> Path:
    """Where the records of a ``.jsonl.gz`` are until it is made; any other file is its own."""
    return path.with_suffix("") if path.name.endswith(".jsonl.gz") else path


def only_writer(directory: Path) -> contextlib.AbstractContextManager[None]:
    """Keep others from writing into a result directory.

    Raises:
        EnvironmentMissing: another run does.
    """
    busy = f"another run writes into {directory}: wait for it, or choose another with -o"
    return locked(directory, patience=0, busy=busy)


class Writer:
    """Appends record lines to ``records.jsonl``; when closed, that becomes ``records.jsonl.gz``.

    The rule that nothing is lost or doubled by: *where there is a plain file, it holds all of
    the records*.  It is appended to by one write at a time, is removed only when the compressed
    one is on the disk, and to go on with a compressed one the plain one is first made from it,
    as a whole.  So the file is readable up to the last flush at any moment, whoever dies; half a
    line or half a gzip member at its end, left by a crash of the machine, is cut off when it is
    opened again.  A path that does not end in ``.jsonl.gz`` stays plain.

    ``went_on``: there was a file already.  If it was damaged, what `load` leaves out is taken
    out, and ``damaged`` is the file as it was; with ``keep_cut`` also if it was merely ``cut``.

    Raises:
        DiskFull: the file cannot be written; it still holds what it held.
        EnvironmentMissing: another run writes into the directory.
        SchemaError: see `load`.
    """

    def __init__(self, path: Path, *, keep_cut: bool = False) -> None:
        self.path = path
        self._plain = plain(path)
        self._pending: list[bytes] = []
        self._size = 0
        self._flushed = time.monotonic()
        self.went_on = False
        self.damaged: Path | None = None
        self.cut = False
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(only_writer(path.parent))
                self._begin(keep_cut=keep_cut)
                self._file = open(self._plain, "ab", buffering=0)  # noqa: SIM115 - see close()
            except OSError as error:
                raise DiskFull(f"cannot write {path}: {error.strerror}") from error
            self._held = stack.pop_all()

    def _begin(self, *, keep_cut: bool) -> None:
        """Make the plain file end with a whole line, and hold what `load` gives."""
        for left in itertools.chain(drafts(self.path), drafts(self._plain)):
            left.unlink()
        self.went_on = is_there(self.path)
        if not self.went_on:
            return
        found = _best(self.path)
        if found.beside is not None:
            self.damaged = _set_aside(found.beside)
        self.cut = found.content.cut
        if not found.content.whole or (self.cut and keep_cut):
            self.damaged = _set_aside(found.path)
        text = b"".join(found.content.text)
        if found.path != self._plain or text != found.data:
            write_atomically(self._plain, text, durable=True)

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

    def drop(self, boots: Container[int]) -> None:
        """Take out all that was recorded of some boots: at once, and on the disk.

        Raises:
            DiskFull: it cannot be written; all of it is left.
        """
        self.flush()
        lines = self._plain.read_bytes().splitlines(keepends=True)
        text = b"".join(line for line in lines if decode(line).run.boot not in boots)
        try:
            write_atomically(self._plain, text, durable=True)
            if self._plain != self.path:
                self.path.unlink(missing_ok=True)  # of before: it would be taken for what is whole
            file = open(self._plain, "ab", buffering=0)  # noqa: SIM115 - see close()
        except OSError as error:
            raise self._full(self._plain, "it holds what it held", error) from error
        self._file.close()
        self._file = file

    def _append(self, text: bytes) -> None:
        if not text:
            return
        before, written = os.fstat(self._file.fileno()).st_size, 0
        try:
            written = self._file.write(text)
            if written != len(text):
                raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        except OSError as error:
            whole = text.rfind(b"\n", 0, written) + 1
            with contextlib.suppress(OSError):  # a device, such as /dev/full, has no length
                os.ftruncate(self._file.fileno(), before + whole)
            raise self._full(self._plain, "it holds what was finished before", error) from error

    def close(self) -> None:
        """Flush, compress and close; what fails is an error, the file is closed all the same.

        Raises:
            DiskFull: the plain file is left, with all that could be written.
        """
        if self._file.closed:
            return
        with self._held:
            try:
                self.flush()
            finally:
                self._file.close()
                self._compress()

    def _compress(self) -> None:
        if self._plain == self.path:
            return
        try:
            write_atomically(self.path, _members(self._plain.read_bytes()), durable=True)
            self._plain.unlink()
        except OSError as error:
            kept = f"{self._plain.name} holds what was finished"
            raise self._full(self.path, kept, error) from error

    @staticmethod
    def _full(path: Path, kept: str, error: OSError) -> DiskFull:
        return DiskFull(f"cannot write {path}: {error.strerror}; {kept}: make room")

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _set_aside(path: Path) -> Path:
    """Give a file a second name, ``damaged-N-NAME``, under which it stays as it is."""
    for number in itertools.count(1):
        kept = path.with_name(f"damaged-{number}-{path.name}")
        with contextlib.suppress(FileExistsError):
            kept.hardlink_to(path)
            return kept
    raise AssertionError


def _members(text: bytes) -> bytes:
    """Lines as gzip members of about `MEMBER_BYTES` each: what is damaged in one ends with it."""
    members = []
    start = 0
    while start < len(text):
        end = text.find(b"\n", start + MEMBER_BYTES) + 1 or len(text)
        members.append(gzip.compress(text[start:end], compresslevel=6, mtime=0))
        start = end
    return b"".join(members) or gzip.compress(b"", mtime=0)
