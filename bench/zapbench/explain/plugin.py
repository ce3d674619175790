# SPDX-License-Identifier: GPL-2.0-only
"""QEMU's plugin: which of ours the QEMU here takes, and its arguments."""

import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host.process import find, running
from zapbench.target import guest_path
from zapbench.vm.qemu import PROGRAM

FAMILIES: Mapping[int, str] = {1: "zapbench-plugin-1.so"}
"""Our plugins by the version of the API that they are built for."""
_ACCEPTED = re.compile(r"zapbench plugin: API (\d+) to (\d+)")
_REFUSED = re.compile(
    r"plugin requires API version .*supports only (a minimum version of|up to version) (\d+)"
)
_WITHOUT = re.compile(r"-plugin: invalid option|plugin support is not enabled|TCG plugins? .*not")


def choose(guest: Path | None = None) -> Path:
    """The plugin for the QEMU here, next to the guest program, where both are built or installed.

    Raises:
        EnvironmentMissing: QEMU takes none of ours, or none was built, or there is no QEMU.
    """
    said = ""
    for family in sorted(FAMILIES, reverse=True):
        plugin = _place(FAMILIES[family], (guest or guest_path()).parent)
        said = ask(plugin)
        if _ACCEPTED.search(said):
            return plugin
    raise EnvironmentMissing(_refusal(said))


def _refusal(said: str) -> str:
    """Why QEMU took no plugin, in a line, from what it said of the last."""
    if found := _REFUSED.search(said):
        ours = ", ".join(map(str, sorted(FAMILIES)))
        theirs = f"{'up to' if found[1].startswith('up') else 'from'} {found[2]}"
        return (
            f"this QEMU takes TCG plugins of API {theirs}, zapbench has one for API {ours}: use "
            "QEMU 4.2 to 8.2"
        )
    if _WITHOUT.search(said):
        return "this QEMU was built without TCG plugins (--enable-plugins)"
    return f"QEMU does not take our plugin: {(said.strip() or 'no message').splitlines()[-1]}"


def ask(plugin: Path) -> str:
    """What QEMU and the plugin say when it is to be loaded into a machine that never runs.

    Raises:
        EnvironmentMissing: there is no QEMU.
    """
    find(PROGRAM)
    command = [PROGRAM, "-M", "none", "-accel", "tcg", "-display", "none", "-nodefaults"]
    command += ["-plugin", option(plugin, probe="on")]
    with running(command, stderr=subprocess.STDOUT) as process:
        out, _ = process.communicate()
    return out.decode(errors="replace")


def _place(name: str, beside: Path) -> Path:
    for place in (beside / name, beside / "plugin" / name):
        if place.is_file():
            return place
    raise EnvironmentMissing(
        f"the package holds no {name}: install it again with `make setup`, on x86-64"
    )


def option(plugin: Path, **arguments: object) -> str:
    """What QEMU's option -plugin takes; it wants commas doubled."""
    words = [str(plugin), *(f"{name}={value}" for name, value in arguments.items())]
    return ",".join(word.replace(",", ",,") for word in words)
