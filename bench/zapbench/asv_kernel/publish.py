# SPDX-License-Identifier: GPL-2.0-only
"""asv's pages without a network: `asv publish` brings the scripts that they load.

asv's index.html loads jquery, flot and others from elsewhere and gives their hashes
(https://www.w3.org/TR/SRI/).  They are also npm packages: `npm pack` fetches those from the
registry that npm is configured for, the file in them with that hash is copied next to the page,
and the page loads it from there.
"""

import base64
import hashlib
import json
import posixpath
import re
import subprocess
import tarfile
from collections.abc import Iterator
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple
from urllib.parse import urlsplit

from asv.console import log
from asv.publishing import OutputPublisher

from zapbench.error import EnvironmentMissing, ZapbenchError
from zapbench.host import cache, process
from zapbench.host.file import write_if_changed

_EXTERNAL = re.compile(
    r'<(?:script|link)\b[^>]*\b(?:src|href)="(?P<url>(?:https?:)?//[^"]*)"[^>]*>', re.IGNORECASE
)
_INTEGRITY = re.compile(r'\bintegrity="([^"]*)"', re.IGNORECASE)

# What only says how to load from elsewhere; `crossorigin` would keep a file: page from loading.
_ATTRIBUTES = re.compile(r'\s+(?:integrity|crossorigin|referrerpolicy)="[^"]*"', re.IGNORECASE)

_CSS_URL = re.compile(r"""url\(\s*['"]?([^'")?#]+)""")

_PACKAGES = (
    re.compile(r"/npm/(?P<name>(?:@[^/@]+/)?[^/@]+)@(?P<version>[^/@]+)/"),
    re.compile(r"/ajax/libs/(?P<name>[^/]+)/(?P<version>[^/]+)/"),
    re.compile(r"/(?P<name>[a-z]+)-(?P<version>\d+(?:\.\d+)+)(?:\.min)?\.js$"),
)
"""How the path of a script's address names its package, by content delivery network."""


class Source(NamedTuple):
    """A file in an npm package.

    Attributes:
        package: ``NAME@VERSION``.
        integrity: hashes as in SRI, by which the file is found.
    """

    package: str
    integrity: str


_STAND_INS = {
    # npm's flot holds the sources, of which the files of the delivery network were minified.
    "flot/0.8.3/jquery.flot.min.js": Source(
        "flot@0.8.3", "sha256-t7kx8nPDixJ3ucbB9OBcTsCYhaSHvdrzJ54tfkmjjhI="
    ),
    "flot/0.8.3/jquery.flot.time.min.js": Source(
        "flot@0.8.3", "sha256-pYLIMq3HE4prBar2HxbrrCdHAfG+Sv6nfnOaHDS5xBo="
    ),
    "flot/0.8.3/jquery.flot.selection.min.js": Source(
        "flot@0.8.3", "sha256-5shfbB6+S02inYriOMfFBgKD8F9+8FT2uRgX0CwJKRg="
    ),
    "flot/0.8.3/jquery.flot.categories.min.js": Source(
        "flot@0.8.3", "sha256-boFmSyjqeVxzSQb0qhVhRkCnWsf705mn+5CEBAaYNRo="
    ),
    # npm's only version.
    "stupidtable/1.0.1/stupidtable.min.js": Source(
        "stupid-table-plugin@1.1.3", "sha256-RkI4Dyjr6e18rCUXk7KB74YgxDhiBdkniPmxL1zOtOA="
    ),
}
"""For files that no npm package holds, by the end of their address: what is taken instead."""


class OfflinePages(OutputPublisher):  # type: ignore[misc] # asv has no types
    """Makes the pages that asv has just written load everything from their own place."""

    name = "offline"
    button_label = "Offline"
    description = "Scripts and style sheets next to the pages"

    @classmethod
    def publish(cls, conf: Any, *_results: object) -> None:
        """Called once by `asv publish`, after index.html was copied to ``conf.html_dir``.

        What the user lacks (npm, a network at the first time) is a warning: the pages are then
        as asv made them.
        """
        try:
            vendor(Path(conf.html_dir))
        except ZapbenchError as error:
            log.warning(f"the pages will load scripts from the network: {error}")


