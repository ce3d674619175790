# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages, from an archive of two packages that the test makes in a directory."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_archive
import toy_kernel
from toy_archive import read_lists

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.file import write_if_changed
from zapbench.kernel import apt, catalogue, source
from zapbench.kernel.catalogue import DebianSource

VERSIONS = ("1.2.3-1", "1.2.4-1~deb1")
Require = Callable[[object, str], None]


def archive(directory: Path) -> None:
    """A repository with two suites; each offers both versions."""
    for version in VERSIONS:
        toy_archive.package(directory / "pool", "linux-source-1.2", version, toy_kernel.FILES)
    toy_archive.index(directory, "toys", "toys-backports")


@pytest.fixture(autouse=True)
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require) -> Path:
    """A machine whose apt lists the suite ``toys`` of the archive and has never read it."""
    for program in ("apt-get", "dpkg-deb"):
        require(shutil.which(program), f"{program} is not installed")
    archive(tmp_path / "archive")
    toy_archive.configure(tmp_path, monkeypatch)
    return tmp_path


def test_the_newest_and_a_point_release() -> None:
    read_lists()
    newest = apt.find("linux-source-1.2", suite=None, release=None)
    assert (newest.version, newest.upstream, newest.options) == ("1.2.4-1~deb1", "1.2.4", ())
    assert apt.find("linux-source-1.2", suite=None, release="1.2.3").version == "1.2.3-1"
    with pytest.raises(UsageError, match=r"not available as 1\.2\.9, only as 1\.2\.4, 1\.2\.3"):
        apt.find("linux-source-1.2", suite=None, release="1.2.9")


def test_lists_that_were_never_read_are_read_into_a_state_of_our_own(machine: Path) -> None:
    found = apt.find("linux-source-1.2", suite=None, release=None)
    assert found.version == "1.2.4-1~deb1"
    assert any(str(machine / "cache") in option for option in found.options)
    assert not [path for path in (machine / "lists").iterdir() if path.is_file()]


def test_no_such_package() -> None:
    read_lists()
    with pytest.raises(EnvironmentMissing, match="apt offers no linux-source-9"):
        apt.find("linux-source-9", suite=None, release=None)


def test_a_package_becomes_a_tree_and_its_download_is_not_kept(machine: Path) -> None:
    read_lists()
    wanted = DebianSource("linux-source-1.2", release="1.2.3")
    seen: list[tuple[str, int, int | None]] = []
    with source.checked_out(wanted, lambda *what: seen.append(what)) as tree:
        assert tree.source_id == "linux-source-1.2=1.2.3-1"
        assert (tree.source / "Kbuild").is_file()
    assert list((machine / "cache/download").iterdir()) == []
    assert {what[0] for what in seen} >= {"download"}
    shutil.rmtree(machine / "archive")  # not needed again
    with source.checked_out(wanted, lambda *what: None):
        pass


def test_a_download_goes_on_and_a_damaged_one_is_refused(machine: Path) -> None:
    read_lists()
    found = apt.find("linux-source-1.2", suite=None, release="1.2.3")
    directory = cache.subdirectory("download")
    name = "linux-source-1.2_1.2.3-1_all.deb"
    whole = (machine / "archive/pool" / name).read_bytes()
    (directory / name).write_bytes(whole[:100])
    assert apt.download(found, directory, cache.no_progress).read_bytes() == whole
    damaged = bytearray(whole)
    damaged[len(whole) // 2] ^= 1
    (machine / "archive/pool" / name).write_bytes(damaged)
    (directory / name).unlink()
    with pytest.raises(
        EnvironmentMissing, match=r"downloading linux-source-1\.2=1\.2\.3-1"
    ) as caught:
        apt.download(found, directory, cache.no_progress)
    assert "\n" not in str(caught.value)
    assert not (directory / name).exists() or (directory / name).read_bytes() != damaged


def test_a_file_with_another_checksum_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "x.deb"
    path.write_bytes(b"other")
    with pytest.raises(EnvironmentMissing, match=rf"has the SHA-256 .* not {'0' * 64}"):
        apt.verify(path, "0" * 64)
    assert not path.exists()


def test_a_suite_that_the_machine_does_not_list_comes_from_its_mirror(
    machine: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_lists()
    # An unsigned archive: only a test may trust it.
    original = write_if_changed

    def trusting(path: Path, content: bytes) -> bool:
        return original(path, content.replace(b"deb file:", b"deb [trusted=yes] file:"))

    monkeypatch.setattr(apt, "write_if_changed", trusting)
    (machine / "sources.list").write_text(f"deb [trusted=yes] file:{machine}/archive toys main\n")
    assert [suite for _, suite in apt.mirrors()] == ["toys"]
    options = apt._read_lists("toys-backports")
    assert [p.version for p in apt._versions("linux-source-1.2", options)] == [
        "1.2.4-1~deb1",
        "1.2.3-1",
    ]


def test_a_suite_that_no_mirror_has() -> None:
    read_lists()
    with pytest.raises(EnvironmentMissing) as caught:
        apt.find("linux-source-9", suite="nowhere", release=None)
    assert "reading the package lists of nowhere" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.kernel
@pytest.mark.timeout(600)
def test_every_base_of_the_project_can_be_found(
    monkeypatch: pytest.MonkeyPatch, require: Require
) -> None:
    """With the machine's own apt; nothing is downloaded but package lists."""
    monkeypatch.delenv("APT_CONFIG")
    monkeypatch.setattr(apt, "KEYRING", Path("/usr/share/keyrings/debian-archive-keyring.gpg"))
    for name in catalogue.load():
        wanted = catalogue.parse(name).source
        assert isinstance(wanted, DebianSource)
        try:
            found = apt.find(wanted.package, suite=wanted.suite, release=None)
        except EnvironmentMissing as error:
            require(False, str(error))
            raise
        assert found.upstream.startswith(f"{name}.")
