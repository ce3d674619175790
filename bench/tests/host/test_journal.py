# SPDX-License-Identifier: GPL-2.0-only
"""The journal puts back what a run changed that did not end."""

import json
from pathlib import Path

import pytest
from limits import seconds
from toy_settings import KIB, NEEDS, POOL_2M, contents, holder, leftover

from zapbench.error import EnvironmentMissing
from zapbench.host import journal, settings
from zapbench.host.settings import Needs, applied


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
        assert process.wait(timeout=seconds(60)) != 0
        assert contents(root) == before
    assert not leftover(root).exists()


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
        pytest.fail("entered next to a living run")
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
