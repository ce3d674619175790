# SPDX-License-Identifier: GPL-2.0-only
"""Calling make on a kernel: with which compiler, in which environment, and why it failed."""

import errno
import os
import re
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import BrokenSource, BuildFailed, EnvironmentMissing, ZapbenchError
from zapbench.host import cache
from zapbench.host.cache import Progress
from zapbench.host.process import find, output, running
from zapbench.kernel.tree import Tree


@dataclass(frozen=True, slots=True)
class Toolchain:
    """What a kernel is compiled and linked with.

    ``needed`` are the programs that it takes besides, ``arguments`` say so to make.
    """

    compiler: str
    linker: str
    needed: tuple[str, ...] = ()
    arguments: tuple[str, ...] = ()

    def versions(self) -> list[str]:
        """The first line that the compiler and the linker print about themselves.

        Raises:
            EnvironmentMissing: one of its programs is not installed.
        """
        for program in (self.compiler, self.linker, *self.needed):
            find(program)
        return [
            output([program, "--version"]).splitlines()[0]
            for program in (self.compiler, self.linker)
        ]


GCC = "gcc"
"""The toolchain of whatever does not name another."""
TOOLCHAINS: Mapping[str, Toolchain] = {
    GCC: Toolchain("gcc", "ld"),
    "clang": Toolchain(
        "clang",
        "ld.lld",
        ("llvm-ar", "llvm-nm", "llvm-objcopy", "llvm-readelf", "llvm-strip"),
        ("LLVM=1",),
    ),
}

_FIXED = {
    "KBUILD_BUILD_USER": "zapbench",
    "KBUILD_BUILD_HOST": "zapbench",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "KBUILD_BUILD_VERSION": "1",
    "SOURCE_DATE_EPOCH": "0",
    "TZ": "UTC",
}
_OBJECT = re.compile(rb"  (CC|AS)(\s|\s\[M\]).* (\S+\.o)")
_UNFINISHED = ".zapbench-unfinished"

_FULL = os.strerror(errno.ENOSPC)
_WITHHELD = "|".join(
    os.strerror(number)
    for number in (
        *(errno.EACCES, errno.EPERM, errno.EROFS, errno.EIO, errno.ESTALE),
        *(errno.ENOSPC, errno.EDQUOT, errno.ENOMEM, errno.EAGAIN, errno.EMFILE, errno.ENFILE),
    )
)
_MACHINE = re.compile(
    rf"({_WITHHELD})\W*$|Killed|Terminated|\*\*\*.* Error 1(2[89]|[34]\d)|^ccache: error: |"
    "virtual memory exhausted|out of memory"
)
"""A line of a log that blames the machine, the user's rights or limits."""
_SOURCE = re.compile(
    rf"^\S+:\d+(:\d+)?: (fatal )?[Ee]rror: (?!.*({_WITHHELD}|No such file or directory)\W*$)|"
    r"undefined reference to |: multiple definition of |"
    r"^ld\.lld: error: (undefined|duplicate) symbol|^ERROR: modpost: "
)
"""A line by which a compiler or linker refuses the source itself.

A header that is missing may be one of the machine's, and is not among them.
"""
_UPWARDS = re.compile(r"^(\.{1,2}/)+")
_ERROR = re.compile(r"[Ee]rror: |^ERROR: ")


def make_command(tree: Tree, objects: Path, toolchain: str = GCC) -> list[str]:
    """How make is called: one job per CPU that we may use, ccache when it is there."""
    chosen = TOOLCHAINS[toolchain]
    compiler = f"ccache {chosen.compiler}" if shutil.which("ccache") else chosen.compiler
    jobs = len(os.sched_getaffinity(0))
    # Debugging information names directories; nothing else does with a relative source tree.
    flags = f"KCFLAGS=-fdebug-prefix-map={objects}=."
    return [
        *("make", f"-j{jobs}", "-C", str(tree.source), f"O={objects.name}", "ARCH=x86_64"),
        *(f"CC={compiler}", f"HOSTCC={compiler}", flags, *chosen.arguments),
    ]


