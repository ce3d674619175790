# SPDX-License-Identifier: GPL-2.0-only
"""MADV_ZAP broken on purpose: each mutant, and what must catch it.

There are two kernels.  One has `mutants.patch` on top of the series, whose mutants are thought of
and written by hand (`BY_HAND`); the other has those that `mutate` makes of the series by rule.
The kernel's command line, ``mutant=NAME``, says which is alive.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path

import mutate
from mutate import Mutant
from places import TESTS

from zapbench.kernel import build, catalogue
from zapbench.kernel.build import Image

KERNEL = "6.12+madv-zap"
PATCH = TESTS / "kernel-patches" / "6.12" / "mutants.patch"
ALL = bool(os.environ.get("ZAPBENCH_MUTANTS"))
"""Set by `make mutants`: every mutant, and the table anew."""

TIMING, END_STATE, REFUSAL = "while timed", "end state", "refusal"
KINDS = {"promise": "promise", "warm-up": TIMING, "but the call said": REFUSAL}


@dataclass(frozen=True, slots=True)
class ByHand:
    """A mutant of `mutants.patch`; ``seen`` are cases, and what the error of each says."""

    name: str
    what: str
    seen: tuple[tuple[str, str], ...]

    @property
    def word(self) -> str:
        """What the kernel's command line calls it."""
        return self.name

    @property
    def kind(self) -> str:
        """What `third` takes some of each of: by what it is caught."""
        words = self.seen[0][1]
        return next((kind for mark, kind in KINDS.items() if mark in words), END_STATE)


@dataclass(frozen=True, slots=True)
class ByRule:
    """A mutant made by rule."""

    mutant: Mutant

    @property
    def name(self) -> str:
        """See `Mutant.name`."""
        return self.mutant.name

    @property
    def word(self) -> str:
        """What the kernel's command line calls it."""
        return str(self.mutant.number)

    @property
    def kind(self) -> str:
        """What `third` takes some of each of."""
        return f"{self.mutant.file} {self.mutant.change}"


def _on(mapped: str, words: str) -> tuple[str, str]:
    """The contract on a backing and page size, and what its error says."""
    return f"contract/madv_zap/{mapped}/{mapped.rpartition('/')[2]}", words


