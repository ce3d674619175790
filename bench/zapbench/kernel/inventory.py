# SPDX-License-Identifier: GPL-2.0-only
"""What the cache holds of the kernels that are known by name.

Nothing is fetched for it: `6.12` stands for whatever point releases are there already.
"""

import hashlib
from collections.abc import Iterable
from dataclasses import dataclass

from zapbench.host import cache
from zapbench.kernel import build, catalogue, config
from zapbench.kernel.build import Image
from zapbench.kernel.catalogue import DebianSource, GitSource, Kernel, Source


@dataclass(frozen=True, slots=True)
class KnownKernel:
    """A kernel, where it comes from, and what is here of it.

    ``fetched`` names the unpacked Debian versions, ``images`` the releases that were built with
    today's patches and configuration, newest build first.
    """

    name: str
    source: str
    patches: int
    fetched: tuple[str, ...]
    images: tuple[str, ...]

    @property
    def releases(self) -> list[str]:
        """The point releases that are here, as names of kernels; the newest may not be."""
        return [version.partition("-")[0] for version in self.fetched]


def known() -> list[KnownKernel]:
    """One for each name in kernels.toml, with and without its series."""
    images = list(_images())
    return [_known(catalogue.parse(name), images) for name in catalogue.names()]


def _images() -> Iterable[Image]:
    """Every image in the cache, the one built last first."""
    made = [image.path / "meta.json" for image in build.described()]
    made.sort(key=lambda path: path.stat().st_mtime_ns, reverse=True)
    yield from (Image(path.parent) for path in made)


def _known(kernel: Kernel, images: Iterable[Image]) -> KnownKernel:
    wanted = {
        "series": build.series_hash(kernel.series),
        "config": hashlib.sha256(
            config.choose(None, kernel.fragments).identity.encode()
        ).hexdigest(),
    }
    of_base = kernel.source.package if isinstance(kernel.source, DebianSource) else None
    built = [
        image.meta["release"]
        for image in images
        if wanted.items() <= image.meta.items()
        and (of_base is None or image.meta["source"].startswith(f"{of_base}="))
        and (of_base is not None or image.meta["name"] == kernel.name)
        and image.whole()
    ]
    return KnownKernel(
        kernel.name,
        describe(kernel.source),
        len(kernel.series.patches) if kernel.series else 0,
        tuple(_fetched(of_base)),
        tuple(dict.fromkeys(built)),
    )


def _fetched(package: str | None) -> list[str]:
    if package is None:
        return []
    trees = (cache.root() / "tree").glob(f"{package}_*")
    return sorted(path.name.removeprefix(f"{package}_") for path in trees)


def describe(source: Source) -> str:
    """A source in a few words."""
    if isinstance(source, DebianSource):
        return f"Debian {source.package}" + (f" ({source.suite})" if source.suite else "")
    if isinstance(source, GitSource):
        return f"git {source.repository} {source.ref}"
    return f"tarball {source.location}"
