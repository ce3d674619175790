# SPDX-License-Identifier: GPL-2.0-only
"""What surrounds a build neither changes its bytes nor is remembered as the kernel's fault."""

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
import toy_kernel
from processes import JUNK
from toy_build import line_of

from zapbench.error import BuildFailed, EnvironmentMissing
from zapbench.host import cache
from zapbench.kernel import build, config
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")

# The image holds the environment of the command that made it.
TELLING = toy_kernel.MAKEFILE.replace("cat vmlinux; }", "cat vmlinux; env | sort; }")


def repository(path: Path, makefile: str) -> str:
    """The toy with another Makefile, as a kernel's name."""
    toy_kernel.repository(path)
    (path / "Makefile").write_text(makefile)
    toy_kernel.git(path, "commit", "-q", "-a", "-m", "another makefile")
    return f"git:{path}@main"


def test_what_is_exported_is_not_in_the_bytes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = repository(tmp_path / "linux", TELLING)
    clean = build.build(parse(name))
    content = clean.bzimage.read_bytes()
    assert b"\nKBUILD_BUILD_USER=zapbench\n" in content
    shutil.rmtree(clean.path)
    for objects in (cache.root() / "tree").glob("*/source/.zapbench-*"):
        shutil.rmtree(objects)
    for variable in JUNK:
        monkeypatch.setenv(variable, "/junk")
    monkeypatch.setenv("HOME", "/nonexistent")
    monkeypatch.chdir("/")
    again = build.build(parse(name))
    assert again.path == clean.path
    assert again.bzimage.read_bytes() == content


def test_a_cache_of_ccache_that_cannot_be_written(
    monkeypatch: pytest.MonkeyPatch, require: Callable[[object, str], None]
) -> None:
    require(shutil.which("ccache"), "ccache is not installed")
    monkeypatch.setenv("CCACHE_DIR", "/proc/nowhere")
    for _ in range(2):
        said = line_of(EnvironmentMissing, "1.2")
        assert "ccache: error: " in said
        assert "/proc/nowhere" in said
        assert "***" not in said
    assert list((cache.root() / "image").iterdir()) == []
    monkeypatch.delenv("CCACHE_DIR")
    assert build.build(parse("1.2")).whole()


@pytest.mark.parametrize(
    ("command", "kind"),
    [
        ("kill -9 $$$$", EnvironmentMissing),
        ("echo x >/proc/nowhere", BuildFailed),
        ("echo 'gcc: fatal error: Killed signal terminated program cc1'; exit 1", None),
    ],
)
def test_a_failure_that_is_not_the_kernel_s_is_tried_again(
    tmp_path: Path, command: str, kind: type[BuildFailed] | None
) -> None:
    sick = tmp_path / "sick"
    recipe = f"\t@if test -e {sick}; then {command}; fi\n\t@$(CC) -c -o $@ $<\n"
    makefile = toy_kernel.MAKEFILE.replace("\t@$(CC) -c -o $@ $<\n", recipe)
    name = repository(tmp_path / "linux", makefile)
    sick.touch()
    line_of(kind or EnvironmentMissing, name)
    assert list((cache.root() / "image").iterdir()) == []
    sick.unlink()
    assert build.build(parse(name)).whole()


def test_a_step_before_compiling_shows_its_first_error(tmp_path: Path) -> None:
    makefile = toy_kernel.MAKEFILE.replace(
        "\techo CONFIG_BASE=y > $(config)",
        "\t@echo 'mm/Kconfig:3: error: no symbol' >&2; exit 1",
    )
    said = line_of(BuildFailed, repository(tmp_path / "linux", makefile))
    assert said.startswith("tinyconfig: mm/Kconfig:3: error: no symbol (") or said == (
        "tinyconfig: mm/Kconfig:3: error: no symbol"
    )


def test_clang_is_another_image(require: Callable[[object, str], None]) -> None:
    require(shutil.which("ld.lld"), "clang and lld are not installed")
    by_gcc, by_clang = (build.build(parse("1.2"), toolchain=name) for name in ("gcc", "clang"))
    assert by_gcc.path != by_clang.path
    assert "clang version" in by_clang.meta["toolchain"][0]
    assert (
        by_clang.meta["toolchain"][1].startswith("Debian LLD")
        or "LLD" in (by_clang.meta["toolchain"][1])
    )
    assert b"clang version" in by_clang.bzimage.read_bytes()
    assert b"clang version" not in by_gcc.bzimage.read_bytes()
    tree = next((cache.root() / "tree").iterdir()) / "source"
    assert len(list(tree.glob(".zapbench-*"))) == 2
    assert build.build(parse("1.2")).path == by_gcc.path


def test_without_clang(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    programs = tmp_path / "bin"
    programs.mkdir()
    for directory in os.environ["PATH"].split(":"):
        for program in Path(directory).glob("*"):
            if program.name != "clang" and not (programs / program.name).exists():
                (programs / program.name).symlink_to(program)
    monkeypatch.setenv("PATH", str(programs))
    with pytest.raises(EnvironmentMissing, match=r"^clang is not installed: .* install clang$"):
        build.build(parse("1.2"), toolchain="clang")
    assert config.choose(None).name == "bench"
