# SPDX-License-Identifier: GPL-2.0-only
"""What can be read of a record file that was damaged, overwritten, or mixed of two runs.

Only what can be vouched for is kept: of gzip members those whose check sum is right (and the
last, if it merely ends too early), of lines those that are records of a stream whose context is
known.  All else is left out.
"""

import zlib
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from zapbench.error import OtherVersion, SchemaError
from zapbench.record.kinds import Context, End, Record, Run
from zapbench.record.stream import Recording, counted, decode, pair

GZIP = b"\x1f\x8b\x08"
_CHUNK = 1 << 16


@dataclass(frozen=True, slots=True)
class Inflated:
    """The text of gzip members; ``cut`` is where the last one begins if it ends too early.

    ``damaged`` is the first byte, if any, that belongs to no member.
    """

    text: bytes
    cut: int | None = None
    damaged: int | None = None


def inflate(data: bytes) -> Inflated:
    """Decompress all members of a gzip file that are whole, and what a cut-off last one holds."""
    text: list[bytes] = []
    damaged: int | None = None
    position = 0
    while position < len(data):
        content, end = _member(data, position)
        if content is None or end is None:
            following = _whole_one(data, position + 1)
            if content is not None and following is None:
                return Inflated(b"".join([*text, content]), position, damaged)
            damaged = position if damaged is None else damaged
            position = len(data) if following is None else following
        else:
            text.append(content)
            position = end
    return Inflated(b"".join(text), None, damaged)


def _whole_one(data: bytes, start: int) -> int | None:
    """Where the next member begins that is whole; None if there is none."""
    found = data.find(GZIP, start)
    while found >= 0 and _member(data, found)[1] is None:
        found = data.find(GZIP, found + 1)
    return None if found < 0 else found


def _member(data: bytes, start: int) -> tuple[bytes | None, int | None]:
    """The content of the member at ``start`` and its end; None for each if there is none.

    A cut-off member has no end, but unlike for `gzip.decompress` the content that it still holds.
    """
    content: list[bytes] = []
    inflating = zlib.decompressobj(wbits=31)
    for position in range(start, len(data), _CHUNK):
        chunk = data[position : position + _CHUNK]
        try:
            content.append(inflating.decompress(chunk))
        except zlib.error:
            return None, None
        if inflating.eof:
            return b"".join(content), position + len(chunk) - len(inflating.unused_data)
    return b"".join(content), None


@dataclass(slots=True)
class _Stream:
    context: Context
    over: "_Stream | None"
    """The stream of the same boot that had no end when this one began."""
    lines: list[tuple[bytes, Record]]
    ended: bool = False
    more: bool = False
    """Records of its boot came after its end."""

    @property
    def doubtful(self) -> bool:
        """Whether its records may be those of another kernel, whose stream it was mixed with."""
        if self.over is None or (self.ended and not self.more):
            return False
        return self.over.context.build_id != self.context.build_id

    def counts(self, end: End) -> bool:
        """Whether an end counts what came."""
        came = Counter[type](type(record) for _, record in self.lines)
        return all(came[kind] == count for kind, count in counted(end).items())


def salvage(lines: Sequence[bytes], source: str) -> tuple[list[bytes], Recording]:
    """The lines to keep of a file that `zapbench.record.stream.parse` refuses, and their records.

    Streams may be mixed: a record belongs to the last stream of its boot that began.  An ``end``
    that counts other records than came is left out, so that its stream is one that was cut off.
    Of what two streams measured in the same boot, that of the one with an end is kept, else the
    first.

    Raises:
        OtherVersion: there is a record of another version.
    """
    streams = [stream for stream in _streams(lines, source) if not stream.doubtful]
    done = {pair(record) for each in streams if each.ended for _, record in each.lines}
    kept: list[tuple[bytes, Record]] = []
    for stream in streams:
        for line, record in stream.lines:
            measured = pair(record)
            if stream.ended or measured is None or measured not in done:
                kept.append((line, record))
                done.add(measured)
    remark = f"{source} is damaged, and what is damaged was left out"
    recording = Recording(source, tuple(record for _, record in kept), remark, damaged=True)
    return [line for line, _ in kept], recording


def _streams(lines: Iterable[bytes], source: str) -> list[_Stream]:
    begun: list[_Stream] = []
    last: dict[Run, _Stream] = {}
    for number, line in enumerate(lines, 1):
        try:
            record = decode(line, source, number)
        except OtherVersion:
            raise
        except SchemaError:
            continue
        stream = last.get(record.run)
        if isinstance(record, Context):
            over = None if stream is None or stream.ended else stream
            stream = last[record.run] = _Stream(record, over, [])
            begun.append(stream)
        if stream is None or (isinstance(record, End) and not stream.counts(record)):
            continue
        if stream.ended:
            stream.more = True
            continue
        stream.lines.append((line, record))
        stream.ended = isinstance(record, End)
    return begun
