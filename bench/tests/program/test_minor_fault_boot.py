# SPDX-License-Identifier: GPL-2.0-only
"""Minor faults on a kernel with the series: two CPUs for the topologies, one counted."""

from collections.abc import Callable

import pytest

from zapbench.error import EnvironmentMissing
from zapbench.kernel import build, catalogue
from zapbench.record import Error, Recording, Samples, collect
from zapbench.result.stats import per_operation
from zapbench.target import Job
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
KERNELS = ["6.12+madv-zap", pytest.param("7.3+madv-zap", marks=pytest.mark.kernels)]
PLACES = ("shmem/4k/16k", "shmem/2m/4m", "hugetlb/2m/8m")
AXES = (
    *("", "/topology=process", "/handlers=2/threads=2/uffd=each", "/delivery=sigbus"),
    *("/delivery=busy", "/stamps=off"),
)
FIXED = "minor_fault/{}/shmem/4k/64k"


@pytest.fixture(scope="module", params=KERNELS)
def kernel(request: pytest.FixtureRequest, require: Callable[[object, str], None]) -> str:
    try:
        build.build(catalogue.parse(request.param))
    except EnvironmentMissing as error:
        require(False, str(error))
    return str(request.param)


def boot(kernel: str, accelerator: str, *cases: str) -> Recording:
    target = VmTarget(kernel, accelerator)
    return collect(target.run(Job(cases, kernel, accelerator, samples=1, max_seconds=0.01)))


def sound(recording: Recording, cases: int) -> list[Samples]:
    assert recording.of(Error) == []
    done = recording.of(Samples)
    assert len(done) == cases
    for each in done:
        assert each.faults is not None
        assert each.faults.pages == each.faults.faults > 0
        assert each.faults.strandings == 0
    return done


def methods(kernel: str) -> tuple[str, ...]:
    return ("madv_zap", "dontneed", *(("rwp",) if kernel.startswith("7.3") else ()))


def test_topologies_on_two_cpus(kernel: str) -> None:
    """Process 1 of the machine forks, too."""
    cases = [f"minor_fault/madv_zap/{place}{axes}" for place in PLACES for axes in AXES[1:3]]
    cases += [f"{FIXED.format(method)}/topology=process" for method in methods(kernel)[1:]]
    cases += [f"{FIXED.format('dontneed')}/place={place}" for place in ("same", "apart")]
    sound(boot(kernel, "tcg", *cases), len(cases))


def test_a_fault_is_counted_on_one_cpu(kernel: str) -> None:
    """Two boots agree; a resolution in the thread itself needs no switch to another."""
    names = [FIXED.format(method) for method in methods(kernel)]
    names += [f"{FIXED.format('madv_zap')}{axes}" for axes in AXES]
    cases = tuple(dict.fromkeys(names))
    counted = []
    for _ in range(2):
        done = sound(boot(kernel, "icount", *cases), len(cases))
        assert {each.unit for each in done} == {"instructions"}
        counted.append({each.case: per_operation(each).quantile(0.5) for each in done})
    for case, count in counted[0].items():
        assert count == pytest.approx(counted[1][case], rel=0.02)
    plain = FIXED.format("madv_zap")
    assert counted[0][f"{plain}/delivery=sigbus"] < counted[0][plain]
