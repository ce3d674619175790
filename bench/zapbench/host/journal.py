# SPDX-License-Identifier: GPL-2.0-only
"""The journal of changed settings: written before a change, removed when it is undone.

It names the process that owns it by pid and start time, and the boot of the kernel, so that
a later run can tell a crashed owner from a living one and a reboot from neither.
"""

import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host.file import write_atomically


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


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since boot (proc_pid_stat(5)); None: no such."""
    try:
        stat = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    state, *fields = stat.rpartition(")")[2].split()
    return None if state in "ZX" else int(fields[18])


def boot_id() -> str:
    """Which boot of the kernel this is: a reboot undoes all settings by itself."""
    return Path("/proc/sys/kernel/random/boot_id").read_text(encoding="utf-8").strip()


@dataclass(frozen=True, slots=True)
class Journal:
    """The file that says what to put back."""

    path: Path
    known: frozenset[str]
    """The settings that may be in it."""

    def save(self, changes: Iterable[Change]) -> None:
        """Write it whole or not at all, on the disk when this returns.

        Raises:
            OSError: the state directory cannot be written.
        """
        text = json.dumps(
            {
                "v": 1,
                "pid": os.getpid(),
                "started": started(os.getpid()),
                "boot": boot_id(),
                "changes": [asdict(change) for change in changes],
            }
        )
        write_atomically(self.path, f"{text}\n".encode(), durable=True)

    def load(self) -> tuple[int | None, tuple[Change, ...]]:
        """The process that owns it, None if it is dead; and its changes, if not void.

        Raises:
            EnvironmentMissing: the file is damaged.
        """
        if not self.path.exists():
            return None, ()
        try:
            data = json.loads(self.path.read_text(encoding="utf-8"))
            changes = tuple(Change(**change) for change in data["changes"])
            if data["boot"] != boot_id():
                return None, ()
            alive = started(data["pid"]) == data["started"]
            if unknown := {change.setting for change in changes} - self.known:
                raise ValueError(f"unknown setting {unknown.pop()}")
        except (ValueError, TypeError, KeyError) as err:
            raise EnvironmentMissing(
                f"the journal of changed settings {self.path} cannot be understood ({err}): "
                "put back by hand what it names, then remove it"
            ) from err
        return (data["pid"] if alive else None), changes
