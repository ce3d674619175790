# SPDX-License-Identifier: GPL-2.0-only
"""Settings are met, reported and put back, whatever ends the process."""

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from zapbench.error import EnvironmentMissing, Interrupted
from zapbench.host import journal, settings
from zapbench.host.settings import Needs, applied

KIB, MIB, GIB = 1 << 10, 1 << 20, 1 << 30
MM = "sys/kernel/mm"
THP = f"{MM}/transparent_hugepage"
POOL_2M = f"{MM}/hugepages/hugepages-2048kB"
POOL_1G = f"{MM}/hugepages/hugepages-1048576kB"

FILES = {
    f"{POOL_2M}/nr_hugepages": "4",
    f"{POOL_2M}/free_hugepages": "3",
    f"{POOL_2M}/resv_hugepages": "1",
    f"{POOL_1G}/nr_hugepages": "0",
    f"{POOL_1G}/free_hugepages": "0",
    f"{POOL_1G}/resv_hugepages": "0",
    f"{THP}/hpage_pmd_size": str(2 * MIB),
    f"{THP}/shmem_enabled": "always within_size advise [never] deny force",
    f"{THP}/hugepages-64kB/shmem_enabled": "always inherit within_size advise [never]",
    f"{THP}/hugepages-2048kB/shmem_enabled": "always [inherit] within_size advise never",
    f"{THP}/khugepaged/defrag": "1",
    "proc/meminfo": "MemTotal: 4194304 kB\nMemFree: 1 kB\nMemAvailable: 4194304 kB",
}


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A made-up tree of the files that the kernel would have."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    root = tmp_path / "root"
    for name, text in FILES.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_text(text + "\n")
    return root


def contents(root: Path) -> dict[str, str]:
    """What the tree holds; a choice, once written, is the bare word."""
    return {name: settings.read(root / name) for name in FILES if "meminfo" not in name}


def leftover(root: Path) -> Path:
    return root.parent / "state/settings.json"


NEEDS = Needs(hugetlb={2 * MIB: 16 * MIB}, mthp=frozenset({64 * KIB, 2 * MIB}))


def test_needs_are_met_and_put_back(root: Path) -> None:
    before = contents(root)
    with applied(NEEDS, root=root) as outcome:
        during = contents(root)
        assert leftover(root).exists()
    # 8 free pages are wanted, 3 - 1 are: 6 more than the 4 there are.
    assert during[f"{POOL_2M}/nr_hugepages"] == "10"
    assert during[f"{THP}/hugepages-64kB/shmem_enabled"] == "advise"
    assert during[f"{THP}/hugepages-2048kB/shmem_enabled"] == "advise"
    assert during[f"{THP}/shmem_enabled"] == "never"
    assert during[f"{THP}/khugepaged/defrag"] == "0"
    assert outcome.missing == ()
    assert len(outcome.changed) == 4
    assert contents(root) == before
    assert not leftover(root).exists()


def test_kernel_without_shmem_setting_per_size(root: Path) -> None:
    (root / f"{THP}/hugepages-2048kB/shmem_enabled").unlink()
    with applied(NEEDS, root=root) as outcome:
        assert settings.read(root / f"{THP}/shmem_enabled") == "advise"
    assert settings.read(root / f"{THP}/shmem_enabled") == "never"
    assert outcome.missing == ()


def test_sizes_the_kernel_lacks_are_reported(root: Path) -> None:
    needs = Needs(hugetlb={64 * KIB: MIB}, mthp=frozenset({128 * KIB}))
    with applied(needs, root=root) as outcome:
        pass
    assert [lack.what for lack in outcome.missing] == [
        "hugetlb pool of 64 KiB pages",
        "shmem huge pages of 128 KiB pages",
    ]
    assert all("this kernel has no" in lack.reason for lack in outcome.missing)


def test_no_needs_change_nothing(root: Path) -> None:
    before = contents(root)
    with applied(Needs(), root=root) as outcome:
        assert contents(root) == before
        assert not leftover(root).exists()
    assert outcome == settings.Outcome()


def test_never_asks_for_more_than_memory_bears(root: Path) -> None:
    needs = Needs(hugetlb={2 * MIB: 16 * MIB, GIB: 4 * GIB})
    with applied(needs, root=root) as outcome:
        # Three quarters of 4 GiB, less the 12 MiB that the smaller pages take.
        assert settings.read(root / f"{POOL_1G}/nr_hugepages") == "2"
        assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"
    (lack,) = outcome.missing
    assert lack.what == "hugetlb pool of 1048576 KiB pages"
    assert lack.reason == "4 free pages needed, memory suffices for 2"


