# SPDX-License-Identifier: GPL-2.0-only
"""Debian packages by apt, with this machine's configuration and without its root.

A suite that the machine does not list is read into an apt state of our own: its mirror comes
from the machine's sources, its trust from the Debian archive keyring.
"""

import hashlib
import re
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import EnvironmentMissing, UsageError
from zapbench.host import cache
from zapbench.host.cache import Progress
from zapbench.host.file import write_if_changed
from zapbench.host.process import output, running
from zapbench.host.root import as_root

KEYRING = Path("/usr/share/keyrings/debian-archive-keyring.gpg")
FRESH_SECONDS = 24 * 3600.0  # the package lists of our own are read again after a day
SECURITY = "-security"
MACHINE = "this machine"
"""Stands for all sources of the machine, whose own lists may never have been read."""

_URI = re.compile(r"'(?P<uri>[^']+)' (?P<file>\S+) (?P<size>\d+) ?(?P<hash>\S*)")
_RELEASE_FILE = re.compile(r"(?P<mirror>.+)/dists/(?P<suite>[^/]+)/InRelease")


@dataclass(frozen=True, slots=True)
class Package:
    """One version of a package, and the apt options under which it is available."""

    name: str
    version: str
    options: tuple[str, ...]

    @property
    def upstream(self) -> str:
        """The version without Debian's revision: ``6.12.113`` of ``6.12.113-1~deb12u1``."""
        return self.version.rpartition("-")[0] or self.version


def mirrors() -> list[tuple[str, str]]:
    """The pairs of mirror and suite that the machine's apt is configured with."""
    listing = output(["apt-get", "update", "--print-uris"], purpose="reading apt's sources")
    uris = (match["uri"] for match in map(_URI.match, listing.splitlines()) if match)
    releases = (match for match in map(_RELEASE_FILE.fullmatch, uris) if match)
    return [(match["mirror"], match["suite"]) for match in releases]


def _versions(name: str, options: Sequence[str]) -> list[Package]:
    """Newest first, as apt-cache madison prints them."""
    listing = output(["apt-cache", *options, "madison", name], purpose=f"looking for {name}")
    fields = (line.split("|") for line in listing.splitlines() if line.count("|") == 2)
    found = dict.fromkeys(
        version.strip() for _, version, origin in fields if origin.strip().endswith("Packages")
    )
    return [Package(name, version, tuple(options)) for version in found]


def _private_options(state: Path, suite: str | None) -> tuple[str, ...]:
    """The options of a state of our own: of one suite, or of all sources of the machine."""
    places: dict[str, object] = {
        "Dir::State": state,
        "Dir::State::lists": state / "lists",
        "Dir::State::status": "/var/lib/dpkg/status",
        "Dir::Cache": state / "cache",
        # apt drops to _apt as root, which cannot enter a home directory.
        "APT::Sandbox::User": "root",
    }
    if suite is not None:
        places |= {"Dir::Etc::sourcelist": state / "sources.list", "Dir::Etc::sourceparts": "-"}
    return tuple(word for key, value in places.items() for word in ("-o", f"{key}={value}"))


def _candidates(suite: str) -> Iterator[str]:
    """Mirrors that may hold the suite: security updates live in an archive of their own."""
    security = suite.endswith(SECURITY)
    known = mirrors()
    if not known:
        raise EnvironmentMissing("apt has no package sources: add a Debian mirror to them")
    yield from dict.fromkeys(
        mirror for mirror, listed in known if listed.endswith(SECURITY) == security
    )


