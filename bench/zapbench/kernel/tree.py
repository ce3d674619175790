# SPDX-License-Identifier: GPL-2.0-only
"""Source trees that are brought from one series to another, touching only what differs.

A base has one tree, whatever series is on it, so that the objects of the last build are
reused: make sees new time stamps on those files alone whose content changed.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import BuildFailed
from zapbench.host.file import write_if_changed
from zapbench.kernel import beneath, patch
from zapbench.kernel.beneath import Content
from zapbench.kernel.catalogue import Series

OBJECTS = ".zapbench-"
"""What the names of directories that builds make in a source begin with."""


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
        saved = self._saved()
        wanted = patch.patched(series, self) if series else {}
        for name in sorted(wanted.keys() - saved.keys()):
            there = beneath.read(self.source, name)
            if there is not None:
                beneath.write(self._files, name, there)
            saved[name] = there is not None
        write_if_changed(self._kept, json.dumps(saved, sort_keys=True).encode())
        base = {name: beneath.read(self._files, name) if saved[name] else None for name in saved}
        self._bring({**base, **wanted})

    def restore(self) -> None:
        """Bring the tree back to its base and forget the originals, before the base changes."""
        self.apply(None)
        shutil.rmtree(self._originals, ignore_errors=True)

    @property
    def _files(self) -> Path:
        path = self._originals / "file"
        path.mkdir(parents=True, exist_ok=True)
        return path

    @property
    def _kept(self) -> Path:
        return self._originals / "kept.json"

    def _saved(self) -> dict[str, bool]:
        """The files that a series changed once: whether the base has them."""
        saved: dict[str, bool] = json.loads(self._kept.read_text()) if self._kept.is_file() else {}
        return saved

    def content(self, name: str) -> Content | None:
        """What the base has under a name, whatever series is on it."""
        existed = self._saved().get(name)
        if existed is None:
            return beneath.read(self.source, name)
        return beneath.read(self._files, name) if existed else None

    def top(self) -> set[str]:
        """The names in its first directory."""
        return {path.name for path in self.source.iterdir()}

    def around(self, name: str) -> set[str]:
        """The files of the base where a name needs a directory, or beneath it."""
        found = beneath.around(self.source, name) | beneath.around(self._files, name)
        return {each for each in found if self.content(each) is not None}

    def _bring(self, wanted: dict[str, Content | None]) -> None:
        """Make files what they are to be, and see that they are.

        Raises:
            BuildFailed: one is not.
        """
        for name, content in wanted.items():
            there = beneath.read(self.source, name)
            if content is None or (there and there.is_link != content.is_link):
                beneath.remove(self.source, name)
        for name, content in wanted.items():
            try:
                if content is not None:
                    beneath.write(self.source, name, content)
            except (NotADirectoryError, IsADirectoryError) as error:
                raise BuildFailed(f"cannot write {name}: {error.strerror}") from error
        for name, content in wanted.items():
            if beneath.read(self.source, name) != content:
                raise BuildFailed(f"{name} is not as the series has it: another file is in the way")
