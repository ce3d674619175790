# SPDX-License-Identifier: GPL-2.0-only
"""Kernels with the series, booted: what MADV_ZAP keeps, what is counted, and what is caught.

Everything runs under icount: its figures are numbers that can be asserted, on any machine.
"""

import re
import statistics
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest
from msgspec.structs import replace

from zapbench.boot import contracts
from zapbench.case import Case, backings, contract_grid
from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, catalogue
from zapbench.kernel.build import Image
from zapbench.record import Contract, Error, Recording, Run, Samples, Skip, collect, decode, encode
from zapbench.target import Job
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]

NAME = "6.12+madv-zap"
KERNELS = [NAME, pytest.param("7.3+madv-zap", marks=pytest.mark.kernels)]
METHODS = ("madv_zap", "dontneed", "remap", "overmap", "rwp")

EMPTY = "empty/-/shmem/4k/4k"
LOOP, SLEEP = f"{EMPTY}/check=loop", f"{EMPTY}/check=sleep"
TURNS, INSTRUCTIONS_A_TURN = 100_000, 2
TIMED = [
    f"{workload}/{method}/{place}"
    for workload in ("zap", "cycle")
    for method in ("madv_zap", "dontneed", "remap")
    for place in ("shmem/4k/4k", "shmem/4k/64k", "shmem/2m/2m", "hugetlb/2m/2m")
] + ["continue/-/shmem/4k/4k", "continue/-/shmem/4k/64k", "continue/-/shmem/4k/64k/by=populate"]

# What a rival's call does to what MADV_ZAP keeps, as kernel/README.md tells it.
LOST = [
    ("dontneed", "shmem", "4k", {"poison", "no-event"}),
    ("dontneed", "hugetlb", "2m", {"poison", "no-event"}),
    ("dontneed", "shmem-private", "4k", {"cow", "zeropage", "poison", "no-event"}),
    ("remap", "shmem", "4k", {"wp", "poison", "registration", "no-event"}),
    ("remap", "shmem-private", "4k", {"cow", "zeropage", "wp", "poison", "registration"}),
    ("overmap", "shmem", "4k", {"wp", "poison", "registration", "no-event"}),
]


@contextmanager
def whole(require: Require) -> Iterator[None]:
    """Turn what the machine lacks into a skip, or into a failure with CI=true."""
    try:
        yield
    except EnvironmentMissing as error:
        require(False, str(error))


@pytest.fixture(scope="module", params=KERNELS)
def image(request: pytest.FixtureRequest, require: Require) -> Image:
    """A kernel with the series, built if the cache lacks it."""
    with whole(require):
        return build.build(catalogue.parse(request.param))
    raise AssertionError


@pytest.fixture(scope="module")
def zapped(image: Image, require: Require) -> Recording:
    """The contracts of MADV_ZAP and of those it is compared with, wherever the tables allow."""
    cells = [cell for cell in contract_grid() if cell.case.method in METHODS]
    with whole(require):
        return contracts(target(image), cells)
    raise AssertionError


def target(image: Image, *, perturb: bool = False) -> VmTarget:
    return VmTarget(str(image.bzimage), "icount", perturb=perturb)


def counted(image: Image, *cases: str, seed: int = 1, perturb: bool = False) -> Recording:
    """The records of one boot."""
    vm = target(image, perturb=perturb)
    job = Job(tuple(cases), "k", vm.tier, seed=seed, samples=11, max_seconds=0.1)
    return collect(vm.run(job))


def medians(recording: Recording) -> dict[str, float]:
    """The median sample of each case, in instructions."""
    assert not recording.truncated
    assert recording.of(Error) == []
    return {each.case: statistics.median(each.values or ()) for each in recording.of(Samples)}


@pytest.fixture(scope="module")
def first(image: Image, require: Require) -> Recording:
    """One boot that counts."""
    with whole(require):
        return counted(image, EMPTY, LOOP, *TIMED)
    raise AssertionError


def allowed(method: str) -> list[Case]:
    return [cell.case for cell in contract_grid() if cell.case.method == method and not cell[1]]


def test_madv_zap_keeps_all_that_it_promises_wherever_the_tables_allow_it(
    zapped: Recording,
) -> None:
    assert {case.backing for case in allowed("madv_zap")} == {
        *("shmem", "shmem-private", "tmpfs", "hugetlb", "file")
    }
    seen = {(each.backing, each.page_size): each for each in of(zapped, "madv_zap")}
    for case in allowed("madv_zap"):
        contract = seen[case.backing, case.page_size]
        assert contract.why == ""
        assert contract.equivalent
        assert contract.event == ("minor" if backings()[case.backing].uffd_minor else "refault")
        lost = {name for name, promise in contract.promises.items() if promise.held is False}
        assert lost == set(), contract.case


def of(recording: Recording, method: str) -> list[Contract]:
    return [each for each in recording.of(Contract) if each.method == method]