def _read_lists(suite: str | None) -> tuple[str, ...]:
    """Fetch package lists into the cache, of a suite or of the machine's sources.

    Returns the apt options to use them.  Lists that are there already are better than none.

    Raises:
        EnvironmentMissing: no mirror of this machine has the suite, or none can be reached.
    """
    state = cache.subdirectory("apt", suite or MACHINE)
    options = _private_options(state, suite)
    stamp = state / "read"
    if stamp.is_file() and time.time() - stamp.stat().st_mtime < FRESH_SECONDS:
        return options
    for part in ("lists/partial", "cache/archives/partial"):
        (state / part).mkdir(parents=True, exist_ok=True)
    signed = f" [signed-by={KEYRING}]" if KEYRING.is_file() else ""
    failures = []
    for mirror in _candidates(suite) if suite else [""]:
        if suite:
            line = f"deb{signed} {mirror} {suite} main\n"
            write_if_changed(state / "sources.list", line.encode())
        try:
            command = ["apt-get", *options, "-o", "APT::Update::Error-Mode=any", "update"]
            output(command, purpose=f"reading the package lists of {suite or MACHINE}")
        except EnvironmentMissing as error:
            failures.append(str(error))
            continue
        stamp.touch()
        return options
    if stamp.is_file():
        return options
    raise EnvironmentMissing(failures[-1] if failures else f"no mirror here can hold {suite}")


def find(name: str, *, suite: str | None, release: str | None) -> Package:
    """The newest version of a package, or the newest of an upstream release.

    The machine's own package lists are asked first, then ``suite``; if they are empty (a new
    container), lists of our own are read from the machine's sources.

    Raises:
        UsageError: the package exists, but not in that release; the message names those it has.
        EnvironmentMissing: no package source has it.
    """
    versions = _versions(name, ())
    suites = [suite] if suite else [] if versions else [None]
    for wanted in suites:
        if not any(release in (None, version.upstream) for version in versions):
            with cache.locked(f"apt-{wanted or MACHINE}"):
                versions = [*versions, *_versions(name, _read_lists(wanted))]
    if not versions:
        where = f", nor has {suite}" if suite else ""
        raise EnvironmentMissing(f"apt offers no {name}{where}: add a suite that has it")
    for version in versions:
        if release in (None, version.upstream):
            return version
    known = ", ".join(dict.fromkeys(version.upstream for version in versions))
    raise UsageError(f"{name} is not available as {release}, only as {known}")


def releases(name: str, *, suite: str | None) -> list[Package]:
    """The newest version of each upstream release that the machine or ``suite`` offers.

    Raises:
        EnvironmentMissing: none does, or the suite's lists cannot be read.
    """
    versions = _versions(name, ())
    if suite or not versions:
        with cache.locked(f"apt-{suite or MACHINE}"):
            versions += _versions(name, _read_lists(suite))
    if not versions:
        raise EnvironmentMissing(f"apt offers no {name}: add a suite that has it")
    return list({version.upstream: version for version in reversed(versions)}.values())[::-1]


def download(package: Package, directory: Path, progress: Progress) -> Path:
    """Fetch a package into a directory, going on from what an earlier run left there.

    Raises:
        EnvironmentMissing: the download failed, or its SHA-256 is not the one in apt's lists.
    """
    wanted = f"{package.name}={package.version}"
    command = ["apt-get", *package.options, "-o", "APT::Sandbox::User=root", "download"]
    purpose = f"downloading {wanted}"
    described = _URI.search(output([*command, "--print-uris", wanted], purpose=purpose))
    if described is None or not described["hash"].startswith("SHA256:"):
        raise EnvironmentMissing(f"apt knows no SHA-256 of {wanted}: {as_root('apt-get update')}")
    target, size = directory / described["file"], int(described["size"])
    with running([*command, "-q", wanted], cwd=directory) as process:
        while process.poll() is None:
            progress("download", target.stat().st_size if target.exists() else 0, size)
            time.sleep(0.1)
        said = process.stdout.read().decode(errors="replace") if process.stdout else ""
    if process.returncode:
        errors = [line for line in said.splitlines() if line.startswith("E:")]
        said = errors[-1] if errors else "apt-get failed"
        update = as_root("apt-get update")
        raise EnvironmentMissing(f"{purpose}: {said} (old package lists? {update})")
    verify(target, described["hash"].removeprefix("SHA256:"))
    return target


def verify(path: Path, sha256: str) -> None:
    """Raise EnvironmentMissing, and remove the file, unless it has this SHA-256."""
    with path.open("rb") as file:
        actual = hashlib.file_digest(file, "sha256").hexdigest()
    if actual != sha256:
        path.unlink()
        raise EnvironmentMissing(
            f"{path.name} has the SHA-256 {actual}, not {sha256}: it was removed; fetch it again"
        )
