# SPDX-License-Identifier: GPL-2.0-only
"""The journal of changed settings: written before a change, removed when it is undone.

There is one for the machine.  It names the boot of the kernel, as a reboot undoes all settings
by itself, but no process: whoever holds the locks of `zapbench.host.settings` knows that the run
which wrote it has ended.  A pid would mean another process in another pid namespace.
"""

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from zapbench.error import EnvironmentMissing
from zapbench.host.file import drafts, write_atomically

NAME = "settings.json"
WRITABLE_BY_OTHERS = 0o022


@dataclass(frozen=True, slots=True)
class Change:
    """A value of one setting, before and after."""

    setting: str
    size: int
    """Page size in bytes that the setting is about; 0: all."""
    old: str
    new: str


def state_directory() -> Path:
    """Where zapbench keeps what outlives a run: $ZAPBENCH_STATE, or below $XDG_STATE_HOME."""
    if own := os.environ.get("ZAPBENCH_STATE"):
        return Path(own)
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local/state"
    return Path(base) / "zapbench"


def journal_directory(root: Path) -> Path:
    """Where the journal of a machine is; tests have theirs in $ZAPBENCH_STATE."""
    own = os.environ.get("ZAPBENCH_STATE")
    return Path(own) if own else root / "run/zapbench"


def boot_id() -> str:
    """Which boot of the kernel this is: a reboot undoes all settings by itself."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True)
class Journal:
    """The file that says what to put back."""

    path: Path
    known: frozenset[str]
    """The settings that may be in it."""

    def exists(self) -> bool:
        """Whether there is one, for all that this user can see."""
        try:
            self.path.lstat()
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError:
            return True  # `load` says why it cannot be read
        return True

    def make_directory(self) -> None:
        """Make the directory, in which this user alone writes, and all may read.

        Raises:
            OSError: it cannot be made.
        """
        try:
            self.path.parent.mkdir(0o755, parents=True)
        except FileExistsError:
            return
        self.path.parent.chmod(0o755)  # whatever the umask is: others shall see what is left

    def save(self, changes: Iterable[Change]) -> None:
        """Write it whole or not at all, on the disk when this returns.

        Raises:
            OSError: the directory cannot be written.
        """
        self.make_directory()
        for left in drafts(self.path):
            left.unlink()
        text = json.dumps(
            {"v": 1, "boot": boot_id(), "changes": [asdict(change) for change in changes]}
        )
        write_atomically(self.path, f"{text}\n".encode(), durable=True, mode=0o644)

    def load(self) -> tuple[Change, ...]:
        """What it says was changed since this boot; nothing if there is none.

        Raises:
            EnvironmentMissing: it cannot be read, is damaged, or another user can write it.
        """
        if why := self.planted():
            raise EnvironmentMissing(f"{why}: look what is in it, remove it, then try again")
        if not self.exists():
            return ()
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            changes = tuple(_change(each) for each in data["changes"])
            if unknown := {change.setting for change in changes} - self.known:
                raise ValueError(f"unknown setting {unknown.pop()}")
            return changes if data["boot"] == boot_id() else ()
        except OSError as err:
            raise EnvironmentMissing(
                f"cannot read {self.path}, the journal of changed settings: {err.strerror}; see "
                "what it is, as root"
            ) from err
        except (ValueError, TypeError, KeyError, RecursionError) as err:
            raise EnvironmentMissing(
                f"{self.path} is no journal of changed settings ({err}): see that hugetlb pools "
                "and THP on shmem are as you want them, then remove it"
            ) from err

    def planted(self) -> str:
        """Why root must not believe it: another user can write it; empty if it is root's alone."""
        if os.geteuid() != 0:
            return ""  # no harm is done with the rights of whoever asks
        for path in (self.path.parent, self.path):
            try:
                seen = path.lstat()
            except OSError:
                continue
            if seen.st_uid != 0 or seen.st_mode & WRITABLE_BY_OTHERS:
                return f"{path} can be written by others than root"
        return ""


def _change(read: Mapping[str, Any]) -> Change:
    """A change as it was read.

    Raises:
        KeyError, TypeError, ValueError: it is none.
    """
    setting, size, old, new = (read[name] for name in ("setting", "size", "old", "new"))
    words = all(isinstance(each, str) and each.isprintable() for each in (setting, old, new))
    if not words or type(size) is not int or size < 0:
        raise ValueError("what was changed is not to be understood")
    return Change(setting, size, old, new)
