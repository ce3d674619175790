# SPDX-License-Identifier: GPL-2.0-only
"""The errors that a user can cause or meet.

Each ends as one line on standard error and an exit code; the command line catches them in
one place.  Anything else that escapes is a bug in zapbench.
"""

from enum import Enum, auto


class ZapbenchError(Exception):
    """Base of all of them.  The message is one line and says what to do about it."""

    exit_code = 2


class UsageError(ZapbenchError):
    """The request itself is wrong: an unknown case, kernel, option or file."""


class EnvironmentMissing(ZapbenchError):
    """This machine lacks something the request needs; the message says how to get it."""


class SchemaError(ZapbenchError):
    """A record file is not one, is of another version, or is damaged."""


class OtherVersion(SchemaError):
    """A record is of another version of the format than this zapbench reads."""


class Truncated(ZapbenchError):
    """A record stream ended before its ``end`` record: the writer was cut off."""

    exit_code = 1


class Unexplained(ZapbenchError):
    """What was counted by function is not what was recorded: no figure is explained wrongly."""

    exit_code = 1


class DiskFull(ZapbenchError):
    """A result file cannot be written; what it held before is still there."""


class Cause(Enum):
    """What ended a process or machine that measured."""

    CRASH = auto()
    """What ran in it: it died, or its kernel did."""
    SILENCE = auto()
    """It was waited for in vain: it hangs, or the machine below it is too slow."""
    HOST = auto()
    """Anything else: somebody killed it, or memory or a disk was full."""


class Lost(ZapbenchError):
    """What measures ended before it had done all; the message says how.

    ``boot`` and ``case`` are what it ran, ``leg`` is which of several kernels that was, once that
    is known.
    """

    exit_code = 1

    def __init__(self, why: str, cause: Cause = Cause.HOST) -> None:
        super().__init__(why)
        self.why = why
        self.cause = cause
        self.leg: int | None = None
        self.boot: int | None = None
        self.case: str | None = None

    def __str__(self) -> str:
        """How it ended, and in what."""
        where = [] if self.boot is None else [f"boot {self.boot}"]
        where += [] if self.case is None else [f"case {self.case}"]
        return f"{self.why} ({', '.join(where)})" if where else self.why


class LostProcess(Lost):
    """The process that measures died or hung; what it had finished is kept."""


class Interrupted(Lost):
    """SIGINT or SIGTERM: what was finished is saved."""

    exit_code = 130


class BuildFailed(ZapbenchError):
    """A kernel did not configure, patch or compile; the message holds the first error."""

    exit_code = 1


class BrokenSource(BuildFailed):
    """The source itself was refused: by its configuration, a compiler or a linker.

    It will be refused again, so that a build remembers it.
    """


class LostVm(Lost):
    """A virtual machine ended without saying so; the message holds the console's tail."""


class Unsupported(ZapbenchError):
    """The kernel, or the suite, has no such case: there is no figure, and nothing failed."""


class CaseFailed(ZapbenchError):
    """A case gave an error instead of a figure: its contract failed, or a call did."""

    exit_code = 1
