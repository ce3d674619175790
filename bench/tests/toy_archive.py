# SPDX-License-Identifier: GPL-2.0-only
"""A Debian archive of toy kernels in a directory, and an apt that knows no other."""

import gzip
import hashlib
import io
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from zapbench.kernel import apt, source

CHANGELOG = """\
linux ({version}) toys; urgency=medium

  * New upstream release.

 -- nobody <nobody@localhost>  {date}

linux (0.1-1) toys; urgency=low

 -- nobody <nobody@localhost>  Thu, 01 Jan 1970 00:00:00 +0000
"""


def tarball(path: Path, files: Mapping[str, str], mtime: int = 0) -> None:
    """Files below one directory; ``#!`` makes one executable, ``->`` a link, ``=`` a hard link."""
    with tarfile.open(path, "w:xz", preset=0) as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(f"linux-toy/{name}")
            member.mtime = mtime
            member.mode = 0o755 if content.startswith("#!") else 0o644
            if content.startswith(("->", "=")):
                member.type = tarfile.SYMTYPE if content[0] == "-" else tarfile.LNKTYPE
                member.linkname = content[2:] if content[0] == "-" else f"linux-toy/{content[1:]}"
                archive.addfile(member)
                continue
            member.size = len(content.encode())
            archive.addfile(member, io.BytesIO(content.encode()))


def package(
    pool: Path, name: str, version: str, files: Mapping[str, str], date: str | None = None
) -> Path:
    """A linux-source package; without a date it has no changelog."""
    root = pool / f"root-{name}-{version}"
    (root / "DEBIAN").mkdir(parents=True)
    (root / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: {version}\nArchitecture: all\n"
        "Maintainer: nobody <nobody@localhost>\nDescription: a toy\n"
    )
    (root / "usr/src").mkdir(parents=True)
    tarball(root / f"usr/src/{name}.tar.xz", files, mtime=1_000_000_000)
    if date:
        documents = root / "usr/share/doc" / name
        documents.mkdir(parents=True)
        text = CHANGELOG.format(version=version, date=date)
        (documents / "changelog.Debian.gz").write_bytes(gzip.compress(text.encode()))
    target = pool / f"{name}_{version}_all.deb"
    command = ["dpkg-deb", "-Znone", "-b", str(root), str(target)]
    subprocess.run(command, check=True, capture_output=True)
    return target


def index(directory: Path, *suites: str) -> None:
    """Offer the packages of ``pool`` in each suite."""
    stanzas = []
    for made in sorted((directory / "pool").glob("*.deb")):
        control = subprocess.check_output(["dpkg-deb", "-f", str(made)], text=True)
        digest = hashlib.sha256(made.read_bytes()).hexdigest()
        stanzas.append(
            f"{control}Filename: pool/{made.name}\nSize: {made.stat().st_size}\nSHA256: {digest}\n"
        )
    packages = "\n".join(stanzas).encode()
    digest = hashlib.sha256(packages).hexdigest()
    for suite in suites:
        binary = directory / "dists" / suite / "main/binary-amd64"
        binary.mkdir(parents=True, exist_ok=True)
        (binary / "Packages").write_bytes(packages)
        (directory / "dists" / suite / "Release").write_text(
            f"Origin: Debian\nSuite: {suite}\nCodename: {suite}\nArchitectures: amd64\n"
            "Components: main\nDate: Thu, 01 Jan 1970 00:00:00 UTC\n"
            f"SHA256:\n {digest} {len(packages)} main/binary-amd64/Packages\n"
        )


def configure(directory: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make apt know the suite ``toys`` of ``directory/archive`` alone, which it never read."""
    (directory / "sources.list").write_text(
        f"deb [trusted=yes] file:{directory}/archive toys main\n"
    )
    (directory / "lists/partial").mkdir(parents=True)
    configuration = directory / "apt.conf"
    configuration.write_text(
        f'Dir::Etc::sourcelist "{directory}/sources.list";\nDir::Etc::sourceparts "-";\n'
        f'Dir::State::lists "{directory}/lists";\nAPT::Architecture "amd64";\n'
        f'Dir::Cache "{directory}/apt-cache";\nAcquire::AllowInsecureRepositories "true";\n'
        'APT::Get::AllowUnauthenticated "true";\nAcquire::Check-Valid-Until "false";\n'
        'Acquire::Languages "none";\nAPT::Update::Post-Invoke-Success "";\n'
    )
    monkeypatch.setenv("APT_CONFIG", str(configuration))
    monkeypatch.setenv("ZAPBENCH_CACHE", str(directory / "cache"))
    monkeypatch.setattr(source, "UNPACKED_SIZE", 1 << 20)
    monkeypatch.setattr(apt, "KEYRING", directory / "no-keyring")


def read_lists() -> None:
    """What an administrator's apt-get update does."""
    subprocess.run(["apt-get", "-q", "update"], check=True, capture_output=True)
