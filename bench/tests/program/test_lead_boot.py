# SPDX-License-Identifier: GPL-2.0-only
"""Control kernels, booted: how much of MADV_ZAP's lead over MADV_DONTNEED is the zap itself.

On 7.3 the rest is the per-VMA lock, on 6.12 the walk over VMAs; see kernel/README.md.
"""

import statistics
from collections.abc import Callable
from dataclasses import dataclass, replace

import pytest
from places import TESTS

from zapbench.boot import contracts
from zapbench.case import contract_grid, select
from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, catalogue
from zapbench.kernel.catalogue import Kernel
from zapbench.record import Contract, Error, Samples, collect
from zapbench.target import Job
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.kernels, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]

PLACES = ("shmem/4k/4k", "hugetlb/2m/2m")
EQUAL_LOCKS = "7.3+dontneed-vma-lock"


@dataclass(frozen=True, slots=True)
class Pair:
    """What one call costs at each of PLACES, in instructions: by the series, and by the control."""

    zap: dict[str, tuple[float, float]]
    dontneed: dict[str, tuple[float, float]]

    def ratios(self, place: str) -> tuple[float, float]:
        """MADV_ZAP over MADV_DONTNEED: as posted, and at equal terms."""
        posted, equal = zip(self.zap[place], self.dontneed[place], strict=True)
        return posted[0] / posted[1], equal[0] / equal[1]


def target(kernel: Kernel, require: Require) -> VmTarget:
    try:
        return VmTarget(str(build.build(kernel).bzimage), "icount", perturb=False)
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


def costs(kernel: Kernel, require: Require) -> dict[str, float]:
    """The median of each call in one boot."""
    cases = tuple(f"zap/{method}/{each}" for method in ("madv_zap", "dontneed") for each in PLACES)
    vm = target(kernel, require)
    recording = collect(vm.run(Job(cases, "k", vm.tier, seed=1, samples=11)))
    assert recording.of(Error) == []
    found = {each.case: statistics.median(each.values or ()) for each in recording.of(Samples)}
    assert set(found) == set(cases)
    return found


def pair(base: Kernel, control: Kernel, require: Require) -> Pair:
    posted, equal = costs(base, require), costs(control, require)
    zap, dontneed = (
        {each: (posted[f"zap/{name}/{each}"], equal[f"zap/{name}/{each}"]) for each in PLACES}
        for name in ("madv_zap", "dontneed")
    )
    return Pair(zap, dontneed)


def walking() -> Kernel:
    """6.12 with the series, and MADV_ZAP walking VMAs as other advice does."""
    kernel = catalogue.parse("6.12+madv-zap")
    assert kernel.series is not None
    control = TESTS / "kernel-patches" / "6.12" / "zap-walks" / "0001.patch"
    return replace(
        kernel,
        name="zap-walks",
        series=replace(kernel.series, patches=(*kernel.series.patches, control)),
    )


def test_at_equal_locks_little_is_left_of_the_lead(
    require: Require, record_property: Callable[[str, object], None]
) -> None:
    seen = pair(catalogue.parse("7.3+madv-zap"), catalogue.parse(EQUAL_LOCKS), require)
    for place in PLACES:
        before, after = seen.dontneed[place]
        assert after < 0.9 * before, place
        assert seen.zap[place][1] == pytest.approx(seen.zap[place][0], rel=0.02)
        posted, equal = seen.ratios(place)
        record_property(place, f"{posted:.2f} as posted, {equal:.2f} at equal locks")
        assert posted < 0.9, place
        assert abs(1 - equal) < abs(1 - posted) / 3, place


def test_with_an_equal_walk_little_is_left_of_the_lead(
    require: Require, record_property: Callable[[str, object], None]
) -> None:
    seen = pair(catalogue.parse("6.12+madv-zap"), walking(), require)
    for place in PLACES:
        assert seen.zap[place][1] > 1.05 * seen.zap[place][0], place
        assert seen.dontneed[place][1] == pytest.approx(seen.dontneed[place][0], rel=0.02)
        posted, equal = seen.ratios(place)
        record_property(place, f"{posted:.2f} as posted, {equal:.2f} with an equal walk")
        assert posted < 0.92, place
        assert abs(1 - equal) < abs(1 - posted) / 3, place


def test_whoever_asks_for_the_event_still_gets_it(require: Require) -> None:
    cells = select(contract_grid(), ("contract/dontneed/shmem/4k/*", "contract/*/hugetlb/2m/*"))
    cells = [cell for cell in cells if cell.case.method in ("dontneed", "madv_zap")]
    recording = contracts(target(catalogue.parse(EQUAL_LOCKS), require), cells)
    assert recording.of(Error) == []
    seen = {(each.method, each.backing): each.promises for each in recording.of(Contract)}
    assert seen["dontneed", "shmem"]["no-event"].note == "sent REMOVE"
    assert seen["dontneed", "hugetlb"]["no-event"].note == "sent REMOVE"
    assert seen["madv_zap", "hugetlb"]["no-event"].held
