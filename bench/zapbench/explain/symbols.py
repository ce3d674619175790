# SPDX-License-Identifier: GPL-2.0-only
"""A kernel's System.map: whose code an address is, and what the plugin is told of it."""

import bisect
import re
import struct
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntFlag
from pathlib import Path

from zapbench.error import EnvironmentMissing

NAME = "System.map"
USER, OTHER = "(user)", "(other)"
"""The guest program, and kernel code that is not in the map: modules, for one."""
MAGIC = b"zbfunc1\n"


class Kind(IntFlag):
    """What is special of a function; as in ``cbench/plugin/functions.h``."""

    ROOT = 1
    """Call paths begin there."""
    EXCEPTION = 2
    """What it interrupts goes on after it."""
    FAULT = 4
    """What it interrupts was begun and not done."""
    BLOCKS = 8
    """It is jumped into, not only to its first instruction."""


_KINDS: Sequence[tuple[re.Pattern[str], Kind]] = (
    (re.compile(r"asm_exc_(page_fault|general_protection)"), Kind.EXCEPTION | Kind.FAULT),
    (re.compile(r"asm_exc_.*"), Kind.EXCEPTION),
    (re.compile(r"asm_sysvec_.*"), Kind.EXCEPTION | Kind.ROOT),
    (re.compile(r"(irq|spurious)_entries_start"), Kind.EXCEPTION | Kind.ROOT | Kind.BLOCKS),
    (re.compile(r"entry_(SYSCALL_64|SYSENTER_compat|SYSCALL_compat|INT80_compat)"), Kind.ROOT),
    (re.compile(r"asm_int80_emulation|ret_from_fork_asm"), Kind.ROOT),
    (re.compile(r".*\.cold(\.\d+)?"), Kind.BLOCKS),
)
_LINE = re.compile(r"([0-9a-f]{16}) ([a-zA-Z?]) (\S+)$", re.MULTILINE)
_CODE = "TtWw"
_LABELS = re.compile(r"entry_SYS(CALL_64|RETQ)_.*|syscall_return_via_sysret")
"""Places in `entry_SYSCALL_64`, no functions."""
_ENTRY = ("__entry_text_start", "__entry_text_end")
_TEXT, _INIT = ("_stext", "_etext"), ("_sinittext", "_einittext")


@dataclass(frozen=True, slots=True)
class Symbols:
    """The functions of a kernel in the order of their addresses, each up to the next.

    Of several names of one address one is taken: that of the fewest underscores at its
    begin, then the shortest, then the first by alphabet.  The last ends the text.  ``known``
    are all names of functions.
    """

    addresses: tuple[int, ...]
    names: tuple[str, ...]
    entry: range
    known: frozenset[str]

    def name(self, address: int) -> str:
        """Whose code it is; `USER` for an address below the kernel's, `OTHER` if nobody's."""
        if address < 1 << 63:
            return USER
        index = bisect.bisect_right(self.addresses, address) - 1
        return OTHER if index in (-1, len(self.addresses) - 1) else self.names[index]

    def kind(self, index: int) -> Kind:
        """What the plugin must know of a function."""
        for pattern, kind in _KINDS:
            if pattern.fullmatch(self.names[index]):
                return kind
        return Kind.BLOCKS if self.addresses[index] in self.entry else Kind(0)

    def functions(self) -> bytes:
        """The file that the plugin reads: address and kind of each."""
        words = [len(self.addresses)]
        for index, address in enumerate(self.addresses):
            words += [address, self.kind(index)]
        return MAGIC + struct.pack(f"<{len(words)}Q", *words)


def read(image: Path) -> Symbols:
    """The symbols of a kernel image: of the System.map next to it.

    Raises:
        EnvironmentMissing: there is none, or it is of no kernel.
    """
    path = image.parent / NAME
    try:
        text = path.read_text(encoding="ascii", errors="replace")
    except OSError:
        raise EnvironmentMissing(
            f"there is no {NAME} next to {image}: copy the one of its build there"
        ) from None
    found = parse(text)
    if found is None:
        raise EnvironmentMissing(f"{path} is no {NAME} of an x86-64 kernel")
    return found


def parse(text: str) -> Symbols | None:
    """The symbols of a System.map; None if it is not one."""
    names: dict[int, str] = {}
    limits: dict[str, int] = {}
    for digits, letter, name in _LINE.findall(text):
        address = int(digits, 16)
        if letter in _CODE and address >> 63:
            limits[name] = address
            if _LABELS.fullmatch(name):
                continue
            names[address] = min(names.get(address, name), name, key=_preference)
    if any(name not in limits for name in _TEXT):
        return None
    ends = {limits[end] for begin, end in (_TEXT, _INIT) if begin in limits and end in limits}
    starts = sorted(address for address in names if limits["_stext"] <= address <= max(ends))
    return Symbols(
        tuple(starts),
        tuple(names[address] for address in starts),
        range(limits.get(_ENTRY[0], 0), limits.get(_ENTRY[1], 0)),
        frozenset(limits),
    )


def _preference(name: str) -> tuple[int, int, str]:
    return len(name) - len(name.lstrip("_")), len(name), name
