# SPDX-License-Identifier: GPL-2.0-only
"""Record files: read whatever is left of one, appended to without risk."""

import contextlib
import errno
import gzip
import os
import time
import zlib
from pathlib import Path

from zapbench.error import DiskFull, SchemaError
from zapbench.record.stream import Recording, collect

FLUSH_BYTES = 1 << 16  # of text: some 10 KiB compressed
FLUSH_SECONDS = 1.0
_CHUNK = 1 << 16


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
