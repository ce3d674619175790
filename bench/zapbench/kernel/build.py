# SPDX-License-Identifier: GPL-2.0-only
"""Build kernels: the same inputs give the same bytes, and nothing is built twice.

The object directory lies one level below the source: kbuild then calls the compiler with
relative paths only, so that neither the image nor ccache depends on where the cache is.
"""

import hashlib
import json
import os
import re
import shutil
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from zapbench.error import BrokenSource, BuildFailed, EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.host.file import write_if_changed
from zapbench.host.process import find, output
from zapbench.kernel import config, source
from zapbench.kernel.catalogue import Kernel, Series
from zapbench.kernel.config import Configuration
from zapbench.kernel.make import GCC, TOOLCHAINS, Make, compile_, making, quietly
from zapbench.kernel.tree import Tree

RECIPE = 2
"""Part of every image's key: raised when this module builds differently."""
TYPICAL_OBJECTS = 720
"""Objects of the bench configuration of 6.12, for the first progress bar of a cache."""

FILES = ("bzImage", "System.map", "build-id", "config", "meta.json")
"""What an image consists of; one made before some of them were kept is made again."""
SUMS = "SHA256SUMS"
"""The file with their hashes, as sha256sum(1) has it."""


@dataclass(frozen=True, slots=True)
class Image:
    """A kernel that can be booted: a directory with `FILES`, and their hashes in `SUMS`."""

    path: Path

    @property
    def bzimage(self) -> Path:
        """What QEMU's -kernel takes."""
        return self.path / "bzImage"

    @property
    def symbols(self) -> Path:
        """Its System.map: the address of each of its symbols."""
        return self.path / "System.map"

    @property
    def meta(self) -> dict[str, Any]:
        """Name, release, source, series, toolchain and how long the build took, in seconds."""
        loaded: dict[str, Any] = json.loads((self.path / "meta.json").read_text())
        return loaded

    @property
    def build_id(self) -> str:
        """The linker's build id, in hex: two images with the same one are the same code."""
        return (self.path / "build-id").read_text().strip()

    def whole(self, *names: str) -> bool:
        """Whether its files, or those of these names, are what they were when it was made."""
        try:
            sums = self._sums()
            return all(_digest(self.path / name) == sums[name] for name in names or FILES)
        except (OSError, ValueError, KeyError):
            return False

    @property
    def older(self) -> bool:
        """Whether it is whole but for files that were not kept when it was made."""
        try:
            names = self._sums().keys() & set(FILES)
        except (OSError, ValueError):
            return False
        return names < set(FILES) and self.whole(*names)

    def _sums(self) -> dict[str, str]:
        lines = (self.path / SUMS).read_text().splitlines()
        return {name: digest for digest, name in map(str.split, lines)}


def _digest(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def build(
    kernel: Kernel,
    *,
    configuration: str | None = None,
    toolchain: str = GCC,
    progress: Progress = no_progress,
    retry: bool = False,
) -> Image:
    """The image of a kernel, built unless the cache has it, whole.

    ``configuration`` is the name or file of a fragment on top of the bench configuration,
    ``toolchain`` a row of `TOOLCHAINS`; ``retry`` builds again what failed last time.

    Raises:
        UsageError: no such release, ref or configuration.
        EnvironmentMissing: a program, a package or disk space is missing.
        BuildFailed: a patch, the configuration or the compiler failed, now or last time.
    """
    chosen = config.choose(configuration, kernel.fragments)
    versions = _toolchain(toolchain)
    located = source.locate(kernel.source, progress)
    inputs = _inputs(located.tree, kernel.series, chosen, versions)
    key = hashlib.sha256(json.dumps(inputs, sort_keys=True).encode()).hexdigest()[:24]
    image = Image(cache.subdirectory("image") / key)
    failed = image.path.with_name(f"{key}.failed")
    if image.whole() or (image.older and not os.access(image.path, os.W_OK)):
        return image  # an older one boots; only what is made of its System.map is missing
    with located.opened(progress) as tree:
        if image.whole():  # another run was faster
            return image
        if image.path.exists():
            progress(f"{'older' if image.older else 'damaged'} image: build again", 0, None)
        if failed.is_file() and not retry:
            raise BuildFailed(f"{failed.read_text()} (remembered from last time: --retry)")
        failed.unlink(missing_ok=True)
        objects = object_directory(tree, chosen, toolchain)
        try:
            tree.apply(kernel.series)
            with making(tree, objects, toolchain) as make:
                return _make(make, chosen, image, {"name": kernel.name, **inputs}, progress)
        except BrokenSource as error:
            write_if_changed(failed, str(error).encode())
            raise


def _toolchain(name: str) -> list[str]:
    """The versions of a toolchain; see `Toolchain.versions`.

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
    return TOOLCHAINS[name].versions()


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


def object_directory(tree: Tree, chosen: Configuration, toolchain: str = GCC) -> Path:
    """One for each configuration and toolchain; its name must not depend on the series."""
    digest = hashlib.sha256(chosen.identity.encode()).hexdigest()[:8]
    return tree.source / f".zapbench-{chosen.name}-{digest}{suffix(toolchain)}"


def suffix(toolchain: str) -> str:
    """What ends the names of a toolchain's directories."""
    return "" if toolchain == GCC else f"-{toolchain}"


def _make(
    make: Make, chosen: Configuration, image: Image, meta: dict[str, Any], progress: Progress
) -> Image:
    started = time.monotonic()
    config.configure(make, chosen)
    compiled = compile_(make, "bzImage", progress, expected_objects())
    release = quietly(make, [*make.command, "-s", "kernelrelease"], "kernelrelease").strip()
    objects = make.objects
    with cache.staged(image.path) as stage:
        shutil.copyfile(objects / "arch/x86/boot/bzImage", stage / "bzImage")
        shutil.copyfile(objects / "System.map", stage / "System.map")
        shutil.copyfile(objects / ".config", stage / "config")
        (stage / "build-id").write_text(f"{_build_id(objects / 'vmlinux')}\n")
        seconds = round(time.monotonic() - started, 1)
        meta |= {"release": release, "objects": compiled, "seconds": seconds}
        (stage / "meta.json").write_text(json.dumps(meta, indent=1, sort_keys=True) + "\n")
        sums = "".join(f"{_digest(stage / name)}  {name}\n" for name in FILES)
        (stage / SUMS).write_text(sums)
    return image


def described() -> Iterator[Image]:
    """The images in the cache whose meta.json is whole; nothing is said of their other files."""
    for path in (cache.root() / "image").glob(f"[!.]*/{SUMS}"):
        if (image := Image(path.parent)).whole("meta.json"):
            yield image


def expected_objects() -> int:
    """How many objects the largest build so far compiled, or a typical number."""
    return max([image.meta["objects"] for image in described()], default=TYPICAL_OBJECTS)


def _build_id(vmlinux: Path) -> str:
    notes = output(["readelf", "-n", str(vmlinux)], failure=BuildFailed, purpose="readelf vmlinux")
    match = re.search(r"Build ID: ([0-9a-f]+)", notes)
    if match is None:
        raise BuildFailed(f"{vmlinux} has no build id")
    return match[1]
