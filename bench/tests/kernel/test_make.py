# SPDX-License-Identifier: GPL-2.0-only
"""Whom a failed make is blamed on, and what of its log is shown."""

import os
import shutil
from pathlib import Path

import pytest

from zapbench.error import BrokenSource, BuildFailed, EnvironmentMissing, ZapbenchError
from zapbench.host.packages import PROGRAMS
from zapbench.kernel import make, tree

LAST = "make[2]: *** [../scripts/Makefile.build:229: mm/a.o] Error 1\nmake: *** [all] Error 2\n"
BLAMED = {
    "../mm/a.c:3:1: error: expected ';'": BrokenSource,
    "../mm/a.c:3: fatal error: too many": BrokenSource,
    "../arch/x86/entry.S:12: Error: no such instruction": BrokenSource,
    "ld: mm/a.o: in function `b': undefined reference to `zap'": BrokenSource,
    "/usr/bin/ld: b.o: multiple definition of `zap'; a.o: first defined here": BrokenSource,
    "ld.lld: error: undefined symbol: zap": BrokenSource,
    'ERROR: modpost: "zap" [fs/x.ko] undefined!': BrokenSource,
    "ccache: error: Failed to create directory /proc/x: Permission denied": EnvironmentMissing,
    "../mm/oom_kill.c:3:1: error: 'Killed' undeclared": BrokenSource,
    "ccache: error: anything": EnvironmentMissing,
    "gcc: fatal error: Killed signal terminated program cc1": EnvironmentMissing,
    "make[2]: *** [../scripts/Makefile.build:229: mm/a.o] Killed": EnvironmentMissing,
    "make[2]: *** [../scripts/Makefile.build:229: mm/a.o] Error 137": EnvironmentMissing,
    "../scripts/link-vmlinux.sh: line 98:  1234 Killed   ld -o vmlinux": EnvironmentMissing,
    "cc1: out of memory allocating 4064 bytes": EnvironmentMissing,
    "../mm/a.c:9:1: fatal error: opening dependency file mm/.a.o.d: Read-only file system": (
        EnvironmentMissing
    ),
    "Fatal error: can't create mm/a.o: Permission denied": EnvironmentMissing,
    "gcc: fatal error: cannot execute 'as': vfork: Resource temporarily unavailable": (
        EnvironmentMissing
    ),
    "/tmp/cc1.s: Fatal error: can't write 10 bytes to x: No space left on device": (
        EnvironmentMissing
    ),
    "../mm/a.c:3:1: internal compiler error: Segmentation fault": BuildFailed,
    "../scripts/sign-file.c:25:10: fatal error: openssl/x.h: No such file or directory": (
        BuildFailed
    ),
    "make[2]: *** No rule to make target 'mm/b.o', needed by 'mm/built-in.a'.  Stop.": BuildFailed,
}


@pytest.mark.parametrize("line", BLAMED)
def test_who_is_to_blame(line: str) -> None:
    log = f"  CC      mm/b.o\n../mm/b.c:1:1: warning: odd\n{line}\n{LAST}"
    error = make.failure(2, log)
    assert type(error) is BLAMED[line]
    said = line.removeprefix("../")
    assert str(error) == said or "no space left in" in str(error)


def test_a_make_that_was_killed_is_nobody_s_fault() -> None:
    error: ZapbenchError = make.failure(-9, "  CC      mm/b.o\n", where=" (log: x)")
    assert isinstance(error, EnvironmentMissing)
    assert str(error) == "make was killed by SIGKILL (log: x)"


def test_a_disk_is_full_though_nobody_says_so(
    small_disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert type(make.failure(2, LAST)) is BuildFailed
    monkeypatch.setenv("ZAPBENCH_CACHE", str(small_disk))
    error: ZapbenchError = make.failure(2, LAST)
    assert isinstance(error, EnvironmentMissing)
    assert "no space left in" in str(error)


def test_the_first_error_counts_and_not_what_follows_from_it() -> None:
    log = f"../mm/a.c:3:1: error: one\ngcc: fatal error: Killed\n{LAST}"
    assert str(make.failure(2, log, "olddefconfig")) == "olddefconfig: mm/a.c:3:1: error: one"


def test_each_toolchain_has_programs_and_says_so_to_make() -> None:
    assert make.TOOLCHAINS["gcc"].arguments == ()
    assert make.TOOLCHAINS["clang"].arguments == ("LLVM=1",)
    for each in make.TOOLCHAINS.values():
        assert {each.compiler, each.linker, *each.needed} <= PROGRAMS.keys()


def test_the_build_plan() -> None:
    linux = tree.Tree(Path("/cache/tree/linux"), "toy")
    command = make.make_command(linux, linux.source / ".zapbench-bench-0")
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
    env = make.build_environment(linux)
    assert env["KBUILD_BUILD_USER"] == env["KBUILD_BUILD_HOST"] == "zapbench"
    assert env["KBUILD_BUILD_TIMESTAMP"].endswith("1970")
    assert env["CCACHE_BASEDIR"] == "/cache/tree/linux"


def test_the_first_error_of_a_log() -> None:
    log = "  CC      mm/a.o\n../mm/a.c:3:1: error: expected ';'\n../mm/b.c:9: error: other\n"
    assert make.first_error(log) == "mm/a.c:3:1: error: expected ';'"
    log = "  LD      vmlinux\nld: a.o: undefined reference to `zap'\nmake: *** [vmlinux] Error 1\n"
    assert make.first_error(log) == "ld: a.o: undefined reference to `zap'"
    assert make.first_error("make[1]: *** No rule to make target 'x'.\n").startswith("make[1]")
    assert make.first_error("") == "make failed without a word"
