# SPDX-License-Identifier: GPL-2.0-only
"""Sources that are fetched, and those that cannot be used."""

import subprocess
from pathlib import Path

import pytest
import toy_kernel
from toy_build import line_of

from zapbench.error import EnvironmentMissing, UsageError, ZapbenchError
from zapbench.kernel import build, source
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")


def test_wrong_and_missing_tarballs(toy: Path, tmp_path: Path) -> None:
    archive = toy / "toy.tar.gz"
    good = toy_kernel.tarball(archive)
    assert f"has the SHA-256 {good}, not {'0' * 64}" in line_of(
        UsageError, f"tar:{archive}@{'0' * 64}"
    )
    assert "no tarball at /nowhere" in line_of(UsageError, f"tar:/nowhere@{good}")
    assert "cannot download file:///nowhere" in line_of(
        EnvironmentMissing, f"tar:file:///nowhere@{good}"
    )
    assert "is not an http" in line_of(UsageError, f"tar:gopher://h/x@{good}")
    by_url = build.build(parse(f"tar:file://{archive}@{good}"))
    assert by_url.build_id == build.build(parse(f"tar:{archive}@{good}")).build_id


@pytest.mark.parametrize("content", [b"", b"no archive", b"\xfd7zXZ\0broken"])
def test_a_tarball_that_holds_no_kernel(tmp_path: Path, content: bytes) -> None:
    archive = tmp_path / "odd.tar"
    archive.write_bytes(content)
    digest = subprocess.run(
        ["sha256sum", str(archive)], check=True, capture_output=True, text=True
    ).stdout.split()[0]
    line = line_of(EnvironmentMissing, f"tar:{archive}@{digest}")
    assert "odd.tar" in line


def test_no_room(small_disk: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(small_disk))
    assert "needs 0.0 GB in" in line_of(EnvironmentMissing, "1.2")
    # The estimate was wrong, and the disk is full half-way.
    monkeypatch.setattr(source, "UNPACKED_SIZE", 0)
    (small_disk / "ballast").write_bytes(bytes(200 << 10))
    assert "no space left in" in line_of(EnvironmentMissing, "1.2")


def test_commits_share_a_tree_and_only_what_differs_is_built(tmp_path: Path) -> None:
    first = toy_kernel.repository(tmp_path / "linux")
    before = build.build(parse(f"git:{tmp_path}/linux@{first}"))
    after = build.build(parse(f"git:{tmp_path}/linux@main"))
    assert after.meta["objects"] == 1
    assert after.build_id != before.build_id
    assert build.build(parse(f"git:{tmp_path}/linux@HEAD~1")).path == before.path


def test_a_repository_at_a_url_is_fetched_without_history(tmp_path: Path) -> None:
    toy_kernel.repository(tmp_path / "linux")
    url = f"file://{tmp_path}/linux"
    assert build.build(parse(f"git:{url}@main")).build_id
    assert "cannot fetch 'nothing' from" in line_of_other(UsageError, f"git:{url}@nothing")


def line_of_other(kind: type[ZapbenchError], name: str) -> str:
    """The message of a build that fails in a cache that holds good images already."""
    with pytest.raises(kind) as caught:
        build.build(parse(name))
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_trees_that_cannot_be_trusted(tmp_path: Path) -> None:
    linux = tmp_path / "linux"
    assert "is not a git repository" in line_of(UsageError, f"git:{tmp_path}@HEAD")
    first = toy_kernel.repository(linux)
    assert "has no commit 'v9'" in line_of(UsageError, f"git:{linux}@v9")
    toy_kernel.git(tmp_path, "clone", "-q", "--depth=1", f"file://{linux}", "shallow")
    line = line_of(UsageError, f"git:{tmp_path}/shallow@{first}")
    assert "is a shallow clone without" in line
    assert "fetch --unshallow" in line
    (linux / "mm/madvise.c").write_text("changed\n")
    line = line_of(UsageError, f"git:{linux}@HEAD")
    assert "has 1 changed files that HEAD does not hold (mm/madvise.c)" in line
    build.build(parse(f"git:{linux}@{first}"))  # named by its hash: meant
    assert (linux / "mm/madvise.c").read_text() == "changed\n"
    toy_kernel.git(tmp_path, "init", "-q", "empty")
    (tmp_path / "empty/file").write_text("")
    toy_kernel.git(tmp_path / "empty", "add", "file")
    toy_kernel.git(tmp_path / "empty", "commit", "-q", "-m", "no kernel")
    assert "holds no kernel source" in line_of_other(UsageError, f"git:{tmp_path}/empty@HEAD")
