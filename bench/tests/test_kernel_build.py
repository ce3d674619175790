# SPDX-License-Identifier: GPL-2.0-only
"""From a name to an image and back to the cache, with a toy in the place of a kernel.

Each test of bad input asserts one line that says what is wrong, and a cache in which nothing
half-made is left.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_kernel

from zapbench.error import BuildFailed, EnvironmentMissing, UsageError, ZapbenchError
from zapbench.host import cache
from zapbench.kernel import build, catalogue, config, source, tree
from zapbench.kernel.catalogue import parse

Require = Callable[[object, str], None]


@pytest.fixture(autouse=True)
def toy(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require) -> Path:
    """A catalogue with the toy, and a cache of the test's own."""
    for program in ("gcc", "git", "flex", "bison", "bc", "make", "setpriv", "readelf"):
        require(shutil.which(program), f"{program} is not installed")
    (tmp_path / "kernel").mkdir()
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("ZAPBENCH_KERNEL_DIR", str(toy_kernel.catalogue(tmp_path / "kernel")))
    monkeypatch.setattr(source, "UNPACKED_SIZE", 1 << 20)
    monkeypatch.setenv("MAKEFLAGS", "-n")  # as from a make of the caller: must not reach a build
    monkeypatch.setenv("GIT_DIR", "/nowhere")
    catalogue.directory.cache_clear()
    yield tmp_path / "kernel"  # type: ignore[misc]
    catalogue.directory.cache_clear()


def line_of(kind: type[ZapbenchError], name: str, **options: object) -> str:
    """The message of a build that fails; it is one line, and nothing half-made is left."""
    with pytest.raises(kind) as caught:
        build.build(parse(name), **options)  # type: ignore[arg-type]
    parts = [path for path in cache.root().rglob("*") if path.name.endswith(".part")]
    assert parts == []
    assert not [path for path in (cache.root() / "image").glob("*") if path.is_dir()]
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_an_image_holds_what_it_is_made_of() -> None:
    image = build.build(parse("1.2"))
    assert {path.name for path in image.path.iterdir()} == {
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
    monkeypatch.setattr(build, "_toolchain", lambda: ["gcc 99", "ld 99"])
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


def test_a_patch_that_does_not_apply_names_itself_and_its_hunk(toy: Path) -> None:
    wrong = """\
--- a/mm/madvise.c
+++ b/mm/madvise.c
@@ -1,4 +1,4 @@
 int zap(void)
 {
-\treturn 26;
+\treturn 27;
 }
@@ -11,4 +11,4 @@
 int second(void)
 {
-\treturn 22;
+\treturn 23;
 }
"""
    (toy / "series/1.2/0002-wrong.patch").write_text(wrong)
    assert "0002-wrong.patch does not apply: hunk 2 of mm/madvise.c" in line_of(
        BuildFailed, "1.2+zap"
    )
    (toy / "series/1.2/0002-wrong.patch").write_text("no patch at all\n")
    assert "0002-wrong.patch does not apply: error: No valid patches" in line_of(
        BuildFailed, "1.2+zap"
    )
    # The tree was not touched, so the base and another series build from it.
    (toy / "series/1.2/0002-wrong.patch").unlink()
    build.build(parse("1.2+zap"))


def test_a_patch_cannot_write_outside_the_tree(toy: Path, tmp_path: Path) -> None:
    (toy / "series/1.2/0001-zap.patch").write_text(
        toy_kernel.PATCH.replace("b/mm/zap.c", "b/../../../../escaped")
    )
    line_of(BuildFailed, "1.2+zap")
    assert not list(tmp_path.rglob("escaped"))


def test_a_symbol_that_does_not_survive_is_named() -> None:
    line = line_of(BuildFailed, "1.2", configuration="wrong")
    assert "did not keep CONFIG_NONE=y" in line


def test_configurations_that_are_none(toy: Path, tmp_path: Path) -> None:
    assert "no config 'colour'" in line_of(UsageError, "1.2", configuration="colour")
    path = tmp_path / "odd.config"
    path.write_text("CONFIG_MMU=y\nMMU=y\n")
    assert "odd.config:2: 'MMU=y' is no CONFIG_" in line_of(
        UsageError, "1.2", configuration=str(path)
    )
    path.write_bytes(b"\xff\xfe")
    assert "cannot read kernel config" in line_of(UsageError, "1.2", configuration=str(path))


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


def test_a_cache_in_which_make_cannot_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / "a cache"))
    assert "contains a space or colon" in line_of(UsageError, "1.2")


