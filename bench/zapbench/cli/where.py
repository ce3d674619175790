# SPDX-License-Identifier: GPL-2.0-only
"""The options that say where cases run, and the target that they choose."""

import contextlib
import os
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

import click

from zapbench.case import Case, backings, hugetlb_need, mthp_need
from zapbench.cli.output import note
from zapbench.cli.progress import stages
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import settings
from zapbench.target import Native, Target
from zapbench.uffd import probe_userfaultfd

F = TypeVar("F", bound=Callable[..., object])
ACCELERATORS = ("auto", "kvm", "tcg", "icount")


@dataclass(frozen=True, slots=True)
class Place:
    """A target, and the name of the kernel that runs there."""

    target: Target
    kernel: str
    native: bool


def place_options(command: F) -> F:
    """Add --target, --kernel and --accel to a command."""
    options = (
        click.option(
            "--target",
            type=click.Choice(["native", "vm"]),
            help="The running kernel, or a virtual machine.  [default: vm if --kernel is given]",
        ),
        click.option("--kernel", metavar="NAME|IMAGE", help="Kernel that the machine boots."),
        click.option(
            "--accel",
            type=click.Choice(ACCELERATORS),
            default="auto",
            show_default=True,
            help="How the machine runs; icount counts instructions.",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command


def place(target: str | None, kernel: str | None, accel: str) -> Place:
    """The place that the options choose.

    Raises:
        UsageError: they contradict one another.
        EnvironmentMissing: it cannot be had on this machine.
    """
    if target is None:
        target = "native" if kernel is None and accel == "auto" else "vm"
    if target == "native":
        if kernel is not None or accel != "auto":
            raise UsageError("--kernel and --accel choose a virtual machine: use --target vm")
        running = Native()
        return Place(running, running.kernel, native=True)
    if kernel is None:
        raise UsageError("--target vm needs --kernel; `zapbench kernel list` names them")
    from zapbench.vm import VmTarget

    with stages() as progress:
        machine = VmTarget(kernel, accel, progress=progress)
    return Place(machine, machine.kernel, native=False)


@contextlib.contextmanager
def prepared(where: Place, cases: Iterable[Case]) -> Iterator[None]:
    """Hold the system settings that the cases need; a virtual machine makes its own.

    Raises:
        EnvironmentMissing: userfaultfd is refused, or see `zapbench.host.settings.applied`.
    """
    if not where.native:
        yield
        return
    wanted = list(cases)
    if any(backings()[case.backing].uffd_minor for case in wanted):
        require_userfaultfd()
    needs = settings.Needs(hugetlb=hugetlb_need(wanted), mthp=mthp_need(wanted))
    with settings.applied(needs, on_wait=note) as outcome:
        for change in outcome.recovered:
            note(f"put back {change.setting}, left by a run that was killed: {change.old}")
        for lack in outcome.missing:
            note(f"{lack.what}: {lack.reason}")
        yield


def require_userfaultfd() -> None:
    """Try to get a userfaultfd.

    Raises:
        EnvironmentMissing: this user cannot have one.
    """
    got = probe_userfaultfd()
    if not got.route:
        raise EnvironmentMissing(
            f"userfaultfd is refused ({os.strerror(got.error)}): run as root, or "
            "`sudo sysctl vm.unprivileged_userfaultfd=1`; file/ and anon/ cases do without"
        )
