# SPDX-License-Identifier: GPL-2.0-only
"""Kernel configurations: fragments on top of tinyconfig, and whether each symbol survived."""

import re
import shutil
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.error import BrokenSource, UsageError
from zapbench.host.file import write_if_changed
from zapbench.host.process import find
from zapbench.kernel.catalogue import directory
from zapbench.kernel.make import Make, quietly

BENCH = "bench"
"""The fragment that every benchmark kernel has."""
OPTIONAL = "optional"
"""What only some versions have."""

_SET = re.compile(r"(?P<symbol>CONFIG_\w+)=(?P<value>.+)")
_UNSET = re.compile(r"# (?P<symbol>CONFIG_\w+) is not set")


@dataclass(frozen=True, slots=True)
class Configuration:
    """A base (``tinyconfig``, or a whole .config) and the fragments merged into it, in order.

    ``optional`` fragments come first, and their symbols need not survive.
    """

    name: str
    fragments: tuple[Path, ...]
    optional: tuple[Path, ...] = ()
    base: Path | None = None

    @property
    def requested(self) -> dict[str, str]:
        """What the fragments ask for, by symbol; ``n`` for a symbol that is to be off."""
        return _merged(self.fragments)

    @property
    def identity(self) -> str:
        """All that the configuration depends on besides the source, comments left out."""
        base = read(self.base) if self.base else {}
        lines = [
            f"{symbol}={value}" for symbol, value in sorted({**base, **self.requested}.items())
        ]
        return "\n".join(["whole" if self.base else "tinyconfig", *lines])


def _merged(fragments: Iterable[Path]) -> dict[str, str]:
    symbols: dict[str, str] = {}
    for fragment in fragments:
        symbols |= read(fragment)
    return symbols


def read(path: Path) -> dict[str, str]:
    """The symbols of a .config or fragment.

    Raises:
        UsageError: it cannot be read, or a line is neither a symbol, a comment nor empty.
    """
    try:
        lines = path.read_text().splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(f"cannot read kernel config {path}: {error}") from error
    symbols = {}
    for number, line in enumerate(lines, 1):
        if match := _SET.fullmatch(line.strip()):
            symbols[match["symbol"]] = match["value"]
        elif match := _UNSET.fullmatch(line.strip()):
            symbols[match["symbol"]] = "n"
        elif line.strip() and not line.startswith("#"):
            raise UsageError(f"{path}:{number}: {line.strip()!r} is no CONFIG_… line")
    return symbols


def choose(name: str | None, extra: Sequence[Path] = ()) -> Configuration:
    """The configuration of ``--config NAME|FILE``: bench, with a fragment on top if one is named.

    Raises:
        UsageError: there is no such fragment.
    """
    known = directory() / "config"
    fragments = [known / f"{BENCH}.config", *extra]
    if name is not None and name != BENCH:
        path = known / f"{name}.config" if "/" not in name else Path(name).expanduser()
        if not path.is_file() and Path(name).is_file():
            path = Path(name)
        if not path.is_file():
            choices = ", ".join(sorted(file.stem for file in known.glob("*.config")))
            raise UsageError(f"no config {name!r}: neither a file nor one of {choices}")
        fragments.append(path)
    for fragment in fragments:
        read(fragment)
    optional = (known / f"{OPTIONAL}.config",)
    return Configuration(Path(name).stem if name else BENCH, tuple(fragments), optional)


def configure(make: Make, config: Configuration) -> None:
    """Write .config into the object directory; it keeps its time stamp if it had this content.

    Raises:
        BuildFailed, EnvironmentMissing: the kernel's own configuration failed.
        BrokenSource: it dropped a requested symbol.
    """
    for program in ("flex", "bison"):
        find(program)
    draft = make.objects / ".config.draft"
    make = replace(make, env={**make.env, "KCONFIG_CONFIG": str(draft)})
    if config.base:
        shutil.copy(config.base, draft)
    else:
        quietly(make, [*make.command, "-s", "tinyconfig"], "tinyconfig")
    fragments = _copies((*config.optional, *config.fragments), make.objects)
    if fragments:
        script = str(make.source / "scripts/kconfig/merge_config.sh")
        merge = ["sh", script, "-m", "-O", str(make.objects), str(draft), *map(str, fragments)]
        quietly(make, merge, "merge_config.sh")
    quietly(make, [*make.command, "-s", "olddefconfig"], "olddefconfig")
    lost = missing(config.requested, read(draft))
    if lost:
        raise BrokenSource(
            f"the kernel's configuration did not keep {', '.join(lost)}: "
            "a dependency is off, or this version lacks it"
        )
    write_if_changed(make.objects / ".config", draft.read_bytes())
    draft.unlink()


def _copies(fragments: Sequence[Path], build: Path) -> list[Path]:
    """Fragments under names of our own: merge_config.sh takes a path with a space for two."""
    copies = [build / f".config.fragment{number}" for number in range(len(fragments))]
    for fragment, copy in zip(fragments, copies, strict=True):
        shutil.copy(fragment, copy)
    return copies


def missing(requested: Mapping[str, str], actual: Mapping[str, str]) -> list[str]:
    """The requested lines that a configuration does not have."""
    return [
        f"{symbol}={value}"
        for symbol, value in requested.items()
        if actual.get(symbol, "n") != value
    ]