def test_a_cache_that_cannot_be_made(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ZAPBENCH_CACHE", "/proc/cache")
    with pytest.raises(EnvironmentMissing, match="cannot make the cache directory /proc/cache"):
        build.build(parse("1.2"))


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


def test_missing_programs_name_their_package(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(shutil, "which", lambda name, path=None: None)
    with pytest.raises(
        EnvironmentMissing, match="make is not installed: sudo apt-get install make"
    ):
        build.build(parse("1.2"))


def test_two_runs_at_once_build_once(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[float] = []
    compiled = build.compile_

    def slow(*words: object) -> int:
        calls.append(time.monotonic())
        time.sleep(0.3)
        return compiled(*words)  # type: ignore[arg-type]

    monkeypatch.setattr(build, "compile_", slow)
    images: list[build.Image] = []
    runs = [
        threading.Thread(target=lambda: images.append(build.build(parse("1.2")))) for _ in range(3)
    ]
    for run in runs:
        run.start()
    for run in runs:
        run.join()
    assert len(calls) == 1
    assert len({image.path for image in images}) == 1


def test_a_killed_run_leaves_the_lock_free_and_the_cache_whole() -> None:
    script = (
        "import time; from zapbench.kernel import build, catalogue\n"
        "def stuck(*words): print('compiling', flush=True); time.sleep(60)\n"
        "build.compile_ = stuck\n"
        "build.build(catalogue.parse('1.2+zap'))\n"
    )
    command = [sys.executable, "-c", script]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        try:
            assert child.stdout.readline() == b"compiling\n"
        finally:
            child.kill()
    assert build.build(parse("1.2")).build_id
    assert build.build(parse("1.2+zap")).build_id


def test_a_series_comes_and_goes_without_touching_other_files(tmp_path: Path) -> None:
    linux = tree.Tree(tmp_path / "tree", "toy")
    toy_kernel.write(linux.source)
    stamps = {path: path.stat().st_mtime_ns for path in linux.source.rglob("*") if path.is_file()}
    series = parse("1.2+zap").series
    linux.apply(series)
    assert "return 26;" in (linux.source / "mm/madvise.c").read_text()
    assert (linux.source / "mm/zap.c").read_text() == "int added;\n"
    patched = (linux.source / "mm/madvise.c").stat().st_mtime_ns
    linux.apply(series)
    assert (linux.source / "mm/madvise.c").stat().st_mtime_ns == patched
    linux.apply(None)
    assert (linux.source / "mm/madvise.c").read_text() == toy_kernel.MADVISE
    assert not (linux.source / "mm/zap.c").exists()
    changed = {path.name for path in stamps if path.stat().st_mtime_ns != stamps[path]}
    assert changed == {"madvise.c"}


def test_the_build_plan() -> None:
    linux = tree.Tree(Path("/cache/tree/linux"), "toy")
    command = build.make_command(linux, linux.source / ".zapbench-bench-0")
    compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
    assert command == [
        "make",
        f"-j{len(os.sched_getaffinity(0))}",
        "-C",
        "/cache/tree/linux/source",
        "O=.zapbench-bench-0",
        "ARCH=x86_64",
        f"CC={compiler}",
        f"HOSTCC={compiler}",
        "KCFLAGS=-fdebug-prefix-map=/cache/tree/linux/source/.zapbench-bench-0=.",
    ]
    env = build.build_environment(linux)
    assert env["KBUILD_BUILD_USER"] == env["KBUILD_BUILD_HOST"] == "zapbench"
    assert env["KBUILD_BUILD_TIMESTAMP"].endswith("1970")
    assert env["CCACHE_BASEDIR"] == "/cache/tree/linux"


def test_every_symbol_of_the_project_has_a_reason() -> None:
    fragments = Path(__file__).parents[2] / "kernel/config"
    for path in fragments.glob("*.config"):
        reasoned = False
        for line in path.read_text().splitlines():
            symbol = line.startswith("CONFIG_") or line.endswith("is not set")
            assert not symbol or reasoned, f"{path.name}: {line} has no comment before it"
            reasoned = bool(line.strip())
        assert config.read(path)


def test_the_first_error_of_a_log() -> None:
    log = "  CC      mm/a.o\n../mm/a.c:3:1: error: expected ';'\n../mm/b.c:9: error: other\n"
    assert build.first_error(log) == "mm/a.c:3:1: error: expected ';'"
    log = "  LD      vmlinux\nld: a.o: undefined reference to `zap'\nmake: *** [vmlinux] Error 1\n"
    assert build.first_error(log) == "ld: a.o: undefined reference to `zap'"
    assert build.first_error("make[1]: *** No rule to make target 'x'.\n").startswith("make[1]")
    assert build.first_error("") == "make failed without a word"
