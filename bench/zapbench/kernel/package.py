# SPDX-License-Identifier: GPL-2.0-only
"""A user's own kernel with a series on top, as Debian packages to install and boot."""

import os
import re
import shutil
from pathlib import Path

from zapbench.error import BuildFailed, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.host.file import make_directory, write_if_changed
from zapbench.host.process import find
from zapbench.kernel import build, config, source
from zapbench.kernel.catalogue import Kernel
from zapbench.kernel.config import Configuration
from zapbench.kernel.make import GCC, TOOLCHAINS, Make, compile_, making
from zapbench.kernel.tree import Tree

SIZE = 25_000_000_000
"""Bytes that the objects of a distribution's configuration may take."""
_LABEL = re.compile(r"[^a-z0-9.]+")

# Distributions sign with keys that only they have, and pahole may be missing.
_FOREIGN = """\
CONFIG_SYSTEM_TRUSTED_KEYS=""
CONFIG_SYSTEM_REVOCATION_KEYS=""
"""
_VARIABLES = {"DPKG_FLAGS": "-d", "INSTALL_MOD_STRIP": "1"}
_NO_BTF = "# CONFIG_DEBUG_INFO_BTF is not set\n"


def build_packages(
    kernel: Kernel,
    base: Path,
    directory: Path,
    *,
    toolchain: str = GCC,
    progress: Progress = no_progress,
) -> list[Path]:
    """Build installable packages of a kernel with a whole configuration such as /boot/config-….

    They install next to the running kernel: the release ends in ``-zapbench`` and the series.
    Debugging information is left out, as it multiplies time and space.

    Raises:
        UsageError: ``base`` is no kernel configuration.
        DiskFull: ``directory`` cannot be made.
        EnvironmentMissing: a program or disk space is missing.
        BuildFailed: a patch, the configuration or the compiler failed.
    """
    if len(config.read(base)) < 10:
        raise UsageError(
            f"{base} is no kernel configuration, such as /boot/config-{os.uname().release}"
        )
    for program in ("dpkg-deb", "dpkg-buildpackage", "rsync", "fakeroot"):
        find(program)
    TOOLCHAINS[toolchain].versions()  # raises if it is missing
    make_directory(directory)
    with source.checked_out(kernel.source, progress) as tree:
        cache.require_space(
            SIZE if len(config.read(base)) > 3000 else SIZE // 10, "building packages"
        )
        tree.apply(kernel.series)
        objects = tree.source / f".zapbench-deb{build.suffix(toolchain)}"
        with making(tree, objects, toolchain, _VARIABLES) as make:
            _make(make, tree, kernel, base, progress)
        made = [path for path in _packages(tree) if path.suffix == ".deb" and _wanted(path.name)]
        if not any(path.name.startswith("linux-image-") for path in made):
            raise BuildFailed(f"bindeb-pkg made no linux-image package (log: {objects}/make.log)")
        return [Path(shutil.move(path, directory / path.name)) for path in sorted(made)]


def _make(make: Make, tree: Tree, kernel: Kernel, base: Path, progress: Progress) -> None:
    for stale in _packages(tree):
        stale.unlink()
    fragment = make.objects / "zapbench.config"
    write_if_changed(fragment, _fragment(kernel).encode())
    chosen = Configuration("deb", (), (fragment,), base.expanduser().absolute())
    config.configure(make, chosen)
    compile_(make, "bindeb-pkg", progress, build.expected_objects())


def _wanted(name: str) -> bool:
    """The kernel and its headers: linux-libc-dev would replace the distribution's own."""
    return name.startswith(("linux-image-", "linux-headers-")) and "-dbg_" not in name


def _packages(tree: Tree) -> list[Path]:
    """What bindeb-pkg writes: next to the objects, so into the source tree."""
    return [path for path in tree.source.glob("linux-*") if path.is_file()]


def _fragment(kernel: Kernel) -> str:
    label = _LABEL.sub("-", kernel.series.name.lower()).strip("-") if kernel.series else ""
    name = f"-zapbench-{label}" if label else "-zapbench"
    lines = f'CONFIG_LOCALVERSION="{name}"\n# CONFIG_LOCALVERSION_AUTO is not set\n{_FOREIGN}'
    lines += "CONFIG_DEBUG_INFO_NONE=y\n"
    return lines + ("" if shutil.which("pahole") else _NO_BTF)
