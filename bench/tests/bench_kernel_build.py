# SPDX-License-Identifier: GPL-2.0-only
"""What building and booting cost, against their targets (make bench-kernel).

Other work on the machine lengthens a wall clock, so the CPU time on two cores is judged, and
both are printed with the load.
"""

import os
import resource
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Protocol

import pytest
from pytest_benchmark.fixture import BenchmarkFixture

from zapbench.error import ZapbenchError
from zapbench.kernel import build, catalogue, config, source
from zapbench.kernel.build import Image
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(3600)]
CORES = 2
CASE = "zap/dontneed/shmem/4k/4k"


class Measure(Protocol):
    """``measure(what, target, function)``: call it once, print and judge what it took."""

    def __call__(
        self, what: str, target: float, function: Callable[[], object], cores: int = CORES
    ) -> None: ...


def cpu_seconds() -> float:
    """CPU time of the programs that were run so far, in seconds."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@pytest.fixture
def measure(benchmark: BenchmarkFixture, capsys: pytest.CaptureFixture[str]) -> Measure:
    """See `Measure`; targets are in seconds."""

    def run(what: str, target: float, function: Callable[[], object], cores: int = CORES) -> None:
        cpu, wall = cpu_seconds(), time.monotonic()
        benchmark.pedantic(function, rounds=1, iterations=1)
        cpu, wall = cpu_seconds() - cpu, time.monotonic() - wall
        with capsys.disabled():
            print(  # noqa: T201 - this is what the test is for
                f"\n{what}: {wall:.1f} s, CPU {cpu:.1f} s ({cpu / cores:.1f} s on {cores} cores); "
                f"target {target:g} s; load {os.getloadavg()[0]:.1f}"
            )
        assert cpu / cores <= target

    return run


@pytest.fixture(scope="module")
def lean(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A configuration of its own, so that nothing is there yet; what it made is removed."""
    path = tmp_path_factory.mktemp("figures") / "figures.config"
    path.write_text(f'# unlike any other\nCONFIG_LOCALVERSION="-figures{os.getpid()}"\n')
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CCACHE_DIR", str(path.parent / "ccache"))
        yield path
        forget(path)


def forget(path: Path) -> None:
    """Remove the objects of a configuration."""
    kernel = catalogue.parse("6.12")
    with source.checked_out(kernel.source, lambda *_: None) as tree:
        shutil.rmtree(build.object_directory(tree, config.choose(str(path), ())), True)


def built(path: Path, name: str = "6.12") -> Callable[[], object]:
    """Build a kernel in this configuration, and forget its image."""

    def call() -> None:
        shutil.rmtree(build.build(catalogue.parse(name), configuration=str(path)).path)

    return call


def test_cold_build(lean: Path, measure: Measure, require: Callable[[object, str], None]) -> None:
    try:
        with source.checked_out(catalogue.parse("6.12").source, lambda *_: None) as tree:
            tree.restore()
    except ZapbenchError as error:
        require(False, str(error))
    measure("cold build of 6.12", 240, built(lean))


def test_warm_build(lean: Path, measure: Measure) -> None:
    forget(lean)
    measure("build of 6.12 with a warm ccache", 90, built(lean))


def test_build_after_a_change_to_madvise(lean: Path, measure: Measure, tmp_path: Path) -> None:
    built(lean)()
    with source.checked_out(catalogue.parse("6.12").source, lambda *_: None) as tree:
        text = (tree.source / "mm/madvise.c").read_text()
    lines = text.splitlines()
    context = "".join(f" {line}\n" for line in lines[-3:])
    patch = (
        f"--- a/mm/madvise.c\n+++ b/mm/madvise.c\n@@ -{len(lines) - 2},3 +{len(lines) - 2},4 @@\n"
    )
    (tmp_path / "0001-pad.patch").write_text(f"{patch}{context}+int zapbench_pad;\n")
    measure("build after a change to mm/madvise.c", 30, built(lean, f"6.12+{tmp_path}"))


@pytest.mark.parametrize(("accelerator", "target"), [("tcg", 2.0), ("icount", 4.0)])
def test_first_record(accelerator: str, target: float, measure: Measure) -> None:
    image: Image = build.build(catalogue.parse("6.12"))
    vm = VmTarget(str(image.bzimage), accelerator)
    # One vCPU is busy at a time: what counts is CPU time, not half of it.
    options = ["--tier", accelerator]
    boot = lambda: next(iter(vm.lines([CASE], boot=0, seed=0, options=options)))  # noqa: E731
    measure(f"first record under {accelerator}", target, boot, cores=1)
