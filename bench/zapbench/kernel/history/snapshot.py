# SPDX-License-Identifier: GPL-2.0-only
"""The kernel of a Debian source package as a git tree, without unpacking it to the disk.

The tarball inside the package goes member by member to `git fast-import`, which compresses
only those files that the repository does not hold yet.
"""

import gzip
import os
import re
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO

from zapbench.error import EnvironmentMissing
from zapbench.host.cache import Progress
from zapbench.host.process import running
from zapbench.kernel import mail
from zapbench.kernel.git import Repository

REF = "refs/zapbench/import"
"""Names the snapshot while it is imported."""

_TRAILER = re.compile(r"^ -- .*>  (?P<date>.+)$", re.MULTILINE)
_EXECUTABLE = 0o100
_CHUNK = 1 << 20


@dataclass(slots=True)
class _Stream:
    """What has been sent: the files of the tree, and the newest time stamp seen (seconds)."""

    pipe: IO[bytes]
    entries: dict[str, tuple[str, int]] = field(default_factory=dict)
    newest: int = 0

    def blob(self, content: bytes) -> int:
        """Send one file's content; its mark."""
        mark = len(self.entries) + 1
        self.pipe.write(b"blob\nmark :%d\ndata %d\n" % (mark, len(content)))
        self.pipe.write(content)
        self.pipe.write(b"\n")
        return mark

    def member(self, member: tarfile.TarInfo, archive: tarfile.TarFile) -> None:
        """Send one member of the tarball: a file, a symbolic link, or a further name of a file."""
        name = _relative(member.name)
        self.newest = max(self.newest, int(member.mtime))
        if member.islnk():
            self.entries[name] = self.entries[_relative(member.linkname)]
        elif member.issym():
            self.entries[name] = ("120000", self.blob(os.fsencode(member.linkname)))
        elif (content := archive.extractfile(member)) is not None:
            mode = "100755" if member.mode & _EXECUTABLE else "100644"
            self.entries[name] = (mode, self.blob(content.read()))

    def commit(self, when: int) -> None:
        """Send the commit that holds everything, as a tree cannot be sent alone."""
        head = f"commit {REF}\ncommitter zapbench <zapbench@localhost> {when} +0000\n"
        lines = [f"M {mode} :{mark} {_quoted(n)}\n" for n, (mode, mark) in self.entries.items()]
        self.pipe.write(os.fsencode(f"{head}data 0\ndeleteall\n{''.join(lines)}done\n"))


def _relative(name: str) -> str:
    """The path without the one directory of the tarball."""
    return name.removeprefix("./").partition("/")[2]


def _quoted(name: str) -> str:
    escaped = name.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
    return name if escaped == name else f'"{escaped}"'


def add(repository: Repository, archive: Path, name: str, progress: Progress) -> tuple[str, int]:
    """Put the kernel of a package into the repository.

    ``name`` is the package's.  Returns the hash of the tree, and when the package was made: the
    time of the newest entry of its changelog, or else of its newest file (seconds since 1970).

    Raises:
        EnvironmentMissing: the package is damaged or holds no kernel, or the disk is full.
    """
    # Neighbours in a tarball are not alike: trying deltas between them is 40 % of git's work.
    with repository.piped("fast-import", "--quiet", "--done", "--force", "--depth=0") as pipe:
        stream = _Stream(pipe)
        dated = 0
        try:
            for path, content, size in _contents(archive):
                if path.name.startswith("changelog.Debian"):
                    dated = _dated(content)
                elif path.name.startswith(f"{name}.tar"):
                    _send(content, size, stream, progress)
        except (tarfile.TarError, EOFError) as error:
            raise EnvironmentMissing(f"cannot unpack {archive.name}: {error}") from error
        if "Kbuild" not in stream.entries or "Makefile" not in stream.entries:
            raise EnvironmentMissing(f"{archive.name} holds no kernel source (no Kbuild, Makefile)")
        when = dated or stream.newest
        stream.commit(when)
    tree = repository.run("rev-parse", f"{REF}^{{tree}}").strip()
    repository.run("update-ref", "-d", REF)  # the objects stay where they are
    return tree, when


def _contents(archive: Path) -> Iterator[tuple[Path, IO[bytes], int]]:
    """The files in a Debian package, with their sizes in bytes.

    Raises:
        EnvironmentMissing: it is damaged.
    """
    command = ["dpkg-deb", "--fsys-tarfile", str(archive)]
    with running(command, stderr=subprocess.PIPE) as process:
        assert process.stdout is not None
        with tarfile.open(fileobj=process.stdout, mode="r|") as outer:
            for member in outer:
                if (content := outer.extractfile(member)) is not None:
                    yield Path(member.name), content, member.size
        while process.stdout.read(_CHUNK):  # padding
            pass
        _, said = process.communicate()
    if process.returncode:
        reason = (said.decode(errors="replace").splitlines() or ["no message"])[-1]
        raise EnvironmentMissing(f"cannot unpack {archive.name}: {reason}")


def _send(content: IO[bytes], size: int, stream: _Stream, progress: Progress) -> None:
    with tarfile.open(fileobj=content, mode="r|*") as inner:
        for member in inner:
            stream.member(member, inner)
            inner.members.clear()  # type: ignore[attr-defined]  # 80,000 of them, never used
            progress("import", content.tell(), size)


def _dated(changelog: IO[bytes]) -> int:
    """The time in the trailer of the newest entry; 0 if there is none that can be read."""
    with gzip.open(changelog, "rt", errors="replace") as text:
        for line in text:
            if match := _TRAILER.match(line.rstrip("\n")):
                return mail.seconds(match["date"]) or 0
    return 0
