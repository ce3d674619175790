# SPDX-License-Identifier: GPL-2.0-only
"""Boot loaders: how a user makes the next boot one of a certain kernel, once.

Nothing is changed here, and nothing asked of a running loader: its entries are files.
"""

import re
import shlex
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePath

from zapbench.error import UsageError
from zapbench.host.machine import Machine
from zapbench.host.root import as_root

INFO = "sys/firmware/efi/efivars/LoaderInfo-4a67b082-0a4c-41cf-b6c7-440b29bb8c4f"
"""What started this kernel, by the Boot Loader Interface (systemd.io/BOOT_LOADER_INTERFACE)."""
MENUS = ("boot/grub/grub.cfg", "boot/grub2/grub.cfg")
INSTALLED = ("boot/vmlinuz-{}", "lib/modules/{}", "usr/lib/modules/{}")
RELEASE = re.compile(r"[\w.+~-]{1,64}", re.ASCII)
"""What uname(2) says of a kernel fits into it: a release goes into file names and commands."""
_COUNTER = re.compile(r"\+\d+(-\d+)?$")  # tries of an entry, by the Boot Loader Specification
_SETUP = 1 << 16  # bytes at the begin of an image, which have its header and its release
_RECOVERY = {"single", "recovery"}


@dataclass(frozen=True, slots=True)
class _Entry:
    """One of a menu: how its loader names it, and the kernel that it starts."""

    name: str
    release: str
    recovery: bool = False


@dataclass(frozen=True, slots=True)
class _Loader:
    """A row of the table: how it is known, what it offers, and what chooses an entry once."""

    name: str
    found: Callable[[Machine], bool]
    entries: Callable[[Machine], list[_Entry]]
    commands: tuple[str, ...]
    """The first of these whose program is there is used."""
    lacks: Callable[[Machine], str] = lambda machine: ""
    """What it lacks for obeying it, if so, as part of a sentence."""


def installed(machine: Machine, release: str) -> bool:
    """Whether a kernel of a release is there, as far as distributions have a place for it."""
    return any(any(machine.glob(place.format(release))) for place in INSTALLED)


def release_in(image: Path) -> str:
    """The release that an x86 kernel image says it has.

    Raises:
        UsageError: it cannot be read, or says none.
    """
    try:
        with image.expanduser().open("rb") as file:
            head = file.read(_SETUP)
    except OSError as error:
        raise UsageError(f"cannot read kernel image {image}: {error.strerror}") from error
    # "kernel_version" of Documentation/arch/x86/boot.rst: where the text is, less 0x200.
    place = int.from_bytes(head[0x20E:0x210], "little") + 0x200
    words = head[place:].partition(b"\0")[0].decode(errors="replace").split()
    if head[0x202:0x206] != b"HdrS" or place == 0x200 or not words:
        raise UsageError(f"{image} is no x86 kernel image that says its release: name that instead")
    return words[0]


def how(machine: Machine, release: str) -> str:
    """What to do for the next boot to be one of a release, as part of a sentence."""
    by_hand = "choose it in the boot menu"
    for loader in LOADERS:
        if not loader.found(machine):
            continue
        command = next((each for each in loader.commands if machine.has(each.split()[0])), None)
        if command is None:
            return f"{by_hand}: {loader.name} has no {loader.commands[0].split()[0]} here"
        offered = [each for each in loader.entries(machine) if each.release == release]
        ordinary = [each.name for each in offered if not each.recovery]
        if not ordinary:
            return f"{by_hand}: no entry of {loader.name} was found for it"
        # One that is named after its release stays that kernel's when others are installed.
        name = next((each for each in ordinary if release in each), ordinary[0])
        choose = as_root(f"{command} {shlex.quote(name)}")
        return f"`{choose}`, then reboot{loader.lacks(machine)}"
    return by_hand


def _menu(machine: Machine) -> str:
    return next((text for name in MENUS if (text := machine.read(name))), "")


def _grub_entries(machine: Machine) -> list[_Entry]:
    """The entries of GRUB's menu, each with the submenus that it is in: ``SUBMENU>ENTRY``.

    Fedora's menu has none of its own and shows those of the Boot Loader Specification.
    """
    text = _menu(machine)
    found = list(_grub_menu(text))
    if "blscfg" in text:
        found += [
            _Entry(each.name.removesuffix(".conf"), each.release)
            for each in _specified(machine, "loader/entries/*.conf")
        ]
    return found


def _grub_lacks(machine: Machine) -> str:
    if "next_entry" in _menu(machine):
        return ""
    return " (its menu does not look for that: set GRUB_DEFAULT=saved in /etc/default/grub first)"


def _grub_menu(text: str) -> Iterator[_Entry]:
    blocks: list[str | None] = []
    for line in text.splitlines():
        words: list[str] = []
        with suppress(ValueError):  # part of a script, with a quotation over several lines
            words = shlex.split(line, comments=True)
        if not words:
            continue
        if words[-1] == "{":
            blocks.append(_identity(words) if words[0] in ("menuentry", "submenu") else None)
        elif words[0] == "}":
            del blocks[-1:]
        elif words[0] in ("linux", "linux16", "linuxefi") and len(words) > 1:
            names = [each for each in blocks if each is not None]
            if names:
                recovery = not _RECOVERY.isdisjoint(words) or "-recovery-" in names[-1]
                yield _Entry(">".join(names), _release(words[1]), recovery)


def _identity(words: list[str]) -> str:
    """How grub-reboot(8) is told of an entry: by its id, or else its title."""
    for option in ("$menuentry_id_option", "--id"):
        if option in words[:-2]:
            return words[words.index(option) + 1]
    return words[1]


def _release(image: str) -> str:
    """The release in the name of an image, such as vmlinuz-6.12.57."""
    return PurePath(image).name.partition("-")[2]


def _specified(machine: Machine, pattern: str) -> Iterator[_Entry]:
    """Entries of the Boot Loader Specification (uapi-group.org), by the names of their files."""
    for place in ("boot", "efi", "boot/efi"):
        for name in machine.glob(f"{place}/{pattern}"):
            path = PurePath(name)
            stem = _COUNTER.sub("", path.stem)
            text = machine.read(name) if path.suffix == ".conf" else None
            lines = [line.split(None, 1) for line in (text or "").splitlines()]
            fields = {line[0]: line[1] for line in lines if len(line) > 1}
            release = fields.get("version") or _release(fields.get("linux", stem))
            yield _Entry(f"{stem}{path.suffix}", release.strip())


def _systemd_entries(machine: Machine) -> list[_Entry]:
    patterns = ("loader/entries/*.conf", "EFI/Linux/*.efi")
    return [entry for each in patterns for entry in _specified(machine, each)]


def _started_by(machine: Machine, name: str) -> bool:
    return name in (machine.read(INFO) or "").replace("\0", "")  # UTF-16


LOADERS = (
    _Loader(
        "systemd-boot",
        lambda machine: _started_by(machine, "systemd-boot"),
        _systemd_entries,
        ("bootctl set-oneshot",),
    ),
    _Loader(
        "GRUB",
        lambda machine: any(any(machine.glob(name)) for name in MENUS),
        _grub_entries,
        ("grub-reboot", "grub2-reboot"),
        _grub_lacks,
    ),
)
