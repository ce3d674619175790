# SPDX-License-Identifier: GPL-2.0-only
"""The journal of a campaign: what is asked, what was measured, and in which boot.

It is written as a whole, and on the disk before what it says is acted upon.  The records, next to
it, are the truth; it says which of them belong to a boot that was measured to its end.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Literal

import msgspec

from zapbench.error import DiskFull, UsageError
from zapbench.host.file import drafts, write_atomically
from zapbench.measure import interleave
from zapbench.result.request import MOST_BOOTS, Asked

JOURNAL = "campaign.json"
Side = Literal["base", "head"]
BASE: Side = "base"
HEAD: Side = "head"
SIDES = (BASE, HEAD)
Number = Annotated[int, msgspec.Meta(ge=0, le=MOST_BOOTS)]
Several = Annotated[int, msgspec.Meta(ge=1, le=MOST_BOOTS)]


class Boot(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One boot of the machine in a campaign: the ``number``-th of a side, from 0.

    ``boot_id`` is the kernel's own, or where a virtual machine takes the place of the machine, one
    made for its boot; ``began`` is when its measurement did (UTC).
    """

    side: Side
    number: Number
    boot_id: str
    began: str


class Seen(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What the first boot was measured on, which the others have to be like.

    ``host`` and ``context`` are fingerprints, of the machine and of the first record.
    """

    host: dict[str, str]
    context: dict[str, str]


class Journal(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A campaign: ``boots`` of the machine with each kernel, ``processes`` in each of these.

    ``machine`` is whose campaign it is; ``vm``: virtual machines boot in its place; ``next_boot``
    is the user's command that chooses the next kernel.  ``asked.globs``, ``quick``, ``seed`` and
    ``place`` are as of `zapbench run`, ``asked.boots`` are the processes of one kernel over the
    whole campaign.

    ``done`` are the boots that were measured, in order; ``begun`` is the one that was begun after
    them, ``lost`` how often it was begun in vain.  ``builds`` are the build ids of the kernels.
    """

    v: Literal[1] = 1
    machine: str
    vm: bool
    base: str
    head: str
    boots: Several
    processes: Several
    next_boot: str | None
    asked: Asked
    done: tuple[Boot, ...] = ()
    begun: Boot | None = None
    lost: Annotated[int, msgspec.Meta(ge=0)] = 0
    seen: Seen | None = None
    builds: Mapping[str, str] = {}

    @property
    def plan(self) -> list[tuple[Side, int]]:
        """All boots in their order, A B B A A B …: the side of each, and its number there."""
        return [(side, number) for number, side in interleave(SIDES, range(self.boots))]

    @property
    def due(self) -> tuple[Side, int] | None:
        """The next boot; None: all were measured."""
        left = self.plan[len(self.done) :]
        return left[0] if left else None

    def kernel(self, side: Side) -> str:
        """The kernel of a side, natively as uname(1) prints its release."""
        return self.base if side == BASE else self.head

    def numbers(self, number: int) -> range:
        """What the records of a boot have as ``run.boot``: a number for each process.

        Process p of boot k is k * ``processes`` + p: no two of a side are alike, and the same
        ones of both sides have the same order of cases.
        """
        return range(number * self.processes, (number + 1) * self.processes)

    def named(self, side: Side, number: int) -> str:
        """A boot in words; boots are counted from 1 for people."""
        return f"boot {number + 1} of {self.boots} of {side}, {self.kernel(side)}"


def save(directory: Path, journal: Journal) -> None:
    """Write it, as a whole and on the disk.

    Raises:
        DiskFull: it cannot be written; it says what it said.
    """
    path = directory / JOURNAL
    try:
        for left in drafts(path):
            left.unlink()
        text = msgspec.json.format(msgspec.json.encode(journal), indent=1)
        write_atomically(path, text + b"\n", durable=True)
    except OSError as error:
        raise DiskFull(
            f"cannot write {path}: {error.strerror}; what was measured is kept: make room, then "
            "do the same again"
        ) from error


def load(directory: Path) -> Journal:
    """Read it.

    Raises:
        UsageError: there is no campaign in that directory, or what is there cannot be read.
    """
    path = directory / JOURNAL
    try:
        journal = _read(path)
    except FileNotFoundError:
        raise UsageError(
            f"{directory} is no campaign: `zapbench campaign start A B -o DIR` begins one"
        ) from None
    except (OSError, msgspec.DecodeError, UnicodeDecodeError) as error:
        why = error.strerror if isinstance(error, OSError) else error
        raise UsageError(
            f"cannot read {path}, the journal of a campaign ({why}): restore it, or start anew "
            "elsewhere"
        ) from error
    made = [(each.side, each.number) for each in journal.done]
    if made != journal.plan[: len(made)]:
        raise UsageError(
            f"{path} was changed: its boots are not in the order of its plan; restore it, or "
            "start anew elsewhere"
        )
    return journal


class _Head(msgspec.Struct, frozen=True):
    v: int


def _read(path: Path) -> Journal:
    text = path.read_bytes()
    if (v := msgspec.json.decode(text, type=_Head).v) != 1:
        raise UsageError(
            f"{path} is of version {v}, this zapbench reads 1; use the zapbench that wrote it"
        )
    return msgspec.json.decode(text, type=Journal)
