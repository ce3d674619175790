# SPDX-License-Identifier: GPL-2.0-only
"""What a campaign is to do, and where: written down, nothing measured yet."""

from dataclasses import dataclass
from pathlib import Path

from zapbench.boot import available
from zapbench.campaign import boots
from zapbench.campaign.journal import BASE, HEAD, JOURNAL, Journal, save
from zapbench.case import choose
from zapbench.error import UsageError
from zapbench.host.loader import installed
from zapbench.host.machine import Machine
from zapbench.observer import Observer
from zapbench.result.request import MOST_BOOTS, SEED, Asked, again, settled
from zapbench.result.store import RESULTS, claimed, latest_directory

NUMBERED = ("campaign", "ab")
BOOTS, PROCESSES = 6, 3


@dataclass(frozen=True, slots=True)
class Asking:
    """What a user asks for; None: to be chosen.

    ``base`` and ``head`` are releases or images, with ``vm`` names of kernels; ``accel`` is for
    ``vm``, ``next_boot`` a command for reboots.
    """

    base: str
    head: str
    globs: tuple[str, ...] = ()
    quick: bool = False
    boots: int = BOOTS
    processes: int | None = None
    seed: int = SEED
    vm: bool = False
    accel: str | None = None
    next_boot: str | None = None


def begin(asking: Asking, directory: Path | None, observer: Observer) -> tuple[Path, Journal]:
    """Write the journal of a campaign into a new directory; nothing is measured.

    Raises:
        UsageError: the request is wrong, or the directory has something in it.
        DiskFull: the journal cannot be written.
    """
    _check(asking)
    made = boots.boots(
        vm=asking.vm, accel=asking.accel, next_boot=asking.next_boot, observer=observer
    )
    base, head = made.known(asking.base), made.known(asking.head)
    available(choose(asking.globs, quick=asking.quick))
    processes = asking.processes or (1 if asking.vm else PROCESSES)
    if (several := asking.boots * processes) > MOST_BOOTS:
        raise UsageError(f"{several} processes of each kernel are more than {MOST_BOOTS}")
    if directory is not None and (directory / JOURNAL).exists():
        raise UsageError(
            f"{directory} holds a campaign: go on in it with: {again('campaign', directory / BASE)}"
        )
    asked = Asked(
        globs=asking.globs,
        target="vm" if asking.vm else "native",
        accel=asking.accel,
        boots=several,
        seed=asking.seed,
        quick=asking.quick,
    )
    journal = Journal(
        machine=boots.identity(),
        vm=asking.vm,
        base=base,
        head=head,
        boots=asking.boots,
        processes=processes,
        next_boot=asking.next_boot,
        asked=settled(asked),
    )
    directory = claimed(directory, *NUMBERED, resumable=False).absolute()
    save(directory, journal)
    if not asking.vm:
        _note_absent(journal, observer)
    return directory, journal


def _check(asking: Asking) -> None:
    """See that what is asked fits together."""
    if asking.accel is not None and not asking.vm:
        raise UsageError("--accel is for virtual machines: use it with --vm")
    if asking.vm and asking.next_boot is not None:
        raise UsageError("--next-boot is for reboots: leave it out, or --vm")
    if asking.vm and asking.processes not in (None, 1):
        raise UsageError("a virtual machine runs one process a boot: leave --processes out")
    if asking.next_boot is not None and boots.RELEASE not in asking.next_boot:
        raise UsageError(
            f"--next-boot has no {boots.RELEASE} in it, in whose place it is told which kernel"
        )


def _note_absent(journal: Journal, observer: Observer) -> None:
    host = Machine()
    for side in (BASE, HEAD):
        kernel = journal.kernel(side)
        if kernel != boots.Reboots(None).running(kernel) and not installed(host, kernel):
            observer.note(
                f"{kernel} does not run and is not in /boot or /lib/modules: see that it "
                "is installed under that name, or begin anew with --vm"
            )


def latest() -> Path:
    """The directory of the campaign that was begun last, where the user names none.

    Raises:
        UsageError: there is none.
    """
    try:
        return latest_directory(RESULTS, *NUMBERED)
    except UsageError:
        raise UsageError(
            f"{RESULTS} holds no campaign here: name its directory with -o, or begin one with "
            "`zapbench campaign start A B`"
        ) from None
