# SPDX-License-Identifier: GPL-2.0-only
"""Kernels with tracepoints, booted: how each method locks, and a MADV_ZAP that breaks its promise.

The configuration is kernel/config/trace.config.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace

import pytest
from places import TESTS

from zapbench.boot import contracts
from zapbench.case import contract_grid, select
from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, catalogue
from zapbench.kernel.build import Image
from zapbench.kernel.catalogue import Kernel
from zapbench.record import Contract
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.kernels, pytest.mark.timeout(3600)]
Require = Callable[[object, str], None]

SERIES = "6.12+madv-zap"
PROMISE = "no-write-lock"
COUNTED = ("mmap_write", "mmap_read", "tlb_ipis")
TAKEN = {
    "madv_zap": (0, 1, 1),
    "dontneed": (0, 1, 1),
    "punch_hole": (0, 0, 1),
    "madv_remove": (0, 2, 1),  # again, when the file's lock is released
    "remap": (3, 0, 1),
    "overmap": (2, 0, 1),
    "dontunmap": (2, 0, 2),  # for the move, and for the copy
    "mprotect": (1, 0, 1),
    "uffd_wp": (0, 1, 0),  # what was only read is not writable
    "poison": (0, 1, 1),  # UFFDIO_POISON has the VMA's own lock
}
"""What one call counts on 6.12, two CPUs busy in its address space: see `COUNTED`."""
NEWER = {
    "7.3+madv-zap": {
        "madv_zap": (0, 0, 1),
        "dontneed": (0, 1, 1),
        "guard_toggle": (0, 0, 1),
        "rwp": (0, 1, 1),
    },
    "7.3+dontneed-vma-lock": {"madv_zap": (0, 0, 1), "dontneed": (0, 0, 1)},
}
"""On 7.3, where MADV_ZAP has the VMA's own lock, and with the control."""


def traced(kernel: Kernel, require: Require) -> Image:
    try:
        return build.build(kernel, configuration="trace")
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


def seen(
    image: Image,
    methods: Iterable[str],
    require: Require,
    *,
    accel: str = "tcg",
    mutant: str = "",
) -> dict[str, Contract]:
    """The contract of each method on registered shmem."""
    asked = select(contract_grid(), tuple(f"contract/{each}/shmem/4k/*" for each in methods))
    try:
        boot = f"?boot=mutant={mutant}" if mutant else ""
        vm = VmTarget(f"{image.bzimage}{boot}", accel, perturb=False)
        return {each.method: each for each in contracts(vm, asked).of(Contract)}
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


def counts(contract: Contract) -> tuple[float, ...]:
    """Of one call."""
    counted = contract.promises[PROMISE].counts
    return tuple(counted[name] / counted["calls"] for name in COUNTED)


def waited(contract: Contract) -> int:
    """How many calls waited for the mmap lock, next to a thread that maps and unmaps."""
    counted = contract.promises[PROMISE].counts
    assert counted["contended"] == 200
    assert all(counted[name] <= 200 for name in ("mmap_waited", "vma_waited", "table_waited"))
    return counted["mmap_waited"]


def test_each_method_takes_the_lock_as_often_as_its_sources_say(require: Require) -> None:
    found = seen(traced(catalogue.parse(SERIES), require), TAKEN, require)
    assert {name: counts(contract) for name, contract in found.items()} == TAKEN
    for name, contract in found.items():
        assert contract.promises[PROMISE].held == (TAKEN[name][0] == 0)
        assert contract.why == ""
    without = {name for name, (write, read, _) in TAKEN.items() if write + read == 0}
    waits = {name: waited(contract) for name, contract in found.items()}
    assert not any(waits[name] for name in without)
    assert any(waits[name] for name in waits.keys() - without)  # a busy host hides some, not all


@pytest.mark.parametrize("name", NEWER)
def test_the_vma_lock_leaves_the_mmap_lock_alone(require: Require, name: str) -> None:
    found = seen(traced(catalogue.parse(name), require), NEWER[name], require)
    assert {name: counts(contract) for name, contract in found.items()} == NEWER[name]
    for method, (write, read, _) in NEWER[name].items():
        assert waited(found[method]) == 0 or write + read > 0


def test_a_write_lock_breaks_the_promise(require: Require) -> None:
    kernel = catalogue.parse(SERIES)
    assert kernel.series is not None
    patches = (*kernel.series.patches, TESTS / "kernel-patches" / "6.12" / "mutants.patch")
    broken = replace(kernel, name="mutants", series=replace(kernel.series, patches=patches))
    image = traced(broken, require)
    wrong = seen(image, ["madv_zap"], require, accel="icount", mutant="wlock")["madv_zap"]
    said = "5 calls: mmap lock 5 times for writing, 0 for reading"
    assert wrong.why == f"promise {PROMISE} broken: {said}"
    right = seen(image, ["madv_zap"], require, accel="icount")["madv_zap"]
    assert right.why == ""
    assert right.promises[PROMISE].held
    assert right.promises[PROMISE].counts == {"calls": 5, "mmap_write": 0, "mmap_read": 5}