BY_HAND = (
    ByHand(
        "noop",
        "nothing is zapped",
        (("zap/madv_zap/shmem/4k/64k", "page 0 of 16 is still mapped"),),
    ),
    ByHand(
        "last-page",
        "the last page stays mapped",
        (("cycle/madv_zap/shmem/4k/64k", "page 15 of 16 is still mapped"),),
    ),
    ByHand(
        "cow",
        "private pages that were written are dropped",
        (("zap/madv_zap/shmem-private/4k/64k", "promise cow broken"),),
    ),
    ByHand(
        "once",
        "a mapping is zapped once and never again",
        (("zap/madv_zap/shmem/4k/2m", "page 0 of 16 is still mapped"),),
    ),
    ByHand(
        "one-in-512",
        "one base page in 512 stays mapped",
        (("cycle/madv_zap/shmem/4k/2m", "page 17 of 512 is still mapped"),),
    ),
    ByHand(  # three times are enough for a contract
        "thrice",
        "a mapping is zapped three times and never again",
        (
            ("zap/madv_zap/shmem/4k/2m", "page 0 of 512 is still mapped in a warm-up round"),
            ("cycle/madv_zap/hugetlb/2m/2m", "range 0 is still mapped in a warm-up round"),
        ),
    ),
    ByHand(
        "swap",
        "private pages that were swapped out are dropped",
        (_on("shmem-private/4k", "promise swap broken"),),
    ),
    ByHand("wp", "uffd-wp protection is dropped", (_on("shmem/4k", "promise wp broken"),)),
    ByHand(
        "event",
        "an event is sent, as if pages were removed",
        (_on("shmem/4k", "promise no-event broken: sent REMOVE"),),
    ),
    ByHand(
        "registration",
        "the userfaultfd registration is dropped",
        (_on("shmem/4k", "page 0 of 16 met refault, not minor"),),
    ),
    ByHand(
        "remove",
        "the pages are dropped from the file too",
        (
            _on("shmem/4k", "page 0 of 16 met refault, not minor"),
            _on("file/4k", "page 0 of 16 of the file changed"),
        ),
    ),
    ByHand(
        "neighbours",
        "a page on either side is zapped too",
        (_on("shmem/4k", "promise neighbours broken: a neighbour met minor"),),
    ),
    ByHand("vmas", "the mapping is split", (_on("shmem/4k", "promise vmas broken"),)),
    ByHand("dirty", "what was written is forgotten", (_on("shmem/4k", "promise dirty broken"),)),
    ByHand(
        "hwpoison",
        "entries of broken memory are dropped",
        (_on("shmem/4k", "promise hwpoison broken: an access then met minor"),),
    ),
    ByHand(
        "rss",
        "pages that are dropped still count as mapped",
        (_on("shmem/4k", "promise rss broken"), _on("hugetlb/2m", "promise rss broken")),
    ),
    ByHand("tlb", "no TLB is flushed", (_on("shmem/2m", "page 0 of 1536 met none, not minor"),)),
    ByHand(
        "part",
        "part of a THP is not zapped",
        (_on("shmem/2m", "promise part broken: page 0 of 2 is still mapped"),),
    ),
    ByHand(
        "mappings",
        "only the first mapping is zapped",
        (_on("shmem/4k", "promise mappings broken: page 8 of 16 is still mapped"),),
    ),
    ByHand(
        "gap",
        "nothing is zapped after a gap",
        (_on("shmem/4k", "promise gap broken: page 0 of 7 is still mapped"),),
    ),
    ByHand(
        "remote",
        "nothing is zapped in another process",
        (_on("shmem/4k", "promise remote broken: success, 16 of 16 pages mapped there"),),
    ),
    ByHand(
        "locked",
        "locked memory is zapped",
        (_on("shmem/4k", "promise no-locked broken: the call said: success"),),
    ),
    ByHand(
        "hugetlb",
        "part of a hugetlb page is rounded away",
        (_on("hugetlb/2m", "promise no-part broken: the call said: success"),),
    ),
    ByHand(
        "mixed",
        "anonymous memory in a range is passed over",
        (_on("shmem/4k", "promise no-mixed broken: the call said: success"),),
    ),
    ByHand(
        "device",
        "memory of a device is zapped",
        (_on("shmem/4k", "promise no-device broken: the call said: success"),),
    ),
    ByHand(
        "anonymous",
        "anonymous memory is zapped",
        (_on("anon/4k", "nothing behind it to fault back; but the call said: success"),),
    ),
    ByHand(
        "hugetlb-private",
        "private hugetlb memory is zapped",
        (_on("hugetlb-private/2m", "from the file's; but the call said: success"),),
    ),
)

UNSHOWN = {
    "no-write-lock": "needs the tracepoints of trace.config: test_lock_boot.py boots `wlock`",
    "guard": "6.12 has no guard regions",
    "soft-dirty": "this kernel's configuration has no soft-dirty bits",
    "tables": "6.12 has no way to free page tables in a zap",
}
"""Promises that no mutant of this kernel can break, and why; all others are named in the table."""

ARGUED: dict[str, str] = {}
"""Mutants by rule that nothing can catch, by name, and why.  One that is caught is an error."""


def by_rule() -> tuple[ByRule, ...]:
    """The mutants that are made of the series by rule."""
    made = mutate.series(_series().patches)
    return tuple(ByRule(mutant) for each in made for mutant in each.mutants)


def left_out() -> list[mutate.LeftOut]:
    """What the series does that no mutant is made of."""
    return [each for made in mutate.series(_series().patches) for each in made.left_out]


def _series() -> catalogue.Series:
    series = catalogue.parse(KERNEL).series
    assert series is not None
    return series


def third(mutants: Sequence[ByHand | ByRule]) -> set[str]:
    """The words of about a third of the mutants: the last of each kind, every third before it."""
    ordered = sorted(mutants, key=lambda each: each.kind)  # stable
    groups = (list(group) for _, group in groupby(ordered, lambda each: each.kind))
    return {each.word for group in groups for each in group[::-3]}


def by_hand_image() -> Image:
    """The kernel with `mutants.patch` on top of its series."""
    return _built("by hand", (*_series().patches, PATCH))


def by_rule_image(directory: Path) -> Image:
    """The kernel whose series has the mutants in it; the patches are written to a directory."""
    patches = _series().patches
    paths = [directory / path.name for path in patches]
    for path, made in zip(paths, mutate.series(patches), strict=True):
        path.write_text(made.text, encoding="utf-8")
    return _built("by rule", tuple(paths))


def _built(name: str, patches: tuple[Path, ...]) -> Image:
    kernel = catalogue.parse(KERNEL)
    return build.build(replace(kernel, name=name, series=catalogue.Series(name, patches)))
