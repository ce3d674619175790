# SPDX-License-Identifier: GPL-2.0-only
"""Record files: read whatever is left of one, appended to without risk."""

import contextlib
import errno
import gzip
import itertools
import os
import time
import zlib
from pathlib import Path

from zapbench.error import DiskFull, SchemaError
from zapbench.host.file import drafts, locked, write_atomically
from zapbench.record.stream import Recording, collect

FLUSH_BYTES = 1 << 16
FLUSH_SECONDS = 1.0
_CHUNK = 1 << 16


def load(path: Path) -> Recording:
    """Read a record file, compressed or not; where it is still plain (see `Writer`), that.

    Raises:
        SchemaError: the file cannot be read, is foreign, damaged or of another version.
    """
    try:
        path, data = _contents(path)
    except OSError as error:
        raise SchemaError(f"cannot read {path}: {error.strerror}") from error
    text, whole = _text(data, str(path))
    recording = collect(text.splitlines(keepends=True), str(path))
    if whole < len(data) and recording.truncated is None:
        return Recording(str(path), recording.records, f"{path} was cut off at byte {whole}")
    return recording


def is_there(path: Path) -> bool:
    """Whether there is something to `load`."""
    return plain(path).is_file() or path.is_file()


def plain(path: Path) -> Path:
    """Where the records of a ``.jsonl.gz`` are until it is made; any other file is its own."""
    return path.with_suffix("") if path.name.endswith(".jsonl.gz") else path


def _contents(path: Path) -> tuple[Path, bytes]:
    """What all records are in, and the bytes of it.

    The plain file is looked for first: it goes away only when the other is complete.
    """
    with contextlib.suppress(FileNotFoundError):
        return plain(path), plain(path).read_bytes()
    return path, path.read_bytes()


def _text(data: bytes, source: str) -> tuple[bytes, int]:
    """The lines in a file, and how many of its bytes are good ones."""
    return _inflate(data, source) if data[:2] == b"\x1f\x8b" else (data, len(data))


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
    """Appends record lines to ``records.jsonl``; when closed, that becomes ``records.jsonl.gz``.

    The rule that nothing is lost or doubled by: *where there is a plain file, it holds all of
    the records*.  It is appended to by one write at a time, is removed only when the compressed
    one is on the disk, and to go on with a compressed one the plain one is first made from it,
    as a whole.  So the file is readable up to the last flush at any moment, whoever dies; half a
    line or half a gzip member at its end, left by a crash of the machine, is cut off when it is
    opened again.  A path that does not end in ``.jsonl.gz`` stays plain.

    Raises:
        DiskFull: the file cannot be written; it still holds what it held.
        EnvironmentMissing: another run writes into the directory.
        SchemaError: what is there is damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._plain = plain(path)
        self._pending: list[bytes] = []
        self._size = 0
        self._flushed = time.monotonic()
        busy = f"another run writes into {path.parent}: wait for it, or choose another with -o"
        with contextlib.ExitStack() as stack:
            try:
                stack.enter_context(locked(path.parent, patience=0, busy=busy))
                self._begin()
                self._file = open(self._plain, "ab", buffering=0)  # noqa: SIM115 - see close()
            except OSError as error:
                raise DiskFull(f"cannot write {path}: {error.strerror}") from error
            self._held = stack.pop_all()

    def _begin(self) -> None:
        """Make the plain file end with a whole line."""
        for left in itertools.chain(drafts(self.path), drafts(self._plain)):
            left.unlink()
        if self._plain.is_file():
            end = self._plain.read_bytes().rfind(b"\n") + 1
            os.truncate(self._plain, end)
        elif self.path.is_file():
            text, _ = _text(self.path.read_bytes(), str(self.path))
            write_atomically(self._plain, text[: text.rfind(b"\n") + 1], durable=True)

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
            member = gzip.compress(self._plain.read_bytes(), compresslevel=6, mtime=0)
            write_atomically(self.path, member, durable=True)
            self._plain.unlink()
        except OSError as error:
            kept = f"{self._plain.name} holds what was finished"
            raise self._full(self.path, kept, error) from error

    @staticmethod
    def _full(path: Path, kept: str, error: OSError) -> DiskFull:
        fix = "make room, then `zapbench run --resume`"
        return DiskFull(f"cannot write {path}: {error.strerror}; {kept}: {fix}")

    def __enter__(self) -> "Writer":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()
