# SPDX-License-Identifier: GPL-2.0-only
"""Source packages as trees."""

import subprocess
from pathlib import Path

import pytest
import toy_archive
from toy_history import files, log, make, offer
from toy_kernel import git

from zapbench.error import EnvironmentMissing
from zapbench.host import cache
from zapbench.kernel.git import Repository
from zapbench.kernel.history import releases, snapshot

pytestmark = pytest.mark.usefixtures("toy_apt")


def test_the_trees_are_what_the_packages_hold(tmp_path: Path) -> None:
    made = make(tmp_path / "history", "1.2.3")
    expected = tmp_path / "expected"
    toy_archive.tarball(tmp_path / "toy.tar", files("1.2.3"))
    expected.mkdir()
    subprocess.run(
        ["tar", "-xf", tmp_path / "toy.tar", "--strip-components=1", "-C", expected], check=True
    )
    git(expected, "init", "-q")
    git(expected, "add", "-A", "--force")
    assert git(made.path, "rev-parse", "v1.2.3^{tree}") == git(expected, "write-tree")


@pytest.mark.parametrize("date", [None, "Fri, 32 Mar 2025 10:00:00 +9999"])
def test_without_a_date_in_a_changelog_the_newest_file_gives_it(
    tmp_path: Path, date: str | None
) -> None:
    pool = tmp_path / "archive/pool"
    toy_archive.package(pool, "linux-source-1.10", "1.10.3-1", files("1.10.3"), date)
    offer(tmp_path / "archive")
    made = make(tmp_path / "history", "1.10.3")
    assert log(made.path, "1.10", "%at") == ["1000000000"]


def test_a_damaged_package_is_one_line(tmp_path: Path) -> None:
    repository = Repository(tmp_path / "history")
    releases.begin(repository, "debian")
    good = tmp_path / "archive/pool/linux-source-1.2_1.2.3-1_all.deb"
    cut = tmp_path / "cut.deb"
    cut.write_bytes(good.read_bytes()[:-9000])
    empty = toy_archive.package(tmp_path / "x", "linux-source-1.2", "1-1", {"README": "no"})
    for archive, reason in ((cut, "cannot unpack cut.deb"), (empty, "holds no kernel source")):
        with pytest.raises(EnvironmentMissing, match=reason) as caught:
            snapshot.add(repository, archive, "linux-source-1.2", cache.no_progress)
        assert "\n" not in str(caught.value)
