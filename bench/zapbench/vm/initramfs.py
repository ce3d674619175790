# SPDX-License-Identifier: GPL-2.0-only
"""The initial file system of a machine: a cpio archive in "newc" form, and an ext2 to mount.

The form is that of the kernel's Documentation/driver-api/early-userspace/buffer-format.rst.
"""

import random
import stat
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host import cache
from zapbench.host.process import find, output
from zapbench.host.scratch import scratch
from zapbench.vm.qemu import RAM_DISK_KIB

DIRECTORIES = ("dev", "proc", "sys", "tmp", "file", "root")
FILE_SYSTEM = "file.ext2"
BLOCK = 4096


@dataclass(frozen=True, slots=True)
class CpioEntry:
    """A member of the archive; ``device`` is a major and minor number."""

    name: str
    mode: int
    content: bytes = b""
    device: tuple[int, int] = (0, 0)


def directory(name: str) -> CpioEntry:
    """A directory."""
    return CpioEntry(name, stat.S_IFDIR | 0o755)


def file(name: str, content: bytes, mode: int = 0o644) -> CpioEntry:
    """A regular file."""
    return CpioEntry(name, stat.S_IFREG | mode, content)


def link(name: str, target: str) -> CpioEntry:
    """A symbolic link."""
    return CpioEntry(name, stat.S_IFLNK | 0o777, target.encode())


CONSOLE = CpioEntry("dev/console", stat.S_IFCHR | 0o600, device=(5, 1))
"""Standard input, output and error of the first process."""


def archive(entries: Iterable[CpioEntry]) -> bytes:
    """A cpio archive of the entries; the same entries give the same bytes."""
    out = bytearray()
    numbered = [*enumerate(entries, 1), (0, CpioEntry("TRAILER!!!", 0))]
    for inode, entry in numbered:
        name = entry.name.encode() + b"\0"
        links = 2 if stat.S_ISDIR(entry.mode) else 1
        fields = (inode, entry.mode, 0, 0, links, 0, len(entry.content), 0, 0, *entry.device)
        header = b"070701" + b"".join(b"%08X" % value for value in (*fields, len(name), 0))
        for part in (header + name, entry.content):
            out += part
            out += bytes(-len(out) % 4)
    return bytes(out)


def guest(program: bytes, options: Sequence[str], cases: Sequence[str]) -> list[CpioEntry]:
    """The entries of a machine that runs ``zapbench-guest`` as its first process."""
    return [
        *map(directory, DIRECTORIES),
        CONSOLE,
        file("init", program, 0o755),
        file("args", "".join(f"{option}\n" for option in options).encode(errors="surrogateescape")),
        file("cases", "".join(f"{case}\n" for case in cases).encode()),
        file(FILE_SYSTEM, file_system_head()),
    ]


def ballast(seed: int, boot: int) -> tuple[list[CpioEntry], str]:
    """What makes one boot differ from another that would repeat it to the instruction.

    Files take page frames, inodes and slab objects away before the guest program starts, and a
    variable in its environment moves its stack; all are of sizes that the seed and the number
    of the boot give.  The boot 0 of each seed is as different as any other.
    """
    chance = random.Random(f"ballast {seed} {boot}")  # noqa: S311 - repeatable on purpose
    files = [
        file(f"pad{number}", bytes(chance.randrange(1, 64 << 10)))
        for number in range(chance.randrange(1, 64))
    ]
    return files, "zapbench_pad=" + "x" * chance.randrange(1, 512)


def file_system_head() -> bytes:
    """The blocks at the start of an empty ext2 of `RAM_DISK_KIB`; all others are zeros.

    In one block group everything that mke2fs writes is at the start, so that the guest
    makes the file system by copying some kilobytes to its RAM disk.

    Raises:
        EnvironmentMissing: mke2fs is not installed, or failed.
    """
    kept = cache.recall(f"vm/{FILE_SYSTEM}")
    if kept is not None:
        return kept
    with scratch("ext2") as root:
        image = root / FILE_SYSTEM
        with image.open("wb") as sparse:
            sparse.truncate(RAM_DISK_KIB << 10)
        output(_mke2fs(image), env={"E2FSPROGS_FAKE_TIME": "1"}, purpose="mke2fs")
        content = image.read_bytes().rstrip(b"\0")
    if len(content) > BLOCK << 8:
        raise EnvironmentMissing("mke2fs wrote beyond the head of its file system")
    content += bytes(-len(content) % BLOCK)
    cache.remember(f"vm/{FILE_SYSTEM}", content)
    return content


def _mke2fs(image: Path) -> list[str]:
    identity = "00000000-0000-4000-8000-000000000001"
    extended = f"hash_seed={identity},lazy_itable_init=0"
    return [
        *(find("mke2fs"), "-q", "-F", "-t", "ext2", "-b", str(BLOCK), "-m", "0", "-N", "64"),
        *("-O", "none,large_file,filetype", "-U", identity, "-E", extended, str(image)),
    ]