def vendor(pages: Path) -> None:
    """Bring what ``pages``/index.html loads from elsewhere, and make it load that.

    A page that loads nothing from elsewhere stays as it is.  The page is changed last: until
    everything is there it works as before.

    Raises:
        EnvironmentMissing: npm is not installed, or a package is available neither from the cache
            nor by npm, or does not hold the file.
    """
    index = pages / "index.html"
    page = index.read_text(encoding="utf-8")
    tags = {found[0]: (found["url"], _source(found)) for found in _EXTERNAL.finditer(page)}
    packages = {
        package: _contents(package) for package in sorted({s.package for _, s in tags.values()})
    }
    for tag, (url, source) in tags.items():
        contents = packages[source.package]
        name = _find(contents, source)
        for needed in (name, *_references(name, contents)):
            write_if_changed(pages / "vendor" / source.package / needed, contents[needed])
        local = f"vendor/{source.package}/{name}"
        page = page.replace(tag, _ATTRIBUTES.sub("", tag).replace(url, local))
    write_if_changed(index, page.encode())


def _source(tag: re.Match[str]) -> Source:
    """Where to get what a tag of the page loads."""
    path = urlsplit(tag["url"]).path
    for end, source in _STAND_INS.items():
        if path.endswith(f"/{end}"):
            return source
    integrity = _INTEGRITY.search(tag[0])
    for pattern in _PACKAGES:
        if integrity and (found := pattern.search(path)):
            return Source(f"{found['name']}@{found['version']}", integrity[1])
    raise EnvironmentMissing(
        f"this version of asv loads {tag['url']}, which belongs to no npm package that zapbench "
        "knows: install the version of asv that requirements.lock names"
    )


def _find(contents: dict[str, bytes], source: Source) -> str:
    """The path of the file that has one of the hashes."""
    wanted = set(source.integrity.split())
    algorithms = {name for name in ("sha256", "sha384", "sha512") if name in source.integrity}
    for path, content in contents.items():
        for name in algorithms:
            digest = base64.b64encode(hashlib.new(name, content).digest()).decode()
            if f"{name}-{digest}" in wanted:
                return path
    raise EnvironmentMissing(
        f"{_place(source.package)} holds no file with the hash {source.integrity}: remove that "
        "directory and publish again"
    )


def _references(path: str, contents: dict[str, bytes]) -> Iterator[str]:
    """The files of the package (fonts) that a style sheet asks for."""
    if not path.endswith(".css"):
        return
    for reference in _CSS_URL.findall(contents[path].decode(errors="replace")):
        target = posixpath.normpath(posixpath.join(posixpath.dirname(path), reference))
        if target in contents:
            yield target


def _place(package: str) -> Path:
    return cache.subdirectory("npm") / package.replace("/", "+")


def _contents(package: str) -> dict[str, bytes]:
    """All files of a package by their paths in it, fetched if the cache lacks it."""
    place = _place(package)
    with cache.locked(f"npm-{place.name}"):
        if not place.is_dir():
            with cache.staged(place) as stage:
                _fetch(package, stage)
    try:
        return {
            # npm puts everything into one directory, mostly called "package".
            name.partition("/")[2]: content
            for archive in place.glob("*.tgz")
            for name, content in _members(archive)
        }
    except (tarfile.TarError, OSError, EOFError) as error:
        raise EnvironmentMissing(
            f"{place} is damaged ({error}): remove that directory and publish again"
        ) from error


def _members(archive: Path) -> Iterator[tuple[str, bytes]]:
    with tarfile.open(archive) as opened:
        for member in opened:
            file = opened.extractfile(member)
            if file is not None and ".." not in PurePosixPath(member.name).parts:
                yield member.name, file.read()


def _fetch(package: str, directory: Path) -> None:
    """Let npm put the archive of a package into a directory; npm checks it against the registry."""
    options = ["--json", "--loglevel=silent", "--ignore-scripts"]
    patience = ["--fetch-retries=1", "--fetch-retry-mintimeout=1000", "--fetch-timeout=20000"]
    command = ["npm", "pack", package, *options, *patience]
    with process.running(command, cwd=directory, stderr=subprocess.DEVNULL) as npm:
        try:
            out, _ = npm.communicate(timeout=120)
        except subprocess.TimeoutExpired:
            process.end(npm)
            out = b'{"error": {"summary": "no answer within 120 s"}}'
    if npm.returncode or not list(directory.glob("*.tgz")):
        raise EnvironmentMissing(
            f"npm pack {package}: {_reason(out)}: publish again where npm reaches its registry"
        )


def _reason(answer: bytes) -> str:
    """Why npm failed, in its words, from what ``--json`` prints."""
    try:
        return str(json.loads(answer)["error"]["summary"]).splitlines()[0]
    except (ValueError, LookupError, TypeError):
        return "no reason given"
