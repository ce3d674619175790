# SPDX-License-Identifier: GPL-2.0-only
"""The commands that a verdict names: they work as printed, in the directory where they are."""

import itertools
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zapbench.gate.evidence import LEAST, Side
from zapbench.gate.judgement import Judgement, with_references


def reproducing(judgement: Judgement) -> list[str]:
    """What comes to the same judgement from nothing, a command a line."""
    if judgement.live or not isinstance(judgement.head, Side):
        return [_again(judgement, judgement.boots)]
    return _anew(judgement, sum(each.boots for each in judgement.head.all_results))


def deciding(judgement: Judgement, boots: int, *, above: bool) -> str:
    """What measures both kernels in so many boots, and judges them.

    Where the head is ``above`` its limit, both halves of them have to show it.
    """
    if judgement.live:
        first = -(-boots // 2) if above else boots
        return _again(judgement, max(LEAST, first))
    return " && ".join(_anew(judgement, boots))


def confirming(judgement: Judgement) -> str:
    """What measures both kernels in fresh boots, and judges all."""
    if judgement.live:
        return _again(judgement, judgement.boots or LEAST)
    head = judgement.head
    assert isinstance(head, Side)
    seed = 1 + max(each.seed for each in head.contexts)
    fresh = _measured(judgement, head.results.boots, seed)
    words = ["--confirm", *(str(place) for _, place in fresh)]
    return " && ".join([*(run for run, _ in fresh), f"{judgement.again} {shlex.join(words)}"])


def _again(judgement: Judgement, boots: int | None) -> str:
    return judgement.again if boots is None else f"{judgement.again} --boots {boots}"


def _anew(judgement: Judgement, boots: int) -> list[str]:
    """Measure into new directories, and judge those."""
    head = judgement.head
    assert isinstance(head, Side)
    measured = _measured(judgement, boots, head.contexts[0].seed)
    words = ["zapbench", "gate", "--budgets", str(judgement.budgets.path)]
    words += [str(place) for _, place in measured]
    return [*(run for run, _ in measured), shlex.join(words)]


def _measured(judgement: Judgement, boots: int, seed: int) -> list[tuple[str, Path]]:
    """What measures each side again, and where to."""
    cases = sorted(with_references(each for each in judgement.checks if each.head is not None))
    sides = (judgement.base, judgement.head)
    runs = (_Run(side, cases, boots, seed) for side in sides if isinstance(side, Side))
    return [(run.command, run.place) for run in runs]


@dataclass(frozen=True)
class _Run:
    side: Side
    cases: Sequence[str]
    boots: int
    seed: int

    @property
    def place(self) -> Path:
        """A directory that is not there yet."""
        first = Path(self.side.results.directory)
        names = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
        return next(each for each in names if not each.exists())

    @property
    def command(self) -> str:
        words = ["zapbench", "run", *self.cases]
        if self.side.tier != "native":
            words += ["--kernel", self.side.kernel, "--accel", self.side.tier]
        words += ["--boots", str(self.boots), "--seed", str(self.seed), "-o", str(self.place)]
        return shlex.join(words)
