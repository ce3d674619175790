# SPDX-License-Identifier: GPL-2.0-only
"""Build kernels: the same inputs give the same bytes, and nothing is built twice.

The object directory lies one level below the source: kbuild then calls the compiler with
relative paths only, so that neither the image nor ccache depends on where the cache is.
"""

import errno
import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zapbench.error import BuildFailed, EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.host.file import write_if_changed
from zapbench.host.process import find, output, running
from zapbench.kernel import config, source
from zapbench.kernel.catalogue import Kernel, Series
from zapbench.kernel.config import Configuration
from zapbench.kernel.tree import Tree

RECIPE = 1
"""Part of every image's key: raised when this module builds differently."""
TYPICAL_OBJECTS = 720
"""Objects of the bench configuration of 6.12, for the first progress bar of a cache."""

_FIXED = {
    "KBUILD_BUILD_USER": "zapbench",
    "KBUILD_BUILD_HOST": "zapbench",
    "KBUILD_BUILD_TIMESTAMP": "Thu Jan  1 00:00:00 UTC 1970",
    "KBUILD_BUILD_VERSION": "1",
    "SOURCE_DATE_EPOCH": "0",
}
_OBJECT = re.compile(rb"  (CC|AS)(\s|\s\[M\]).* (\S+\.o)")
_ERROR = re.compile(r"(fatal )?error: |undefined reference|: multiple definition|No space left")
_NOT_ITS_FAULT = re.compile(r"No space left on device|Killed signal terminated|Cannot allocate")


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel that can be booted: a directory with bzImage, config, build-id and meta.json."""

    path: Path

    @property
    def bzimage(self) -> Path:
        """What QEMU's -kernel takes."""
        return self.path / "bzImage"

    @property
    def meta(self) -> dict[str, Any]:
        """Name, release, source, series, toolchain and how long the build took, in seconds."""
        loaded: dict[str, Any] = json.loads((self.path / "meta.json").read_text())
        return loaded

    @property
    def build_id(self) -> str:
        """The linker's build id, in hex: two images with the same one are the same code."""
        return (self.path / "build-id").read_text().strip()


def build(
    kernel: Kernel,
    *,
    configuration: str | None = None,
    progress: Progress = no_progress,
    retry: bool = False,
) -> Image:
    """The image of a kernel, built unless the cache has it.

    ``configuration`` is the name or file of a fragment on top of the bench configuration;
    ``retry`` builds again what failed last time.

    Raises:
        UsageError: no such release, ref or configuration.
        EnvironmentMissing: a program, a package or disk space is missing.
        BuildFailed: a patch, the configuration or the compiler failed, now or last time.
    """
    chosen = config.choose(configuration, kernel.fragments)
    toolchain = _toolchain()
    located = source.locate(kernel.source, progress)
    inputs = _inputs(located.tree, kernel.series, chosen, toolchain)
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:24]
    target = cache.subdirectory("image") / key
    failed = target.with_name(f"{key}.failed")
    if target.is_dir():
        return Image(target)
    with located.opened(progress) as tree:
        if target.is_dir():  # another run was faster
            return Image(target)
        if failed.is_file() and not retry:
            raise BuildFailed(f"{failed.read_text()} (remembered from last time: --retry)")
        failed.unlink(missing_ok=True)
        try:
            tree.apply(kernel.series)
            meta = {"name": kernel.name, **inputs}
            return _make(tree, chosen, target, meta, progress)
        except BuildFailed as error:
            if os.strerror(errno.ENOSPC) in str(error):  # met by a compiler or linker
                raise cache.full() from error
            if not _NOT_ITS_FAULT.search(str(error)):
                write_if_changed(failed, str(error).encode())
            raise


def _toolchain() -> list[str]:
    """The first line that the compiler and the linker print about themselves.

    Raises:
        EnvironmentMissing: a program that every build needs is not installed.
        UsageError: the cache is in a place where make does not work.
    """
    for program in ("make", "flex", "bison", "bc"):
        find(program)
    if any(mark in str(cache.root()) for mark in (" ", ":")):
        raise UsageError(
            f"the cache {cache.root()} contains a space or colon, which no kernel can be built "
            "in: set ZAPBENCH_CACHE to another directory"
        )
    if os.uname().machine != "x86_64":
        raise EnvironmentMissing(f"kernels are built on x86_64 only, not on {os.uname().machine}")
    return [output([name, "--version"]).splitlines()[0] for name in ("gcc", "ld")]


