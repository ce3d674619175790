# SPDX-License-Identifier: GPL-2.0-only
"""The journal puts back what a run changed that did not end."""

import json
import os
import stat
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

import pytest
from limits import seconds
from toy_settings import (
    CONTAINER,
    KIB,
    NEEDS,
    PID_NAMESPACE,
    POOL_2M,
    contents,
    holder,
    kill,
    killed,
    leftover,
    need,
)

from zapbench.error import EnvironmentMissing
from zapbench.host import settings
from zapbench.host.journal import Journal, journal_directory
from zapbench.host.settings import Needs, applied


def test_killed_run_is_put_back_by_the_next(root: Path) -> None:
    before = contents(root)
    killed(root)
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
    killed(root)
    with applied(Needs(), root=root):
        assert contents(root) == before


@pytest.mark.parametrize("namespace", [PID_NAMESPACE, CONTAINER], ids=" ".join)
def test_a_run_killed_in_a_pid_namespace_is_put_back(root: Path, namespace: Sequence[str]) -> None:
    """Its pid is that of another process outside."""
    need(namespace)
    before = contents(root)
    killed(root, namespace)
    assert contents(root) != before
    with applied(Needs(), root=root) as outcome:
        assert len(outcome.recovered) == 3
    assert contents(root) == before
    killed(root)
    inside = "import sys, pathlib; from zapbench.host import settings as s\n"
    inside += "print(len(s.restore(pathlib.Path(sys.argv[1])).put_back))"
    command = [*namespace, sys.executable, "-c", inside, str(root)]
    assert subprocess.check_output(command, text=True) == "3\n"
    assert contents(root) == before


def test_a_living_run_is_one_by_its_locks(root: Path) -> None:
    """Whatever else says so: a journal that a living run has written is in use."""
    with holder(root):
        during = contents(root)
        with pytest.raises(EnvironmentMissing, match="another zapbench is measuring"):
            settings.restore(root)
        assert settings.left(root) == ""
        assert contents(root) == during
    assert "hugetlb pool of 2048 KiB pages" in settings.left(root)


def test_terminated_run_puts_back_itself(root: Path) -> None:
    before = contents(root)
    with holder(root) as process:
        process.terminate()
        assert process.wait(timeout=seconds(60)) != 0
        assert contents(root) == before
    assert not leftover(root).exists()


def test_what_is_put_back_is_told(root: Path) -> None:
    killed(root)
    (root / f"{POOL_2M}/nr_hugepages").write_text("64")
    restored = settings.restore(root)
    assert [change.setting for change in restored.left_alone] == ["hugetlb pool"]
    assert {change.setting for change in restored.put_back} == {"shmem huge pages", "khugepaged"}
    assert settings.restore(root) == settings.Restored()
    assert settings.left(root) == ""


def test_journal_of_an_earlier_boot_is_void(root: Path) -> None:
    killed(root)
    data = json.loads(leftover(root).read_text())
    leftover(root).write_text(json.dumps(data | {"boot": "another"}))
    assert settings.left(root) == ""
    with applied(Needs(mthp=frozenset({64 * KIB})), root=root) as outcome:
        pass
    assert outcome.recovered == ()
    assert settings.read(root / f"{POOL_2M}/nr_hugepages") == "10"
    assert not leftover(root).exists()


DAMAGED = {
    "empty": "",
    "half": '{"v": 1, "boot": "',
    "no changes": '{"v": 1}',
    "no boot": '{"changes": [{"setting": "../../etc/passwd"}]}',
    "not text": "\xff",
    "a list": "[]",
    "numbers": '{"boot": 1, "changes": 2}',
    "a size that is none": '{"boot": "", "changes": [{"setting": "khugepaged", "size": "0", '
    '"old": "1", "new": "0"}]}',
    "half a character": '{"boot": "", "changes": [{"setting": "khugepaged", "size": 0, '
    '"old": "\\udc80", "new": "0"}]}',
    "deep": "[" * 100_000,
}


