# SPDX-License-Identifier: GPL-2.0-only
"""A real 6.12, booted with the plugin: it moves nothing, and explains all."""

import re
import shutil
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.explain.attribution import HARNESS, Attribution, Explained
from zapbench.explain.boot import explain
from zapbench.explain.trace import By
from zapbench.kernel import build, catalogue
from zapbench.kernel.build import Image
from zapbench.record import Samples, decode
from zapbench.target import Job
from zapbench.vm import VmTarget

pytestmark = [pytest.mark.kernel, pytest.mark.timeout(1800)]
Require = Callable[[object, str], None]
Boot = tuple[list[bytes], list[Explained]]

FAULT = "minor_fault/madv_zap/shmem/4k/64k"
SINGLE = [
    *(f"zap/{method}/shmem/4k/64k" for method in ("madv_zap", "dontneed", "remap", "punch_hole")),
    *("zap/madv_zap/hugetlb/2m/2m", "zap/madv_zap/shmem/4k/64k/state=fresh"),
    *("cycle/remap/shmem/4k/64k", "cycle/punch_hole/shmem/4k/64k", "cycle/dontneed/shmem/2m/2m"),
    *("continue/-/shmem/4k/64k", "continue/-/shmem/4k/64k/by=copy", "empty/-/shmem/4k/4k"),
]
THREADED = [
    *(FAULT, f"{FAULT}/stamps=off", f"{FAULT}/delivery=sigbus", f"{FAULT}/topology=process"),
    *(f"{FAULT}/threads=4/handlers=2", "continue/-/shmem/4k/2m/threads=2"),
]
JOB = Job((*SINGLE, *THREADED), "k", "icount", seed=3, samples=11, max_seconds=0.05)
STARTS = re.compile(rb"\d{4}-\d\d-\d\dT[0-9:.]+Z")


@pytest.fixture(scope="module")
def image(require: Require) -> Image:
    try:
        return build.build(catalogue.parse("6.12+madv-zap"))
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


@pytest.fixture(scope="module")
def boots(image: Image, require: Require) -> dict[By, Boot]:
    """One for each way of counting."""
    try:
        return {by: explain(str(image.bzimage), JOB, by=by) for by in By}
    except EnvironmentMissing as error:
        require(False, str(error))
        raise


def told(lines: list[bytes]) -> list[bytes]:
    """Without when the boot began."""
    return [STARTS.sub(b"", line) for line in lines]


def parts(found: list[Explained]) -> dict[str, tuple[Attribution, Attribution | None]]:
    return {each.name: (each.samples(), each.whole()) for each in found}


def test_the_plugin_moves_no_figure(image: Image, boots: dict[By, Boot]) -> None:
    plain = told(list(VmTarget(str(image.bzimage), "icount").run(JOB)))
    assert len(plain) > len(JOB.cases)
    for by, (lines, _) in boots.items():
        assert told(lines) == plain, by


def test_parts_add_up_to_what_was_recorded(boots: dict[By, Boot]) -> None:
    for by, (lines, found) in boots.items():
        records = [record for line in lines if isinstance(record := decode(line), Samples)]
        assert [each.name for each in found] == [record.case for record in records]
        assert {each.name for each in found} == set(JOB.cases)
        for record, each in zip(records, found, strict=True):
            values = record.values or ()
            samples, whole = each.samples(), each.whole()
            assert sum(samples.functions.values()) == samples.total == sum(values)
            assert samples.operations == len(values) * record.ops_per_sample
            assert samples.functions[HARNESS] == len(values) * record.empty
            assert min(samples.functions.values()) > 0
            assert (samples.paths is None) == (by is not By.PATH)
            if samples.paths is not None:
                assert sum(samples.paths.values()) == samples.total
            assert (whole is None) == (record.case_total is None)
            if whole is not None and record.case_total is not None:
                assert sum(whole.functions.values()) == record.case_total.value
    assert {name for name, (_, whole) in parts(found).items() if whole} >= set(SINGLE[:-1])


def test_all_ways_of_counting_agree(boots: dict[By, Boot]) -> None:
    by_address, by_function, by_path = (parts(boots[by][1]) for by in By)
    for name in JOB.cases:
        for each in (0, 1):
            alike = [found[name][each] for found in (by_address, by_function, by_path)]
            functions = [found and dict(found.functions) for found in alike]
            assert functions[0] == functions[1] == functions[2], name


def test_two_boots_of_one_seed_are_explained_alike(image: Image, boots: dict[By, Boot]) -> None:
    _, again = explain(str(image.bzimage), JOB, by=By.PATH)
    assert parts(again) == parts(boots[By.PATH][1])


def test_paths_are_those_that_the_kernel_takes(boots: dict[By, Boot]) -> None:
    found = parts(boots[By.PATH][1])
    paths = found["zap/dontneed/shmem/4k/64k"][0].paths
    assert paths is not None
    call = ("entry_SYSCALL_64", "do_syscall_64", "x64_sys_call", "__x64_sys_madvise", "do_madvise")
    assert {path[: len(call)] for path in paths if "unmap_page_range" in path} == {call}
    known = {"entry_SYSCALL_64", "(user)", HARNESS, "irq_entries_start"}
    for name in SINGLE:
        samples = found[name][0]
        assert samples.paths is not None
        kthreads = sum(count for path, count in samples.paths.items() if not known & {path[0]})
        assert kthreads <= samples.total / 50 or "cycle" in name, name
    faults = found[FAULT][0].paths
    assert faults is not None
    deepest = max(faults, key=len)
    assert len(deepest) < 60
    (fault,) = {path[:3] for path in faults if path[-1] == "handle_userfault"}
    assert fault == ("asm_exc_page_fault", "exc_page_fault", "handle_mm_fault")


def test_a_foreign_image_without_a_map_is_one_line(image: Image, tmp_path: Path) -> None:
    """And is measured all the same."""
    foreign = shutil.copy(image.bzimage, tmp_path / "bzImage")
    job = partial(Job, JOB.cases[:1], "k", "icount", samples=5)
    with pytest.raises(EnvironmentMissing, match=r"^there is no System\.map next to "):
        explain(str(foreign), job())
    shutil.copy(image.symbols, tmp_path)
    _, (found,) = explain(str(foreign), job(), by=By.FUNCTION)
    assert found.samples().total > 0


def test_only_counted_figures_are_explained(image: Image) -> None:
    with pytest.raises(UsageError, match="instructions are counted under icount only, not tcg"):
        explain(str(image.bzimage), Job(JOB.cases, "k", "tcg"))