def test_madv_zap_keeps_what_only_private_mappings_and_markers_hold(zapped: Recording) -> None:
    """Not just unbroken: looked at, and found."""
    seen = {(each.backing, each.page_size): each.promises for each in of(zapped, "madv_zap")}
    for promise in ("cow", "zeropage"):
        assert seen["shmem-private", 4 << 10][promise].held
    for place in (("shmem", 4 << 10), ("shmem", 2 << 20), ("hugetlb", 2 << 20)):
        for promise in ("wp", "poison", "registration", "no-event", "neighbours", "vmas"):
            assert seen[place][promise].held, (place, promise)


@pytest.mark.parametrize(("method", "backing", "page", "lost"), LOST)
def test_the_rivals_keep_the_file_and_lose_the_rest(
    zapped: Recording, method: str, backing: str, page: str, lost: set[str]
) -> None:
    contract = next(each for each in of(zapped, method) if f"/{backing}/{page}/" in f"{each.case}/")
    assert contract.why == ""
    assert all(contract.promises[name].held for name in ("contents", "blocks"))
    assert {name for name in lost if contract.promises[name].held is not False} == set()


def test_rwp_is_there_or_says_why_not(image: Image, zapped: Recording) -> None:
    if image.meta["release"].startswith("6.12"):
        reasons = {each.reason for each in zapped.of(Skip) if "/rwp/" in each.case}
        assert reasons == {"this kernel lacks UFFD_FEATURE_RWP (Linux 7.3)"}
        return
    events = {(each.backing, each.page_size): each.event for each in of(zapped, "rwp")}
    assert events["shmem", 4 << 10] == "rwp"


def test_instructions_are_counted_and_a_loop_has_as_many_as_it_has(first: Recording) -> None:
    samples = {each.case: each for each in first.of(Samples)}
    assert {each.unit for each in samples.values()} == {"instructions"}
    empty, loop = samples[EMPTY], samples[LOOP]
    assert empty.ops_per_sample == loop.ops_per_sample
    spent = (medians(first)[LOOP] - medians(first)[EMPTY]) / loop.ops_per_sample
    assert spent == pytest.approx(TURNS * INSTRUCTIONS_A_TURN, rel=1e-3)


def test_a_sample_that_slept_is_an_error(image: Image) -> None:
    recording = counted(image, SLEEP, EMPTY)
    assert [each.case for each in recording.of(Samples)] == [EMPTY]
    (error,) = recording.of(Error)
    assert error.case == SLEEP
    assert "idle time counts as instructions" in error.reason


def test_who_waits_for_the_reader_of_an_event_is_not_counted(image: Image) -> None:
    names = [f"zap/{method}/shmem/4k/64k/events=on" for method in ("dontneed", "madv_zap")]
    recording = counted(image, *names)
    assert recording.of(Error) == []
    assert [each.case for each in recording.of(Samples)] == names[1:]
    (skip,) = recording.of(Skip)
    assert skip.case == names[0]
    assert "sleeps until its event is read" in skip.reason


def test_two_boots_of_one_seed_count_the_same(
    image: Image, first: Recording, record_property: Callable[[str, object], None]
) -> None:
    """Not alike: the same integers."""
    left, right = medians(first), medians(counted(image, EMPTY, LOOP, *TIMED))
    assert left.keys() == right.keys() == {EMPTY, LOOP, *TIMED}
    same = [case for case in left if left[case] == right[case]]
    record_property("identical", f"{len(same)} of {len(left)}")
    assert {case: (left[case], right[case]) for case in left if case not in same} == {}


def test_what_a_kernel_is_called_does_not_move_what_it_costs(image: Image) -> None:
    """Word for word, but for when they began: pairs of boots are of names of any length."""

    def told(name: str) -> list[bytes]:
        job = Job((TIMED[0],), name, "icount", boot=1, seed=1, samples=5)
        lines = VmTarget(str(image.bzimage), "icount").run(job)
        records = [decode(line) for line in lines]
        assert {record.run.kernel for record in records} == {name}
        same = Run("same", "icount", 1)
        return [STARTS.sub(b"", encode(replace(record, run=same))) for record in records]

    assert told("6.12") == told('6.12+/a/long "name" of \\ a series/' + 200 * "x")


STARTS = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z")


def test_boots_of_other_seeds_differ_by_a_percent_at_most(
    image: Image, first: Recording, record_property: Callable[[str, object], None]
) -> None:
    boots = [medians(counted(image, *TIMED, seed=seed, perturb=True)) for seed in (2, 3)]
    base = medians(first)
    spread = {case: max(abs(boot[case] / base[case] - 1) for boot in boots) for case in TIMED}
    record_property("spread", f"{max(spread.values()):.2%}")
    assert {case: value for case, value in spread.items() if value > 0.01} == {}


def test_madv_zap_costs_what_dontneed_costs_and_far_less_than_to_remap(first: Recording) -> None:
    costs = medians(first)
    for place in ("shmem/4k/4k", "shmem/4k/64k", "shmem/2m/2m", "hugetlb/2m/2m"):
        zap = costs[f"zap/madv_zap/{place}"]
        assert zap <= 1.05 * costs[f"zap/dontneed/{place}"], place
        assert zap <= costs[f"zap/remap/{place}"], place
    assert costs["zap/madv_zap/shmem/4k/4k"] < 0.3 * costs["zap/remap/shmem/4k/4k"]