def test_pool_that_the_kernel_did_not_fill_is_reported(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = settings.read
    short = root / f"{POOL_2M}/nr_hugepages"

    def read(path: Path) -> str:
        value = real(path)
        return "7" if path == short and value == "10" else value

    monkeypatch.setattr(settings, "read", read)
    with applied(Needs(hugetlb={2 * MIB: 16 * MIB}), root=root) as outcome:
        pass
    (lack,) = outcome.missing
    assert lack.reason == "the kernel made it 7, asked for 10"
    assert real(short) == "4"


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_put_back_when_the_body_raises(root: Path, error: type[BaseException]) -> None:
    before = contents(root)
    with pytest.raises(error), applied(NEEDS, root=root):
        raise error
    assert contents(root) == before


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_put_back_when_told_to_stop(root: Path, number: signal.Signals) -> None:
    before = contents(root)
    with pytest.raises(Interrupted, match=number.name), applied(NEEDS, root=root):
        signal.raise_signal(number)
    assert contents(root) == before
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_value_changed_by_somebody_else_is_left_alone(root: Path) -> None:
    with applied(NEEDS, root=root):
        (root / f"{POOL_2M}/nr_hugepages").write_text("64")
        (root / f"{THP}/hugepages-64kB/shmem_enabled").write_text("always")
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "64"
    assert settings.read(root / f"{THP}/hugepages-64kB/shmem_enabled") == "always"
    assert settings.read(root / f"{THP}/khugepaged/defrag") == "1"


CHILD = """
import sys, time
from pathlib import Path
from zapbench.host.settings import Needs, applied
needs = Needs(hugetlb={2 << 20: int(sys.argv[2])}, mthp=frozenset({2 << 20}))
with applied(needs, root=Path(sys.argv[1])):
    print("applied", flush=True)
    time.sleep(60)
"""


@contextlib.contextmanager
def holder(root: Path, nbytes: int = 16 * MIB) -> Iterator[subprocess.Popen[str]]:
    """Another process inside the context."""
    command = [sys.executable, "-c", CHILD, str(root), str(nbytes)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "applied\n"
            yield process
        finally:
            process.kill()


def test_killed_run_is_put_back_by_the_next(root: Path) -> None:
    before = contents(root)
    with holder(root) as process:
        process.kill()
        process.wait()
    assert contents(root) != before
    assert leftover(root).exists()
    with applied(Needs(mthp=frozenset({64 * KIB})), root=root) as outcome:
        assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "4"
        assert {change.setting for change in outcome.recovered} == {
            "hugetlb pool",
            "shmem huge pages",
            "khugepaged",
        }
    assert contents(root) == before
    assert not leftover(root).exists()


def test_killed_run_is_put_back_even_by_a_run_without_needs(root: Path) -> None:
    before = contents(root)
    with holder(root) as process:
        process.kill()
        process.wait()
    with applied(Needs(), root=root):
        assert contents(root) == before


def test_terminated_run_puts_back_itself(root: Path) -> None:
    before = contents(root)
    with holder(root) as process:
        process.terminate()
        assert process.wait(timeout=10) != 0
        assert contents(root) == before
    assert not leftover(root).exists()


def test_second_run_is_refused_and_breaks_nothing(root: Path) -> None:
    said: list[str] = []
    with holder(root):
        during = contents(root)
        with (
            pytest.raises(EnvironmentMissing, match="another zapbench"),
            applied(NEEDS, root=root, patience=0.3, on_wait=said.append),
        ):
            pytest.fail("entered beside a living run")
        assert contents(root) == during
    assert said == ["waiting for another zapbench that is measuring on this machine"]


def test_second_run_waits_for_the_first(root: Path) -> None:
    with holder(root) as process:

        def finish(message: str) -> None:
            process.terminate()

        with applied(NEEDS, root=root, patience=30, on_wait=finish) as outcome:
            assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"
        assert outcome.recovered == ()
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "4"


def test_journal_of_an_earlier_boot_is_void(root: Path) -> None:
    with holder(root) as process:
        process.kill()
        process.wait()
    data = json.loads(leftover(root).read_text())
    leftover(root).write_text(json.dumps(data | {"boot": "another"}))
    with applied(Needs(mthp=frozenset({64 * KIB})), root=root) as outcome:
        pass
    assert outcome.recovered == ()
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"


def test_reused_pid_does_not_pass_for_the_owner(root: Path) -> None:
    with holder(root) as process:
        process.kill()
        process.wait()
    data = json.loads(leftover(root).read_text())
    own = journal.started(1)
    assert own is not None
    leftover(root).write_text(json.dumps(data | {"pid": 1, "started": own + 1}))
    with applied(Needs(), root=root) as outcome:
        assert len(outcome.recovered) == 3


def test_living_owner_without_the_lock_is_respected(root: Path) -> None:
    with holder(root) as process:
        process.kill()
        process.wait()
    data = json.loads(leftover(root).read_text())
    leftover(root).write_text(json.dumps(data | {"pid": 1, "started": journal.started(1)}))
    with pytest.raises(EnvironmentMissing, match="process 1"), applied(NEEDS, root=root):
        pytest.fail("entered beside a living run")
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"


@pytest.mark.parametrize(
    "text", ["", "{", '{"v": 1}', '{"changes": [{"setting": "../../etc/passwd"}]}', "\xff"]
)
def test_damaged_journal_is_one_clear_line(root: Path, text: str) -> None:
    leftover(root).parent.mkdir()
    leftover(root).write_text(text, encoding="latin-1")
    before = contents(root)
    with (
        pytest.raises(EnvironmentMissing, match="put back by hand") as caught,
        applied(NEEDS, root=root),
    ):
        pytest.fail("entered with a damaged journal")
    assert "\n" not in str(caught.value)
    assert contents(root) == before


def test_journal_never_writes_outside_the_table(root: Path) -> None:
    with holder(root) as process:
        process.kill()
        process.wait()
    data = json.loads(leftover(root).read_text())
    data["changes"][0]["setting"] = "kernel.core_pattern"
    leftover(root).write_text(json.dumps(data))
    with pytest.raises(EnvironmentMissing, match="unknown setting"), applied(NEEDS, root=root):
        pytest.fail("entered with a foreign journal")


def test_nothing_is_changed_without_a_journal(root: Path) -> None:
    leftover(root).parent.write_text("a file where the directory should be")
    before = contents(root)
    with applied(NEEDS, root=root) as outcome:
        assert contents(root) == before
    assert len(outcome.missing) == 4
    assert all("no journal can be kept" in lack.reason for lack in outcome.missing)


UNPRIVILEGED = """
import os
from zapbench.host.settings import Needs, applied
os.setgid(65534)
os.setuid(65534)
with applied(Needs(hugetlb={2 << 20: 1 << 50})) as outcome:
    for lack in outcome.missing:
        print(lack.what, lack.reason)
    assert not outcome.changed
"""


@pytest.mark.skipif(os.geteuid() != 0, reason="gives up root, so needs it")
@pytest.mark.skipif(not Path("/", POOL_2M).exists(), reason="no 2 MiB pages here")
def test_without_root_the_needs_are_reported() -> None:
    done = subprocess.run(
        [sys.executable, "-c", UNPRIVILEGED],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "ZAPBENCH_STATE": "/nonexistent"},
    )
    assert "hugetlb pool of 2048 KiB pages 536870912 free pages needed" in done.stdout
    assert "not writable here; as root: echo" in done.stdout


needs_root = pytest.mark.skipif(
    not os.access(f"/{POOL_2M}/nr_hugepages", os.W_OK),
    reason="changes the hugetlb pool of this machine: needs root and 2 MiB pages",
)


@needs_root
def test_real_kernel_survives_kill(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The real files: a killed process's pool is given back by the next run."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path))
    root = Path("/")
    pool = root / POOL_2M / "nr_hugepages"
    with applied(Needs(mthp=frozenset({2 * MIB}))):  # waits for others, then they see ours
        before = int(settings.read(pool))
        wanted = (settings.pool_free(root, 2 * MIB) + 8) * 2 * MIB
    with holder(root, wanted) as process:
        raised = int(settings.read(pool))
        process.kill()
        process.wait()
    if raised == before:
        pytest.skip("this machine has no 8 huge pages to give")
    with applied(Needs(mthp=frozenset({2 * MIB}))) as outcome:
        assert int(settings.read(pool)) == before
    assert "hugetlb pool" in {change.setting for change in outcome.recovered}
