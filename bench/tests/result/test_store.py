# SPDX-License-Identifier: GPL-2.0-only
import contextlib
import gzip
import os
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pyperf
import pytest
import synthetic
from limits import seconds
from msgspec.structs import replace

from zapbench import record
from zapbench.case import Case
from zapbench.error import DiskFull, SchemaError, UsageError
from zapbench.record import Unit
from zapbench.result import store
from zapbench.result.store import RECORDS, SUITE, Results
from zapbench.result.timings import by_case

ZAP, CYCLE = "zap/dontneed/shmem/4k/64k", "cycle/remap/shmem/4k/4k"


def fill(
    directory: Path, factor: int = 1, boots: int = 3, unit: Unit = "ns", tier: str = "native"
) -> Path:
    """A result directory with two cases; boot b's medians are 100 + b and 200 + b."""
    with store.create(directory) as writer:
        for boot in range(boots):
            run = synthetic.run_of(boot, tier=tier)
            lines = synthetic.stream(
                run,
                synthetic.samples(run, ZAP, (factor * (100 + boot),) * 3, unit=unit),
                synthetic.samples(
                    run, CYCLE, (factor * (200 + boot) * 4,), unit=unit, ops_per_sample=4
                ),
                unit=unit,
            )
            for line in lines:
                writer.write(line)
    store.write_suite(Results(directory))
    return directory


def pyperf_says(*arguments: object) -> str:
    command = [sys.executable, "-m", "pyperf", *map(str, arguments)]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=seconds(60))
    return done.stdout


def test_a_result_is_read_as_it_was_written(tmp_path: Path) -> None:
    results = Results(fill(tmp_path / "r"))
    assert (results.kernel, results.tier, results.unit) == ("synthetic", "native", "ns")
    assert results.timings[Case.parse(ZAP)].medians == [100, 101, 102]
    assert results.timings[Case.parse(CYCLE)].medians == [200, 201, 202]


def test_a_suite_has_a_run_a_boot_in_seconds(tmp_path: Path) -> None:
    fill(tmp_path / "r")
    suite = pyperf.BenchmarkSuite.load(str(tmp_path / "r" / SUITE))
    assert set(suite.get_benchmark_names()) == {ZAP, CYCLE}
    benchmark = suite.get_benchmark(CYCLE)
    assert benchmark.get_nrun() == 3
    assert benchmark.get_values() == pytest.approx((200e-9, 201e-9, 202e-9))
    metadata = benchmark.get_runs()[1].get_metadata()
    assert (metadata["boot"], metadata["loops"], metadata["unit"]) == (1, 4, "second")


def test_instructions_are_integers(tmp_path: Path) -> None:
    fill(tmp_path / "r", unit="instructions", tier="icount")
    suite = pyperf.BenchmarkSuite.load(str(tmp_path / "r" / SUITE))
    assert suite.get_benchmark(ZAP).get_unit() == "integer"
    assert suite.get_benchmark(ZAP).get_values() == (100, 101, 102)


def test_pyperf_reads_and_compares_what_we_write(tmp_path: Path) -> None:
    base, head = fill(tmp_path / "base"), fill(tmp_path / "head", factor=2)
    assert "Number of run with values: 3" in pyperf_says("stats", base / SUITE)
    said = pyperf_says("compare_to", base / SUITE, head / SUITE)
    assert "2.00x slower" in said
    counts = fill(tmp_path / "counts", unit="instructions")
    assert "Mean +- std dev:" in pyperf_says("stats", counts / SUITE)


def test_what_cost_nothing_is_left_out_of_the_suite() -> None:
    run = synthetic.run_of()
    timings = by_case([synthetic.samples(run, ZAP, (0,))])
    assert store.suite(timings.values()) is None
    assert store.suite([]) is None


