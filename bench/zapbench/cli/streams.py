# SPDX-License-Identifier: GPL-2.0-only
"""Standard output and standard error, such that printing never fails.

Nothing is lost because of what cannot be printed: a character that a stream cannot encode is
replaced, and what cannot be written is remembered until the command has ended.
"""

import io
import os
import select
import sys
from typing import Any, TextIO


class Stream(io.FileIO):
    """A standard stream to which writing never fails; `failure` is the first reason it did."""

    failure: OSError | None = None

    def write(self, data: Any, /) -> int:
        """Write, or act as if."""
        try:
            while (written := super().write(data)) is None:  # others made the pipe non-blocking
                select.select((), (self,), ())
        except OSError as error:
            self.failure = self.failure or error
            return memoryview(data).nbytes
        return written

    def as_text(self, like: TextIO | None) -> io.TextIOWrapper:
        """This stream for text, in the encoding of another, each line written when it ends."""
        encoding = like.encoding if like is not None else "utf-8"
        return io.TextIOWrapper(
            io.BufferedWriter(self), encoding, errors="replace", line_buffering=True
        )


def take_streams() -> Stream:
    """Let printing never fail in this process; returns standard output, which may have failed."""
    _open_standard()
    out, err = Stream(1, "w", closefd=False), Stream(2, "w", closefd=False)
    if sys.stdout is sys.__stdout__:  # a test may have put others in their places
        sys.stdout = out.as_text(sys.stdout)
    if sys.stderr is sys.__stderr__:
        sys.stderr = err.as_text(sys.stderr)
    return out


def _open_standard() -> None:
    """Open the standard descriptors that the caller closed.

    Otherwise files that are opened next, such as the records, get them, and what programs started
    here complain about goes into these.  Standard output is such that to write to it fails.
    """
    for number, flags in enumerate((os.O_RDONLY, os.O_RDONLY, os.O_WRONLY)):
        try:
            os.fstat(number)
        except OSError:
            os.set_inheritable(os.open(os.devnull, flags), True)  # the lowest free: this one
