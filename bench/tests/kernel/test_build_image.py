# SPDX-License-Identifier: GPL-2.0-only
"""Images are believed by their hashes and built again when damaged; a cache may be read-only."""

import json
import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from zapbench import cli
from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.kernel import build, inventory
from zapbench.kernel.build import Image
from zapbench.kernel.catalogue import parse
from zapbench.vm import initramfs, target

pytestmark = pytest.mark.usefixtures("toy")


def cut(path: Path) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])


def flipped(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.write_bytes(content)


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def missing(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("damage", [cut, flipped, emptied, missing])
@pytest.mark.parametrize("name", [*build.FILES, build.SUMS])
def test_a_damaged_image_is_built_again(name: str, damage: Callable[[Path], None]) -> None:
    image = build.build(parse("1.2"))
    before = {name: (image.path / name).read_bytes() for name in ("bzImage", "build-id", "config")}
    assert image.whole()
    damage(image.path / name)
    assert not image.whole()
    assert [entry.images for entry in inventory.known()] == [(), ()]
    build.build(parse("1.2+zap"))  # counts the objects of the images that there are
    stages: list[str] = []
    again = build.build(parse("1.2"), progress=lambda stage, *_: stages.append(stage))
    assert "damaged image: build again" in stages
    assert again.whole()
    assert {name: (again.path / name).read_bytes() for name in before} == before
    assert inventory.known()[0].images == ("1.2.3",)


def before_symbols_were_kept(image: Image) -> None:
    image.symbols.unlink()
    sums = image.path / build.SUMS
    lines = sums.read_text().splitlines(keepends=True)
    sums.write_text("".join(line for line in lines if not line.endswith("System.map\n")))
    assert image.older


def test_an_image_from_before_symbols_were_kept_is_linked_again_by_itself() -> None:
    image = build.build(parse("1.2"))
    before = image.bzimage.read_bytes(), image.symbols.read_bytes()
    before_symbols_were_kept(image)
    assert target.image_of(str(image.bzimage)) == image.bzimage
    stages: list[str] = []
    again = build.build(parse("1.2"), progress=lambda stage, *_: stages.append(stage))
    assert "older image: build again" in stages
    assert again.meta["objects"] == 0
    assert (again.bzimage.read_bytes(), again.symbols.read_bytes()) == before


def test_an_image_that_is_an_empty_directory() -> None:
    image = build.build(parse("1.2"))
    shutil.rmtree(image.path)
    image.path.mkdir()
    assert build.build(parse("1.2")).whole()


def test_the_hashes_are_those_of_sha256sum() -> None:
    image = build.build(parse("1.2"))
    subprocess.run(["sha256sum", "--check", "--strict", build.SUMS], cwd=image.path, check=True)


def test_a_damaged_image_is_not_booted_by_its_path() -> None:
    image = build.build(parse("1.2"))
    assert target.image_of(str(image.bzimage)) == image.bzimage
    with image.bzimage.open("ab") as file:
        file.write(b"x")
    with pytest.raises(UsageError, match=r"bzImage is damaged: .*`zapbench kernel build` makes"):
        target.image_of(str(image.bzimage))


@pytest.mark.parametrize("damage", [cut, flipped, emptied, missing])
def test_what_is_remembered_is_found_out_again(damage: Callable[[Path], None]) -> None:
    cache.remember("vm/thing", b"content")
    assert cache.recall("vm/thing") == b"content"
    damage(cache.root() / "vm/thing")
    assert cache.recall("vm/thing") is None


@contextmanager
def read_only(place: Path) -> Iterator[None]:
    """A directory that nobody can write to, not even root."""
    if os.geteuid() != 0:
        pytest.skip("mounting read-only needs root")
    subprocess.run(["mount", "--bind", str(place), str(place)], check=True)
    try:
        subprocess.run(["mount", "-o", "remount,bind,ro", str(place)], check=True)
        yield
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True)


@pytest.mark.parametrize("locks", ["kept", "removed"])
def test_a_read_only_cache_works_for_what_is_in_it(
    locks: str, capsys: pytest.CaptureFixture[str]
) -> None:
    image = build.build(parse("1.2"))
    if locks == "removed":
        shutil.rmtree(cache.root() / "lock")
    with read_only(cache.root()):
        assert build.build(parse("1.2")) == Image(image.path)
        assert target.image_of("1.2") == image.bzimage
        assert inventory.known()[0].images == ("1.2.3",)
        assert initramfs.file_system_head()[1080:1082] == b"\x53\xef"
        assert status("kernel", "list", "--json") == 0
        assert json.loads(capsys.readouterr().out)[0]["images"] == ["1.2.3"]
        assert status("kernel", "fetch", "1.2") == 0
        with pytest.raises(EnvironmentMissing, match=r"cannot write to the cache .*ZAPBENCH_CACHE"):
            build.build(parse("1.2+zap"))


def test_a_read_only_cache_works_for_an_older_image_that_is_in_it() -> None:
    """Nothing but its System.map is missing, which no boot takes."""
    image = build.build(parse("1.2"))
    before_symbols_were_kept(image)
    with read_only(cache.root()):
        assert build.build(parse("1.2")) == Image(image.path)


def test_a_cache_that_is_not_there_is_empty(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "none"))
    assert [entry.images for entry in inventory.known()] == [(), ()]
    assert not (tmp_path / "none").exists()


def status(*words: str) -> int:
    """The exit status of a command."""
    with pytest.raises(SystemExit) as caught:
        cli.main(list(words))
    return int(str(caught.value.code))
