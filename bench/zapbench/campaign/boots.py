# SPDX-License-Identifier: GPL-2.0-only
"""Where the boots of a campaign come from: reboots of this machine, or virtual machines.

A campaign asks what runs, measures it, and says what to boot next; only this module knows which
of the two it is.
"""

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Protocol

from zapbench.campaign.journal import Journal
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import loader
from zapbench.host.journal import boot_id
from zapbench.host.machine import Machine
from zapbench.observer import Observer
from zapbench.result.request import again
from zapbench.target import Native, Target, now
from zapbench.where import check_kernel, machine

RELEASE = "{release}"
"""What a user's command has in the place of a kernel."""
IN_PLACE = "a VM boot in the place of a reboot"


class Boots(Protocol):
    """What boots the kernels of a campaign."""

    def known(self, kernel: str) -> str:
        """The name by which the journal knows a kernel that a user names.

        Raises:
            UsageError: that is no kernel.
        """
        ...

    def boot_id(self) -> str:
        """Which boot this is."""
        ...

    def running(self, due: str) -> str:
        """The kernel that runs now, where ``due`` is the one that ought to."""
        ...

    def target(self, kernel: str) -> Target:
        """Where its cases run.

        Raises:
            ZapbenchError: it is not available.
        """
        ...

    def step(self, kernel: str, *, again: bool) -> str:
        """What to do before the turn of a kernel, as part of a sentence; empty: nothing.

        ``again``: the boot that runs had its turn, and a new one is wanted.
        """
        ...


class Reboots:
    """This machine, which somebody boots."""

    def __init__(self, next_boot: str | None, host: Machine | None = None) -> None:
        self._next_boot = next_boot
        self._host = host or Machine()

    def known(self, kernel: str) -> str:
        """See `Boots.known`; of an image, the release that is in it."""
        release = loader.release_in(Path(kernel)) if "/" in kernel else kernel
        if not loader.RELEASE.fullmatch(release):
            raise UsageError(
                f"{release!r} is no release of a kernel as `uname -r` prints it; name one, or the "
                "path of its image; --vm takes names of `zapbench kernel list`"
            )
        return release

    def boot_id(self) -> str:
        """See `Boots.boot_id`."""
        return boot_id()

    def running(self, due: str) -> str:  # noqa: ARG002 - it runs whatever is due
        """See `Boots.running`."""
        return os.uname().release

    def target(self, kernel: str) -> Target:
        """See `Boots.target`."""
        target = Native()
        assert target.kernel == kernel
        return target

    def step(self, kernel: str, *, again: bool) -> str:
        """See `Boots.step`."""
        if self.running(kernel) == kernel and not again:
            return ""
        if self._next_boot is not None:
            return f"`{command(self._next_boot, kernel)}` chooses it"
        return loader.how(self._host, kernel)


class VmBoots:
    """Virtual machines: each turn boots the kernel that is due, in the place of a reboot."""

    def __init__(self, accel: str | None, observer: Observer) -> None:
        self._accel = accel or "auto"
        self._observer = observer
        self._boot_id = f"vm-{now()}"

    def known(self, kernel: str) -> str:
        """See `Boots.known`; it is not built yet."""
        check_kernel(kernel)
        return kernel

    def boot_id(self) -> str:
        """See `Boots.boot_id`; no two turns share one, as no machine outlives its turn."""
        return self._boot_id

    def running(self, due: str) -> str:
        """See `Boots.running`: whatever is due."""
        return due

    def target(self, kernel: str) -> Target:
        """See `Boots.target`."""
        return machine(kernel, self._accel, self._observer)

    def step(self, kernel: str, *, again: bool) -> str:  # noqa: ARG002 - the turn boots it
        """See `Boots.step`."""
        return ""


def boots(*, vm: bool, accel: str | None, next_boot: str | None, observer: Observer) -> Boots:
    """What a user chose."""
    return VmBoots(accel, observer) if vm else Reboots(next_boot)


def of(journal: Journal, observer: Observer) -> Boots:
    """What boots the kernels of a campaign that was begun."""
    accel, next_boot = journal.asked.accel, journal.next_boot
    return boots(vm=journal.vm, accel=accel, next_boot=next_boot, observer=observer)


def step(journal: Journal, observer: Observer) -> str:
    """What to do before the next turn of a campaign, see `Boots.step`; empty: nothing."""
    if journal.due is None:
        return ""
    place = of(journal, observer)
    again = any(each.boot_id == place.boot_id() for each in journal.done)
    return place.step(journal.kernel(journal.due[0]), again=again)


def what_next(directory: Path, journal: Journal, observer: Observer) -> str:
    """What is due in a campaign and how to go on with it; empty if all of it was measured.

    ``directory`` is the campaign's, absolute.
    """
    if journal.due is None:
        return ""
    first = step(journal, observer)
    due = f"{journal.named(*journal.due)}, is due" + (f" ({IN_PLACE})" if journal.vm else "")
    turn = again("campaign", directory / journal.due[0])
    return f"{due}: {first}, then run: {turn}" if first else f"{due}; run: {turn}"


def command(template: str, kernel: str) -> str:
    """A user's command with a release in it, which has nothing in it that a shell would read."""
    return template.replace(RELEASE, kernel)


def choose(journal: Journal, observer: Observer) -> None:
    """Run the user's command that chooses the next boot, if one was given and another is wanted.

    Nothing but this starts anything that may reboot the machine.

    Raises:
        EnvironmentMissing: it failed.
    """
    if journal.next_boot is None or journal.due is None or not step(journal, observer):
        return
    words = command(journal.next_boot, journal.kernel(journal.due[0]))
    done = subprocess.run(["/bin/sh", "-c", words], check=False, stdin=subprocess.DEVNULL, stdout=2)
    if done.returncode:
        raise EnvironmentMissing(
            f"the command that chooses the next boot ended with status {done.returncode}: `{words}`"
            "; nothing that was measured is lost: see why, and run it by hand"
        )


def identity(host: Machine | None = None) -> str:
    """This machine, among others: a digest, as machine-id(5) asks for, of what is only its own."""
    own = (host or Machine()).read("etc/machine-id") or os.uname().nodename
    return hashlib.sha256(f"zapbench campaign of {own}".encode()).hexdigest()[:16]
