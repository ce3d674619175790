# SPDX-License-Identifier: GPL-2.0-only
"""System settings that a measurement needs: raised for its duration, then put back.

What is to be changed is written to a journal before the first change.  The journal of a
process that could not clean up (SIGKILL, power) is replayed backwards by the next one, or by
`zapbench doctor --restore`.  Exclusive flocks keep runs apart.  The kernel drops them with the
last process that inherited them, so that they cannot go stale, and whoever holds them knows that
the run which wrote the journal has ended.
"""

import contextlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from zapbench.error import EnvironmentMissing
from zapbench.host import file, signals
from zapbench.host.journal import NAME, Change, Journal, journal_directory, state_directory
from zapbench.host.root import as_root

MM = "sys/kernel/mm"
POOL = MM + "/hugepages/hugepages-{kib}kB"
THP = MM + "/transparent_hugepage"
MEMORY_SHARE = 0.75
"""Of MemAvailable, what huge page pools may take: the rest keeps the machine alive."""


@dataclass(frozen=True, slots=True)
class Needs:
    """What the cases of a run ask of the system."""

    hugetlb: Mapping[int, int] = field(default_factory=dict)
    """Bytes of unused pool wanted, by hugetlb page size in bytes."""
    mthp: frozenset[int] = frozenset()
    """Sizes in bytes that MADV_HUGEPAGE shall give on shmem, the PMD size included."""

    def __bool__(self) -> bool:
        return bool(self.hugetlb or self.mthp)


@dataclass(frozen=True, slots=True)
class Missing:
    """Something asked for that is not available."""

    what: str
    reason: str


@dataclass(frozen=True, slots=True)
class Outcome:
    """What `applied` did."""

    changed: tuple[Change, ...] = ()
    missing: tuple[Missing, ...] = ()
    recovered: tuple[Change, ...] = ()
    """Left behind by a run that was killed, and put back now."""


@dataclass(frozen=True, slots=True)
class Restored:
    """What was left of a run that was killed, and what became of it."""

    put_back: tuple[Change, ...] = ()
    left_alone: tuple[Change, ...] = ()
    """Somebody else has set these since."""


@dataclass(frozen=True, slots=True)
class Setting:
    """A row of the table: where a setting is, when it matters and what it should be."""

    name: str
    path: str
    """Below the root directory; ``{kib}`` stands for the page size."""
    sizes: Callable[[Needs, Path], Iterable[int]]
    """The page sizes for which the needs ask for this setting; 0 if it has none."""
    wanted: Callable[[Needs, Path, int], str]

    def file(self, root: Path, size: int) -> Path:
        """The file of the setting for one page size in bytes."""
        return root / self.path.format(kib=size >> 10)


def read(path: Path) -> str:
    """The value of a setting: of a choice (``a [b] c``), the chosen word."""
    text = path.read_text(encoding="utf-8").strip()
    chosen = re.search(r"\[(\S+)\]", text)
    return chosen[1] if chosen else text


def pool_free(root: Path, size: int) -> int:
    """Pages of a hugetlb pool that are neither used nor reserved."""
    pool = root / POOL.format(kib=size >> 10)
    return int(read(pool / "free_hugepages")) - int(read(pool / "resv_hugepages"))