def series_hash(series: Series | None) -> str | None:
    """SHA-256 over the patches in their order; None without patches."""
    if series is None:
        return None
    digest = hashlib.sha256()
    for patch in series.patches:
        digest.update(hashlib.sha256(patch.read_bytes()).digest())
    return digest.hexdigest()


def _inputs(
    tree: Tree, series: Series | None, chosen: Configuration, toolchain: Sequence[str]
) -> dict[str, Any]:
    return {
        "recipe": RECIPE,
        "source": tree.source_id,
        "series": series_hash(series),
        "config": hashlib.sha256(chosen.identity.encode()).hexdigest(),
        "toolchain": list(toolchain),
    }


def object_directory(tree: Tree, chosen: Configuration) -> Path:
    """One for each configuration; its name must not depend on the series."""
    digest = hashlib.sha256(chosen.identity.encode()).hexdigest()[:8]
    return tree.source / f".zapbench-{chosen.name}-{digest}"


def make_command(tree: Tree, objects: Path) -> list[str]:
    """How make is called: one job per CPU that we may use, ccache when it is there."""
    compiler = "ccache gcc" if shutil.which("ccache") else "gcc"
    jobs = len(os.sched_getaffinity(0))
    # Debugging information names directories; nothing else does with a relative source tree.
    flags = f"KCFLAGS=-fdebug-prefix-map={objects}=."
    return [
        *("make", f"-j{jobs}", "-C", str(tree.source), f"O={objects.name}", "ARCH=x86_64"),
        *(f"CC={compiler}", f"HOSTCC={compiler}", flags),
    ]


def build_environment(tree: Tree) -> dict[str, str]:
    """User, host and time that do not change, and where ccache keeps and how it compares."""
    ccache = {"CCACHE_BASEDIR": str(tree.path), "CCACHE_NOHASHDIR": "1"}
    if "CCACHE_DIR" not in os.environ:
        ccache["CCACHE_DIR"] = str(cache.root() / "ccache")
    return {**_FIXED, **ccache}


def _make(
    tree: Tree,
    chosen: Configuration,
    target: Path,
    meta: dict[str, Any],
    progress: Progress,
) -> Image:
    started = time.monotonic()
    objects = object_directory(tree, chosen)
    objects.mkdir(exist_ok=True)
    command, env = make_command(tree, objects), build_environment(tree)
    config.configure(command, tree.source, objects, chosen, env)
    compiled = compile_(command, "bzImage", env, objects / "make.log", progress)
    release = output([*command, "-s", "kernelrelease"], env=env, failure=BuildFailed).strip()
    with cache.staged(target) as stage:
        shutil.copyfile(objects / "arch/x86/boot/bzImage", stage / "bzImage")
        shutil.copyfile(objects / ".config", stage / "config")
        (stage / "build-id").write_text(f"{_build_id(objects / 'vmlinux')}\n")
        seconds = round(time.monotonic() - started, 1)
        meta |= {"release": release, "objects": compiled, "seconds": seconds}
        (stage / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
    return Image(target)


def _expected_objects() -> int:
    """How many objects the largest build so far compiled, or a typical number."""
    images = map(Image, cache.subdirectory("image").glob("[!.]*[!d]"))
    return max([image.meta["objects"] for image in images], default=TYPICAL_OBJECTS)


def compile_(
    command: Sequence[str], goal: str, env: dict[str, str], log: Path, progress: Progress
) -> int:
    """Run make, its output in a log; how many objects it compiled.

    Raises:
        BuildFailed: with the first error that the compiler printed.
    """
    done, expected = 0, _expected_objects()
    with log.open("wb") as file, running([*command, goal], env=env) as process:
        assert process.stdout is not None
        for line in process.stdout:
            file.write(line)
            if _OBJECT.match(line):
                done += 1
                progress("compile", done, max(expected, done))
    if process.returncode:
        raise BuildFailed(f"{first_error(log.read_text(errors='replace'))} (log: {log})")
    progress("compile", done, done)
    return done


def first_error(text: str) -> str:
    """The line of a make log that says why it failed."""
    lines = text.splitlines()
    for line in lines:
        if _ERROR.search(line):
            return line.strip().lstrip("./")
    made = [line for line in lines if line.startswith("make") and "***" in line]
    return made[0].strip() if made else (lines[-1] if lines else "make failed without a word")


def _build_id(vmlinux: Path) -> str:
    notes = output(["readelf", "-n", str(vmlinux)], failure=BuildFailed, purpose="readelf vmlinux")
    match = re.search(r"Build ID: ([0-9a-f]+)", notes)
    if match is None:
        raise BuildFailed(f"{vmlinux} has no build id")
    return match[1]
