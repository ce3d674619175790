# SPDX-License-Identifier: GPL-2.0-only
"""From a name to an image and back to the cache, with a toy in the place of a kernel.

Each test of bad input asserts one line that says what is wrong, and a cache in which nothing
half-made is left.
"""

import re
import shutil
from pathlib import Path

import pytest
import toy_kernel
from toy_build import line_of

from zapbench.error import BuildFailed, EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.packages import install
from zapbench.kernel import build
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")


def test_an_image_holds_what_it_is_made_of() -> None:
    image = build.build(parse("1.2"))
    assert {path.name for path in image.path.iterdir()} == {
        "SHA256SUMS",
        "System.map",
        "bzImage",
        "build-id",
        "config",
        "meta.json",
    }
    assert (image.path / "config").read_text() == "CONFIG_BASE=y\nCONFIG_MMU=y\n"
    assert len(image.build_id) == 40
    assert image.meta["name"] == "1.2"
    assert image.meta["release"] == "1.2.3"
    assert image.meta["objects"] == 2
    assert image.meta["series"] is None
    assert re.search(r"^[0-9a-f]{16} T zap$", image.symbols.read_text(), re.MULTILINE)


def test_nothing_is_built_twice_and_bases_share_their_objects() -> None:
    plain = build.build(parse("1.2"))
    patched = build.build(parse("1.2+zap"))
    assert patched.build_id != plain.build_id
    assert patched.meta["objects"] == 1  # mm/madvise.o, not init/main.o
    stamp = plain.bzimage.stat().st_mtime_ns
    assert build.build(parse("1.2")).bzimage.stat().st_mtime_ns == stamp


def test_the_same_inputs_give_the_same_bytes_in_any_place(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.build(parse("1.2+zap"))  # then back to the base: incremental
    shutil.rmtree(cache.root() / "image")
    incremental = build.build(parse("1.2"))
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "another"))
    clean = build.build(parse("1.2"))
    assert clean.path != incremental.path
    assert clean.path.name == incremental.path.name
    assert clean.bzimage.read_bytes() == incremental.bzimage.read_bytes()


def test_what_enters_the_key(toy: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = [build.build(parse("1.2")).path.name, build.build(parse("1.2+zap")).path.name]
    (toy / "config/bench.config").write_text("# only a comment\nCONFIG_MMU=y\n")
    assert build.build(parse("1.2")).path.name == keys[0]
    (toy / "config/base.config").write_text("CONFIG_BASE=y\n")
    keys.append(build.build(parse("1.2"), configuration="base").path.name)
    monkeypatch.setattr(build, "_toolchain", lambda name: ["gcc 99", "ld 99"])
    keys.append(build.build(parse("1.2")).path.name)
    assert len(set(keys)) == len(keys)


def test_progress_counts_objects() -> None:
    seen: list[tuple[str, int, int | None]] = []
    build.build(parse("1.2"), progress=lambda *what: seen.append(what))
    assert [what for what in seen if what[0] == "compile"][-1] == ("compile", 2, 2)
    assert "unpack" in {what[0] for what in seen}


def test_a_compiler_error_is_shown_remembered_and_retried(toy: Path) -> None:
    patch = toy / "series/1.2/0001-zap.patch"
    patch.write_text(toy_kernel.PATCH.replace("return 26;", "return MADV_ZAP;"))
    first = line_of(BuildFailed, "1.2+zap")
    assert "mm/madvise.c:3:16: error:" in first
    assert "MADV_ZAP" in first
    log = Path(first.rpartition("log: ")[2].rstrip(")"))
    assert "MADV_ZAP" in log.read_text()
    stamp = log.stat().st_mtime_ns
    again = line_of(BuildFailed, "1.2+zap")
    assert again.startswith(first)
    assert "--retry" in again
    assert log.stat().st_mtime_ns == stamp
    assert "error:" in line_of(BuildFailed, "1.2+zap", retry=True)
    assert log.stat().st_mtime_ns != stamp
    patch.write_text(toy_kernel.PATCH)
    build.build(parse("1.2+zap"))


def test_a_cache_in_which_make_cannot_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "a cache"))
    assert "contains a space or colon" in line_of(UsageError, "1.2")


def test_missing_programs_name_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(EnvironmentMissing, match=f"make is not installed: {install('make')}"):
        build.build(parse("1.2"))