def pool_target(needs: Needs, root: Path, size: int) -> str:
    """The pool size at which the pages that are needed are free."""
    lacking = -(-needs.hugetlb[size] // size) - pool_free(root, size)
    total = int(read(root / POOL.format(kib=size >> 10) / "nr_hugepages"))
    return str(total + max(0, lacking))


def whole_system_shmem(needs: Needs, root: Path) -> set[int]:
    """The PMD size, where the kernel (before 6.11) has no shmem setting for each size."""
    pmd = root / THP / "hpage_pmd_size"
    size = int(read(pmd)) if pmd.exists() else 0
    per_size = root / THP / f"hugepages-{size >> 10}kB" / "shmem_enabled"
    return set() if per_size.exists() else {size} & needs.mthp


SETTINGS = (
    Setting(
        "hugetlb pool",
        POOL + "/nr_hugepages",
        sizes=lambda needs, root: sorted(needs.hugetlb),
        wanted=pool_target,
    ),
    Setting(
        "shmem huge pages",
        THP + "/hugepages-{kib}kB/shmem_enabled",
        sizes=lambda needs, root: sorted(needs.mthp - whole_system_shmem(needs, root)),
        wanted=lambda needs, root, size: "advise",
    ),
    Setting(
        "shmem huge pages, whole system",
        THP + "/shmem_enabled",
        sizes=whole_system_shmem,
        wanted=lambda needs, root, size: "advise",
    ),
    Setting(
        "khugepaged",
        THP + "/khugepaged/defrag",
        sizes=lambda needs, root: (0,) if needs else (),
        wanted=lambda needs, root, size: "0",
    ),
)
BY_NAME = {setting.name: setting for setting in SETTINGS}


def label(name: str, size: int) -> str:
    """How messages call a setting."""
    return f"{name} of {size >> 10} KiB pages" if size else name


def within_memory(needs: Needs, root: Path) -> tuple[Needs, list[Missing]]:
    """The needs cut down to what the memory of the machine can bear."""
    found = re.search(r"^MemAvailable:\s+(\d+) kB", (root / "proc/meminfo").read_text(), re.M)
    budget = int(MEMORY_SHARE * 1024 * int(found[1])) if found else 0
    granted: dict[int, int] = {}
    missing = []
    for size, wanted in sorted(needs.hugetlb.items()):
        if not (root / POOL.format(kib=size >> 10)).exists():
            granted[size] = wanted  # reported where the setting itself is looked at
            continue
        free = pool_free(root, size)
        lacking = max(0, -(-wanted // size) - free)
        more = min(lacking, budget // size)
        budget -= more * size
        granted[size] = min(wanted, (free + more) * size)
        if more < lacking:
            what = label("hugetlb pool", size)
            missing.append(
                Missing(
                    what,
                    f"{free + lacking} free pages needed, memory suffices for {free + more}",
                )
            )
    return Needs(granted, needs.mthp), missing


def plan(needs: Needs, root: Path) -> tuple[list[Change], list[Missing]]:
    """The changes that would meet the needs, and what cannot be changed."""
    needs, missing = within_memory(needs, root) if needs.hugetlb else (needs, [])
    changes = []
    for setting in SETTINGS:
        for size in setting.sizes(needs, root):
            file, what = setting.file(root, size), label(setting.name, size)
            if not file.exists():
                missing.append(Missing(what, f"this kernel has no {file}"))
                continue
            change = Change(setting.name, size, read(file), setting.wanted(needs, root, size))
            if change.old == change.new:
                continue
            if may_change(root) and os.access(file, os.W_OK):
                changes.append(change)
            else:
                fix = f"as root: echo {change.new} > {file}"
                missing.append(Missing(what, f"is {change.old}, not writable here; {fix}"))
    return changes, missing


def write(change: Change, value: str, root: Path) -> str | None:
    """Set one setting.  Returns why that did not work, or None."""
    file = BY_NAME[change.setting].file(root, change.size)
    try:
        file.write_text(value, encoding="utf-8")
        seen = read(file)
    except OSError as err:
        return f"{file}: {err.strerror}"
    if seen != value:
        return f"the kernel made it {seen}, asked for {value}"
    return None


def still_ours(change: Change, root: Path) -> bool:
    """Whether a setting holds what we wrote, not what somebody else wrote since.

    A pool may hold less than was asked for: memory was short, or we were killed meanwhile.
    """
    try:
        seen = read(BY_NAME[change.setting].file(root, change.size))
    except OSError:
        return True  # `write` says why
    if seen.isdecimal() and change.old.isdecimal() and change.new.isdecimal():
        low, high = sorted((int(change.old), int(change.new)))
        return low <= int(seen) <= high
    return seen == change.new


def put_back(changes: Iterable[Change], root: Path) -> list[str]:
    """Undo changes, the last one first.  Returns what went wrong, a line each."""
    return [
        f"{label(change.setting, change.size)}: {trouble}"
        for change in reversed(tuple(changes))
        if (trouble := write(change, change.old, root))
    ]


def journals(root: Path) -> tuple[Journal, ...]:
    """The machine's, and one that a version of before left below the home directory.

    That version held the same lock on the settings, so that its journal can be believed as well.
    """
    known = frozenset(BY_NAME)
    own = Journal(journal_directory(root) / NAME, known)
    with contextlib.suppress(RuntimeError):  # a user without a home
        old = Journal(state_directory() / NAME, known)
        if root == Path("/") and old != own and old.exists() and not old.planted():
            return (own, old)
    return (own,)


def recover(root: Path) -> Restored:
    """Put back what a run changed, this one or a dead one; to be called with the locks held.

    Raises:
        EnvironmentMissing: a journal is damaged or not to be believed, or a write failed.
    """
    restored = Restored()
    for journal in journals(root):
        changes = journal.load()
        ours = tuple(change for change in changes if still_ours(change, root))
        if trouble := put_back(ours, root):
            raise EnvironmentMissing(
                f"could not put back {'; '.join(trouble)}: {journal.path} says what it was; put "
                "it back by hand, then remove that file"
            )
        if journal.exists():
            journal.path.unlink()
        others = tuple(change for change in changes if change not in ours)
        restored = Restored((*restored.put_back, *ours), (*restored.left_alone, *others))
    return restored


def restore(root: Path = Path("/")) -> Restored:
    """Put back what a run that was killed has left, and wait for nobody.

    Raises:
        EnvironmentMissing: another run lives, this user has no right to, or see `recover`.
    """
    with locked(root, 0):
        if not may_change(root) and any(journal.exists() for journal in journals(root)):
            raise EnvironmentMissing(
                f"this user may change no settings here: {as_root('zapbench doctor --restore')}"
            )
        return recover(root)


def left(root: Path = Path("/")) -> str:
    """What a run that was killed has left, in words; empty if it is nothing, or the run lives."""
    found = [journal for journal in journals(root) if journal.exists()]
    if not found:
        return ""
    try:
        with locked(root, 0):
            pass
    except EnvironmentMissing:
        return ""
    try:
        changes = [change for journal in found for change in journal.load()]
    except EnvironmentMissing as error:
        return str(error)
    names = ", ".join(label(change.setting, change.size) for change in changes)
    return f"changed by a run that was killed: {names}" if names else ""


def may_change(root: Path) -> bool:
    """Whether this user has any say in the settings of the machine."""
    return os.access(root / MM, os.W_OK)


@contextlib.contextmanager
def locked(
    root: Path, patience: float, on_wait: Callable[[str], None] = lambda message: None
) -> Iterator[None]:
    """Hold the settings of the machine, and their journal, against other runs.

    Both, as they need not go together: /sys is another file system, with locks of its own, in
    each network namespace, and /run may be another in a container.

    Raises:
        EnvironmentMissing: another run held them for all of `patience` seconds.
    """
    who = "another zapbench that is measuring on this machine"
    busy = "another zapbench is measuring on this machine: wait for it or end it, then try again"
    with contextlib.ExitStack() as stack:
        for directory in (root / MM, journal_directory(root)):
            if os.access(directory, os.R_OK | os.X_OK):
                lock = file.locked(directory, lambda: on_wait(f"waiting for {who}"), patience, busy)
                stack.enter_context(lock)
        yield


def settle(change: Change, root: Path) -> Missing | None:
    """Make one change.  Returns what is lacking afterwards."""
    trouble = write(change, change.new, root)
    return Missing(label(change.setting, change.size), trouble) if trouble else None


@contextlib.contextmanager
def applied(
    needs: Needs,
    *,
    root: Path = Path("/"),
    patience: float = 120.0,
    on_wait: Callable[[str], None] = lambda message: None,
) -> Iterator[Outcome]:
    """Meet the needs for as long as the context lasts.

    What is not available is in the outcome's `missing`, with the reason; it is no error.  Who
    may change nothing (no root) locks nothing, and is told there what a killed run has left.
    `patience` is in seconds; `on_wait` is told once when another run must be waited for.

    Raises:
        EnvironmentMissing: another run keeps the settings, or old values cannot be put back.
        Interrupted: SIGTERM or SIGHUP arrived; the settings are back.
    """
    journal, *old = journals(root)
    if not may_change(root):
        yield Outcome(missing=(*plan(needs, root)[1], *unrestored(root)))
        return
    if not needs and not any(each.exists() for each in (journal, *old)):
        yield Outcome()
        return
    with contextlib.suppress(OSError):  # `save` will say so
        journal.make_directory()
    with locked(root, patience, on_wait), signals.stopping_raises():
        recovered = recover(root).put_back
        changes, missing = plan(needs, root)
        try:
            if changes:
                journal.save(changes)
        except OSError as err:
            why = f"not changed: no journal can be kept in {journal.path.parent} ({err.strerror})"
            missing += [Missing(label(change.setting, change.size), why) for change in changes]
            changes = []
        try:
            missing += [lack for change in changes if (lack := settle(change, root))]
            yield Outcome(tuple(changes), tuple(missing), recovered)
        finally:
            with signals.held_back():
                recover(root)


def unrestored(root: Path) -> list[Missing]:
    """What a killed run has left, for those who cannot put it back."""
    if found := left(root):
        return [Missing("settings", f"{found}: run `{as_root('zapbench doctor --restore')}`")]
    return []
