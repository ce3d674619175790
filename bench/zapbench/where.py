# SPDX-License-Identifier: GPL-2.0-only
"""Where cases run: the target that a user chooses, and the settings that it needs."""

import contextlib
import os
from collections.abc import Iterable, Iterator

from zapbench.case import Case, backings, hugetlb_need, mthp_need
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import settings
from zapbench.host.root import as_root
from zapbench.observer import Observer
from zapbench.target import Native, Target
from zapbench.uffd import probe_userfaultfd

NATIVE, VM = "native", "vm"
KINDS = (NATIVE, VM)
AUTO = "auto"
ACCELERATORS = (AUTO, "kvm", "tcg", "icount")


def choose(kind: str | None, kernel: str | None, accel: str | None, observer: Observer) -> Target:
    """The target of a kind; without one, a virtual machine if something else says so.

    ``accel`` is one of `ACCELERATORS`; None: what suits the machine best.

    Raises:
        UsageError: these contradict one another.
        EnvironmentMissing: this machine lacks something for it.
    """
    accel = accel or AUTO
    if kind is None:
        kind = NATIVE if kernel is None and accel == AUTO else VM
    if kind == NATIVE:
        if kernel is not None or accel != AUTO:
            raise UsageError("--kernel and --accel choose a virtual machine: use --target vm")
        return Native()
    if kernel is None:
        raise UsageError("--target vm needs --kernel; `zapbench kernel list` names them")
    return machine(kernel, accel, observer)


def check_kernel(kernel: str) -> None:
    """Look at what is to be booted, without building anything.

    Raises:
        UsageError: no such kernel, a malformed name, or no kernel image.
    """
    from zapbench.vm import image_of, named

    if named(kernel) is None:
        image_of(kernel)


def machine(kernel: str, accel: str, observer: Observer) -> Target:
    """A virtual machine that boots a kernel, which is built first if need be.

    Raises:
        UsageError, EnvironmentMissing, BuildFailed: see `zapbench.vm.image_of`.
    """
    from zapbench.vm import VmTarget

    with observer.stages() as progress:
        return VmTarget(kernel, accel, progress=progress)


@contextlib.contextmanager
def prepared(target: Target, cases: Iterable[Case], observer: Observer) -> Iterator[None]:
    """Hold the system settings that the cases need; a virtual machine makes its own.

    Raises:
        EnvironmentMissing: userfaultfd is refused, or see `zapbench.host.settings.applied`.
    """
    if target.tier != NATIVE:
        yield
        return
    wanted = list(cases)
    if any(backings()[case.backing].uffd_minor for case in wanted):
        require_userfaultfd()
    needs = settings.Needs(hugetlb=hugetlb_need(wanted), mthp=mthp_need(wanted))
    with settings.applied(needs, on_wait=observer.note) as outcome:
        for change in outcome.recovered:
            observer.note(f"put back {change.setting}, left by a run that was killed: {change.old}")
        for lack in outcome.missing:
            observer.note(f"{lack.what}: {lack.reason}")
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
            f"`{as_root('sysctl vm.unprivileged_userfaultfd=1')}`; file/ and anon/ cases do without"
        )