def build_environment(tree: Tree) -> dict[str, str]:
    """User, host and time that do not change, and where ccache keeps and how it compares."""
    ccache = {"CCACHE_BASEDIR": str(tree.path), "CCACHE_NOHASHDIR": "1"}
    if "CCACHE_DIR" not in os.environ:
        ccache["CCACHE_DIR"] = str(cache.root() / "ccache")
    # A home of no user: what is configured or installed in one is not part of a kernel.
    return {**_FIXED, **ccache, "HOME": str(tree.path)}


@dataclass(frozen=True, slots=True)
class Make:
    """How make is called to build a tree into ``objects``."""

    source: Path
    objects: Path
    command: list[str]
    env: Mapping[str, str]


@contextmanager
def making(
    tree: Tree, objects: Path, toolchain: str = GCC, extra: Mapping[str, str] | None = None
) -> Iterator[Make]:
    """Make, with an object directory for a block; ``extra`` are variables of its environment.

    A compiler that is killed leaves half an object that is newer than its source: when a build
    did not end by itself, the next one begins with an empty directory.
    """
    mark = objects / _UNFINISHED
    if mark.exists():
        shutil.rmtree(objects)
    objects.mkdir(exist_ok=True)
    mark.touch()
    env = {**build_environment(tree), **(extra or {})}
    try:
        yield Make(tree.source, objects, make_command(tree, objects, toolchain), env)
    except BrokenSource:  # make ended by itself, and removed what it had not finished
        mark.unlink()
        raise
    mark.unlink()


def quietly(make: Make, command: Sequence[str], purpose: str) -> str:
    """What a short step of a build prints; ``command`` need not be make.

    Raises:
        BuildFailed, EnvironmentMissing: it failed; see `failure`.
    """
    with running(command, cwd=make.objects, env=make.env, stderr=subprocess.PIPE) as process:
        out, err = process.communicate()
    if process.returncode:
        raise failure(process.returncode, (err or out).decode(errors="replace"), purpose)
    return out.decode(errors="replace")


def compile_(make: Make, goal: str, progress: Progress, expected: int = 0) -> int:
    """Run make, its output in a log next to the objects; how many objects it compiled.

    ``expected`` is how many there may be.

    Raises:
        BuildFailed, EnvironmentMissing: it failed; see `failure`.
    """
    log = make.objects / "make.log"
    done = 0
    with (
        log.open("wb") as file,
        running([*make.command, goal], cwd=make.objects, env=make.env) as process,
    ):
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if _OBJECT.match(line):
                done += 1
                progress("compile", done, max(expected, done))
    if process.returncode:
        text = log.read_text(errors="replace")
        raise failure(process.returncode, text, where=f" (log: {log})")
    progress("compile", done, done)
    return done


def failure(status: int, text: str, purpose: str = "", where: str = "") -> ZapbenchError:
    """The error for a make that ended with ``status`` and wrote ``text``.

    `BrokenSource` if a compiler or linker refused the source; `EnvironmentMissing` if the
    machine is to blame; `BuildFailed` if that cannot be told.
    """
    if status < 0:
        return EnvironmentMissing(f"make was killed by {signal.Signals(-status).name}{where}")
    line = first_error(text)
    said = f"{purpose}: {line}{where}" if purpose else f"{line}{where}"
    if _SOURCE.search(line):
        return BrokenSource(said)
    if _FULL in line:
        return cache.full()
    if _MACHINE.search(line):
        return EnvironmentMissing(said)
    # ccache passes on what a compiler said through a file, which a full disk does not take.
    return cache.full() if cache.is_full() else BuildFailed(said)


def first_error(text: str) -> str:
    """The line of a log of make that says why it failed."""
    lines = [_UPWARDS.sub("", line.strip()) for line in text.splitlines()]
    for telling in (
        lambda line: _ERROR.search(line) or _SOURCE.search(line) or _FULL in line,
        _MACHINE.search,
        lambda line: line.startswith("make") and "***" in line,
    ):
        found = next(filter(telling, lines), None)
        if found is not None:
            return found
    return lines[-1] if lines else "make failed without a word"