@pytest.mark.parametrize("text", DAMAGED.values(), ids=DAMAGED)
def test_damaged_journal_is_one_clear_line(root: Path, text: str) -> None:
    leftover(root).parent.mkdir()
    leftover(root).write_text(text, encoding="latin-1")
    before = contents(root)
    with (
        pytest.raises(EnvironmentMissing, match=r"is no journal .*, then remove it$") as caught,
        applied(NEEDS, root=root),
    ):
        pytest.fail("entered with a damaged journal")
    assert "\n" not in str(caught.value)
    assert str(leftover(root)) in str(caught.value)
    assert str(leftover(root)) in settings.left(root)
    assert contents(root) == before
    leftover(root).unlink()
    with applied(NEEDS, root=root) as outcome:
        assert outcome.missing == ()


def test_journal_never_writes_outside_the_table(root: Path) -> None:
    killed(root)
    data = json.loads(leftover(root).read_text())
    data["changes"][0]["setting"] = "kernel.core_pattern"
    leftover(root).write_text(json.dumps(data))
    with pytest.raises(EnvironmentMissing, match="unknown setting"), applied(NEEDS, root=root):
        pytest.fail("entered with a foreign journal")


def test_a_page_size_that_is_not_here_is_one_clear_line(root: Path) -> None:
    killed(root)
    data = json.loads(leftover(root).read_text())
    data["changes"][0]["size"] = 3 * KIB
    leftover(root).write_text(json.dumps(data))
    with pytest.raises(EnvironmentMissing, match=r"3 KiB pages: .*No such file.*then remove"):
        settings.restore(root)


@pytest.mark.skipif(os.geteuid() != 0, reason="gives files away, so needs root")
@pytest.mark.parametrize("planted", ["directory", "file", "link", "mode"])
def test_root_believes_root_alone(root: Path, planted: str) -> None:
    before = contents(root)
    killed(root)
    if planted == "directory":
        os.chown(leftover(root).parent, 65534, 65534)
    elif planted == "file":
        os.chown(leftover(root), 65534, 65534)
    elif planted == "mode":
        leftover(root).chmod(0o666)
    else:
        elsewhere = leftover(root).rename(root / "elsewhere")
        leftover(root).symlink_to(elsewhere)
    during = contents(root)
    with (
        pytest.raises(EnvironmentMissing, match="can be written by others than root"),
        applied(NEEDS, root=root),
    ):
        pytest.fail("believed another user")
    assert contents(root) == during != before


@pytest.mark.parametrize("umask", [0o000, 0o077])
def test_all_may_read_it_and_its_user_alone_writes(tmp_path: Path, umask: int) -> None:
    journal = Journal(tmp_path / "run/zapbench/settings.json", frozenset())
    before = os.umask(umask)
    try:
        journal.save([])
    finally:
        os.umask(before)
    assert stat.S_IMODE(journal.path.parent.stat().st_mode) == 0o755
    assert stat.S_IMODE(journal.path.stat().st_mode) == 0o644 & ~umask
    assert journal.load() == ()


def test_one_machine_has_one_journal(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ZAPBENCH_STATE", raising=False)
    for name in ("HOME", "XDG_STATE_HOME"):
        monkeypatch.setenv(name, "/somewhere")
    assert journal_directory(Path("/")) == Path("/run/zapbench")


def test_nothing_is_changed_without_a_journal(root: Path) -> None:
    leftover(root).parent.write_text("a file where the directory should be")
    before = contents(root)
    with applied(NEEDS, root=root) as outcome:
        assert contents(root) == before
    assert len(outcome.missing) == 4
    assert all("no journal can be kept" in lack.reason for lack in outcome.missing)


def test_a_half_written_journal_of_a_killed_run_is_removed(root: Path) -> None:
    half = leftover(root).with_name(".settings.json.1")
    half.parent.mkdir()
    half.write_text("{")
    with applied(NEEDS, root=root):
        assert not half.exists()


def test_another_file_system_of_settings_does_not_hide_a_living_run(root: Path) -> None:
    """As in a network namespace: its /sys has locks of its own, but /run is the same."""
    other = root.parent / "other"
    subprocess.run(["cp", "-r", str(root), str(other)], check=True)
    with holder(root) as process:
        with pytest.raises(EnvironmentMissing, match="another zapbench"):
            settings.restore(other)
        kill(process)
    assert settings.restore(other) != settings.Restored()
