# SPDX-License-Identifier: GPL-2.0-only
"""Settings are met, reported and put back, whatever ends the process."""

import json
import os
import re
import signal
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

import pytest
from limits import seconds, until
from toy_settings import (
    CONTAINER,
    GIB,
    KIB,
    MIB,
    NEEDS,
    PID_NAMESPACE,
    POOL_1G,
    POOL_2M,
    THP,
    contents,
    holder,
    kill,
    leftover,
    need,
    on_this_machine,
)

from zapbench.error import EnvironmentMissing, Interrupted
from zapbench.host import settings
from zapbench.host.journal import Change, Journal
from zapbench.host.settings import Needs, applied


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


def test_second_run_is_refused_and_breaks_nothing(root: Path) -> None:
    said: list[str] = []
    with holder(root):
        during = contents(root)
        with (
            pytest.raises(EnvironmentMissing, match="another zapbench"),
            applied(NEEDS, root=root, patience=0.3, on_wait=said.append),
        ):
            pytest.fail("entered next to a living run")
        assert contents(root) == during
    assert said == ["waiting for another zapbench that is measuring on this machine"]


def test_second_run_waits_for_the_first(root: Path) -> None:
    with holder(root) as process:

        def finish(message: str) -> None:
            process.terminate()

        with applied(NEEDS, root=root, patience=seconds(30), on_wait=finish) as outcome:
            assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"
        assert outcome.recovered == ()
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "4"


A_PAGE_MORE = Change("hugetlb pool", 2 * MIB, "0", "1")
UNPRIVILEGED = """
import os
from zapbench.host import settings
os.setgid(65534)
os.setuid(65534)
with settings.applied(settings.Needs(hugetlb={2 << 20: 1 << 50})) as outcome:
    for lack in outcome.missing:
        print(f"{lack.what}: {lack.reason}")
    assert not outcome.changed
try:
    print(settings.restore())
except settings.EnvironmentMissing as error:
    print(error)
"""


def unprivileged(state: Path, about: str) -> list[str]:
    """What a user without rights is told, with this directory for the journal.

    Asked until no other run holds the settings, and something about this is told.
    """

    def told() -> list[str] | None:
        done = subprocess.run(
            [sys.executable, "-c", UNPRIVILEGED],
            capture_output=True,
            text=True,
            check=True,
            env={**os.environ, "ZAPBENCH_STATE": str(state)},
        )
        lines = done.stdout.splitlines()
        whole = any(line.startswith(f"{about}: ") for line in lines)
        return lines if whole and "another zapbench" not in lines[-1] else None

    found = until(told, f"what is told about {about}", 120)
    assert found is not None
    return found


gives_up_root = pytest.mark.skipif(
    os.geteuid() != 0 or not Path("/", POOL_2M).exists(),
    reason="gives up root, and looks at 2 MiB pages: needs both",
)


@gives_up_root
def test_without_root_the_needs_are_reported() -> None:
    told = unprivileged(Path("/nonexistent"), "hugetlb pool of 2048 KiB pages")
    assert any("2048 KiB pages: 536870912 free pages needed" in line for line in told)
    assert any("not writable here; as root: echo" in line for line in told)
    assert told[-1] == str(settings.Restored())


@gives_up_root
@pytest.mark.parametrize(
    ("mode", "said"),
    [
        (0o755, "changed by a run that was killed: hugetlb pool of 2048 KiB pages: run `sudo "),
        (0o700, "cannot read"),
    ],
)
def test_without_root_it_is_told_what_is_left_and_goes_on(mode: int, said: str) -> None:
    with tempfile.TemporaryDirectory() as state:  # not below what pytest hides
        Journal(Path(state) / "settings.json", frozenset()).save([A_PAGE_MORE])
        Path(state).chmod(mode)
        told = unprivileged(Path(state), "settings")
    (line,) = (line for line in told if line.startswith("settings: "))
    assert said in line
    advice = r"sudo ('[^']*zapbench'|\S*zapbench) doctor --restore"  # quoted, if there is a space
    assert re.search(f"run `{advice}`$", line)
    assert re.search(f": {advice}$", told[-1])


NETWORK_NAMESPACE = ("unshare", "--net", "--mount", "--kill-child", "--fork")
OWN_SYS = (*NETWORK_NAMESPACE, "sh", "-c", 'mount -t sysfs sysfs /sys && exec "$@"', "sh")
WAYS = {"plain": (), "pid namespace": PID_NAMESPACE, "container": CONTAINER, "own /sys": OWN_SYS}
needs_root = pytest.mark.skipif(
    not os.access(f"/{POOL_2M}/nr_hugepages", os.W_OK),
    reason="changes the hugetlb pool of this machine: needs root and 2 MiB pages",
)


@needs_root
@pytest.mark.parametrize("within", WAYS.values(), ids=WAYS)
def test_real_kernel_survives_kill(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, within: Sequence[str]
) -> None:
    """The real files: a killed process's pool is given back by the next run."""
    need(within)
    with on_this_machine(tmp_path, monkeypatch):
        survives_kill(within)


def survives_kill(within: Sequence[str]) -> None:
    root = Path("/")
    pool = root / POOL_2M / "nr_hugepages"
    with applied(Needs(mthp=frozenset({2 * MIB}))):  # waits for others, then they see ours
        before = int(settings.read(pool))
        wanted = (settings.pool_free(root, 2 * MIB) + 8) * 2 * MIB
    with holder(root, wanted, within) as process:
        raised = int(settings.read(pool))
        with pytest.raises(EnvironmentMissing, match="another zapbench is measuring"):
            settings.restore()
        assert int(settings.read(pool)) == raised
        kill(process)
    if raised == before:
        pytest.skip("this machine has no 8 huge pages to give")
    with applied(Needs(mthp=frozenset({2 * MIB}))) as outcome:
        assert int(settings.read(pool)) == before
    assert "hugetlb pool" in {change.setting for change in outcome.recovered}


@needs_root
def test_what_an_older_version_left_is_put_back(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It kept a journal in each home directory, with the pid of its run."""
    monkeypatch.delenv("ZAPBENCH_STATE", raising=False)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    old = Journal(tmp_path / "zapbench/settings.json", frozenset())
    pool = Path("/", POOL_2M, "nr_hugepages")
    with settings.locked(Path("/"), seconds(120)):  # until others have ended
        before = int(settings.read(pool))
        change = Change("hugetlb pool", 2 * MIB, str(before), str(before + 2))
        old.save([change])
        data = json.loads(old.path.read_text())
        old.path.write_text(json.dumps(data | {"pid": 1, "started": 0}))
        pool.write_text(change.new)
        assert settings.recover(Path("/")).put_back == (change,)
        assert int(settings.read(pool)) == before
    assert not old.path.exists()