def test_a_directory_with_something_in_it_is_refused(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("dear")
    with pytest.raises(UsageError, match="is not empty: choose another with -o, or go on"):
        store.create(tmp_path)
    with pytest.raises(UsageError, match=r"no records.jsonl.gz to resume"):
        store.create(tmp_path, resume=True)
    assert [path.name for path in tmp_path.iterdir()] == ["letter.txt"]


def test_a_result_is_gone_on_with_only_when_asked(tmp_path: Path) -> None:
    fill(tmp_path / "r", boots=1)
    with pytest.raises(UsageError, match="--resume"):
        store.create(tmp_path / "r")
    with store.create(tmp_path / "r", resume=True) as writer:
        for line in synthetic.stream(synthetic.run_of(1)):
            writer.write(line)
    assert len(Results(tmp_path / "r").recording.of(record.Context)) == 2


def test_what_a_crash_left_plain_is_a_result_and_is_gone_on_with(tmp_path: Path) -> None:
    whole = fill(tmp_path / "r", boots=1) / RECORDS
    plain = tmp_path / "r/records.jsonl"
    plain.write_bytes(gzip.decompress(whole.read_bytes()) + b'{"v":1,"ki')
    whole.unlink()
    assert store.recorded(tmp_path / "r")
    assert Results(tmp_path / "r").timings[Case.parse(ZAP)].medians == [100]
    with pytest.raises(UsageError, match="--resume"):
        store.create(tmp_path / "r")
    with store.create(tmp_path / "r", resume=True) as writer:
        for line in synthetic.stream(synthetic.run_of(1)):
            writer.write(line)
    assert len(Results(tmp_path / "r").recording.of(record.Context)) == 2
    assert not plain.exists()


def test_a_directory_with_two_builds_of_a_kernel_is_refused() -> None:
    """Whoever reads it: the figures of different kernels are no boots of one."""
    ids: list[str | None] = ["ab" * 20, "cd" * 20]

    def results(*builds: str | None) -> Results:
        contexts = [
            replace(synthetic.context(synthetic.run_of(boot)), build_id=build)
            for boot, build in enumerate(builds)
        ]
        return Results(Path("r"), record.Recording("r", tuple(contexts)))

    with pytest.raises(UsageError, match="r mixes builds abababababab and cdcdcdcdcdcd of synth"):
        results(*ids)
    assert results(None, ids[1], None).build_id == ids[1]
    assert results(None).build_id is None


@pytest.mark.parametrize("place", ["file/below", "/proc/zapbench"])
def test_a_place_where_no_directory_can_be_is_refused(tmp_path: Path, place: str) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(UsageError, match=r"cannot use .*: .*; choose another with -o"):
        store.create(tmp_path / place)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_directory_that_is_not_writable_is_refused(tmp_path: Path) -> None:
    tmp_path.chmod(0o500)
    with pytest.raises(UsageError, match="not writable"):
        store.create(tmp_path)


def test_what_is_no_result_is_named(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="does not exist"):
        Results(tmp_path / "absent")
    with pytest.raises(UsageError, match="is no result directory"):
        Results(tmp_path)
    (tmp_path / RECORDS).write_bytes(b"something else\n")
    with pytest.raises(SchemaError, match="not a zapbench record file"):
        Results(tmp_path)
    (tmp_path / RECORDS).write_bytes(b"")
    with pytest.raises(UsageError, match="no finished measurement"):
        Results(tmp_path)


def test_a_suite_that_does_not_fit_leaves_the_one_before(small_disk: Path) -> None:
    fill(small_disk / "r")
    before = (small_disk / "r" / SUITE).read_bytes()
    with contextlib.suppress(OSError), (small_disk / "ballast").open("wb", buffering=0) as ballast:
        while ballast.write(bytes(4096)) == 4096:
            pass
    with pytest.raises(DiskFull, match=r"suite.json.gz: No space left.*is whole"):
        store.write_suite(Results(small_disk / "r"))
    assert (small_disk / "r" / SUITE).read_bytes() == before
    assert {path.name for path in (small_disk / "r").iterdir()} == {RECORDS, SUITE}


def test_directories_are_numbered(tmp_path: Path) -> None:
    assert store.free_directory(tmp_path, "6.12+madv-zap", "kvm").name == "6.12+madv-zap-kvm-1"
    named = store.free_directory(tmp_path, "git:/linux@v1?boot=a", "kvm").name
    assert named == "git:_linux@v1_boot=a-kvm-1"
    (tmp_path / "k-native-2").mkdir()  # one before it was removed
    (tmp_path / "k-native-2b").mkdir()
    assert store.latest_directory(tmp_path, "k", "native").name == "k-native-2"
    assert store.free_directory(tmp_path, "k", "native").name == "k-native-3"
    assert store.latest_directory(tmp_path, "k", "native").name == "k-native-3"
    with pytest.raises(UsageError, match="no results of other"):
        store.latest_directory(tmp_path, "other", "native")


def test_runs_that_begin_at_once_get_directories_of_their_own(tmp_path: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        made = list(
            pool.map(lambda _: store.free_directory(tmp_path / "new", "k", "native"), range(40))
        )
    assert len(set(made)) == 40
    assert all(path.is_dir() for path in made)


def test_only_a_directory_without_records_is_discarded(tmp_path: Path) -> None:
    store.create(tmp_path / "empty").close()
    store.discard(tmp_path / "empty")
    assert not (tmp_path / "empty").exists()
    store.discard(fill(tmp_path / "full"))
    assert (tmp_path / "full" / RECORDS).exists()
