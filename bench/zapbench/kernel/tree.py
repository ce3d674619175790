# SPDX-License-Identifier: GPL-2.0-only
"""Source trees that are brought from one series to another, touching only what differs.

A base has one tree, whatever series is on it, so that the objects of the last build are
reused: make sees new time stamps on those files alone whose content changed.
"""

import json
import re
import shutil
import tempfile
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import BuildFailed
from zapbench.host.file import write_if_changed
from zapbench.host.process import running
from zapbench.kernel.catalogue import Series

_FAILED = re.compile(r"error: patch failed: (?P<file>.+):(?P<line>\d+)")
_HUNK = re.compile(r"@@ -(?P<start>\d+)(,\d+)? \+\d+(,\d+)? @@")
_NAMED = re.compile(r"(?:---|\+\+\+|rename from|rename to) (?:[ab]/)?(?P<path>[^\t\n]+)")

Content = tuple[bytes, int]
"""What a file holds, and its mode."""


@dataclass(frozen=True, slots=True)
class Tree:
    """An unpacked kernel; ``source_id`` says exactly which, without its series."""

    path: Path
    source_id: str

    @property
    def source(self) -> Path:
        """Where the Makefile is."""
        return self.path / "source"

    @property
    def _originals(self) -> Path:
        return self.path / "originals"

    def apply(self, series: Series | None) -> None:
        """Bring the tree to its base with exactly this series on top.

        Raises:
            BuildFailed: a patch does not apply; the tree is as it was.
        """
        wanted = self._patched(series) if series else {}
        kept = self._originals / "kept.json"
        saved: dict[str, bool] = json.loads(kept.read_text()) if kept.is_file() else {}
        for name in sorted(wanted.keys() - saved.keys()):
            there = self.source / name
            if there.is_file():
                _copy(there, self._originals / "file" / name)
            saved[name] = there.is_file()
        write_if_changed(kept, json.dumps(saved, sort_keys=True).encode())
        for name, existed in saved.items():
            original = _read(self._originals / "file" / name) if existed else None
            _put(self.source / name, wanted.get(name, original))

    def restore(self) -> None:
        """Bring the tree back to its base and forget the originals, before the base changes."""
        self.apply(None)
        shutil.rmtree(self._originals, ignore_errors=True)

    def _base(self, name: str) -> Path:
        original = self._originals / "file" / name
        return original if original.is_file() else self.source / name

    def _patched(self, series: Series) -> dict[str, Content | None]:
        """The files that a series changes, by name; None for those that it removes."""
        kept = self._originals / "kept.json"
        saved = json.loads(kept.read_text()) if kept.is_file() else {}
        added = {name for name, existed in saved.items() if not existed}
        with tempfile.TemporaryDirectory(prefix="zapbench-series-") as scratch:
            root = Path(scratch)
            touched = set().union(*(_touched(patch) for patch in series.patches))
            for name in touched - added:
                if self._base(name).is_file():
                    _copy(self._base(name), root / name)
            for patch in series.patches:
                _git_apply(patch, root)
            return {name: _read(root / name) for name in touched}


def _copy(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    shutil.copy(source, target)  # with its mode: scripts are executed


def _read(path: Path) -> Content | None:
    return (path.read_bytes(), path.stat().st_mode) if path.is_file() else None


def _put(path: Path, content: Content | None) -> None:
    if content is None:
        path.unlink(missing_ok=True)
    elif write_if_changed(path, content[0]):
        path.chmod(content[1])


def _lines(patch: Path) -> list[str]:
    try:
        return patch.read_text(errors="surrogateescape").splitlines()
    except OSError as error:
        raise BuildFailed(f"cannot read patch {patch}: {error.strerror}") from error


def _touched(patch: Path) -> set[str]:
    named = (match["path"] for match in map(_NAMED.match, _lines(patch)) if match)
    return {name for name in named if _inside(name)}


def _inside(name: str) -> bool:
    path = Path(name)
    return name != "/dev/null" and not path.is_absolute() and ".." not in path.parts


def _git_apply(patch: Path, root: Path) -> None:
    """Apply strictly: an offset is fine, other context is not.

    Raises:
        BuildFailed: with the patch, the file and the hunk.
    """
    # Outside any repository git apply works on plain directories; a ceiling keeps it there.
    env = {"GIT_CEILING_DIRECTORIES": str(root.parent), "GIT_CONFIG_NOSYSTEM": "1"}
    command = ["git", "apply", "--whitespace=nowarn", str(patch.absolute())]
    with running(command, cwd=root, env=env) as process:
        said = process.communicate()[0].decode(errors="replace")
    if process.returncode == 0:
        return
    if match := _FAILED.search(said):
        number = _hunk_number(_lines(patch), match["file"], int(match["line"]))
        raise BuildFailed(
            f"{patch.name} does not apply: hunk {number} of {match['file']} (line {match['line']})"
        )
    raise BuildFailed(f"{patch.name} does not apply: {said.strip().splitlines()[0]}")


def _hunk_number(lines: Iterable[str], file: str, start: int) -> int:
    """Which hunk of a file's patch begins at this line of the old file, counted from 1."""
    current, number = "", 0
    for line in lines:
        if line.startswith("--- "):
            current, number = line[4:].removeprefix("a/"), 0
        elif current == file and (match := _HUNK.match(line)):
            number += 1
            if int(match["start"]) == start:
                return number
    return number
