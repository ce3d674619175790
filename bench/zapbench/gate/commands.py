# SPDX-License-Identifier: GPL-2.0-only
"""The commands that a verdict names: they work as printed, in the directory where they are."""

import contextlib
import itertools
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zapbench.boot import effort_for
from zapbench.error import UsageError
from zapbench.gate.evidence import LEAST, Side
from zapbench.gate.judgement import Judgement, with_references
from zapbench.kernel import words as boot_words
from zapbench.kernel.catalogue import DebianSource, GitSource, Kernel, parse
from zapbench.result.request import kept
from zapbench.result.store import Results
from zapbench.vm.qemu import ACCELERATORS

HISTORY = ".asv/linux"
"""Where README.md has the history of Debian's releases."""


def reproducing(judgement: Judgement) -> list[str]:
    """What comes to the same judgement from nothing, a command a line."""
    if judgement.live or not isinstance(judgement.head, Side):
        return [_again(judgement, judgement.boots)]
    return _anew(judgement, sum(map(_asked, judgement.head.all_results)))


def _asked(results: Results) -> int:
    """How many boots there were to be."""
    request = kept(results.directory)
    return max(results.boots, (request[1].boots or 0) if request is not None else 0)


def path(where: Path) -> str:
    """A path as a word of a command, which no option is taken for."""
    return f"./{where}" if str(where).startswith("-") else str(where)


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
    runs = _runs(judgement, head.results.boots, seed)
    *others, last = [path(run.place) for run in runs if not run.pinned]
    words = ["--confirm", *(others or [last]), last, *_pins(runs)]
    return " && ".join([*(run.command for run in runs), f"{judgement.again} {shlex.join(words)}"])


def halving(good: str, bad: str, case: str, tier: str) -> str:
    """What finds the commit between two kernels, by the names that they have.

    Releases of Debian's are looked for in the repository of either, else in a history of them.

    Raises:
        UsageError: they are no names of commits.
    """
    if any(boot_words.split(name)[1] for name in (good, bad)):
        raise UsageError("commits are booted without boot words")
    kernels = [parse(name) for name in (good, bad)]
    refs = [_ref(each) for each in kernels]
    places = {each.source.repository for each in kernels if isinstance(each.source, GitSource)}
    if len(places) > 1 or any("://" in place for place in places):
        raise UsageError(f"{good} and {bad} are in no repository of this machine")
    where, found = next(iter(places), HISTORY), []
    if not places:
        lines = dict.fromkeys(f"{_line(name)}.*" for name in (good, bad))
        globs = shlex.quote(",".join(lines))
        found.append(f"zapbench kernel history -o {HISTORY} --kernels {globs}")
    bisect = ["zapbench", "kernel", "bisect", *refs, case, "--repo", where]
    bisect += [] if tier == "icount" else ["--accel", tier]
    return " && ".join([*found, shlex.join(bisect)])


def bisecting(judgement: Judgement, base: Side | None, case: str) -> str | None:
    """What finds the commit between base and head; None where no virtual machine shows it.

    Without a base, or where no repository is known to hold both, it is for a clone of the user's.
    """
    head = judgement.head
    if judgement.tier not in ACCELERATORS or not isinstance(head, Side):
        return None
    if base is not None:
        with contextlib.suppress(UsageError):
            return f"`{halving(*_in_history(base, head), case, judgement.tier)}`"
    words = ["zapbench", "gate", "--bisect", "--budgets", str(judgement.budgets.path.absolute())]
    words += [] if base is None else ["--base", base.kernel]
    words += ["--accel", judgement.tier, "--kernel"]
    test = f'{shlex.join(words)} "git:$PWD@$(git rev-parse HEAD)"'
    run = f"git bisect run sh -c {shlex.quote(test)}"
    return f"`{run}` in a clone, after `git bisect start BAD GOOD`"


def _in_history(base: Side, head: Side) -> tuple[str, str]:
    """Their names where a history has them in one line of commits.

    That is a line's newest release and the patches on it, by their branches, or else any releases,
    by their tags, with each series as one commit.
    """
    names = base.kernel, head.kernel
    branches = {name.partition("+")[0] for name in names}
    if branches == {_line(names[0])}:
        return names
    return _release(base), _release(head)


def _release(side: Side) -> str:
    """The name of a kernel, a line of releases as the one of them that was measured."""
    name = side.kernel
    release, _, series = name.partition("+")
    measured = side.contexts[0].uname.release
    if release != _line(name) or not measured.startswith(f"{release}."):
        return name
    return "+".join(filter(None, (measured.partition("-")[0].partition("+")[0], series)))


def _line(name: str) -> str:
    """The line that a release is of: 6.12 of 6.12.107."""
    return ".".join(name.partition("+")[0].split(".")[:2])


def _ref(kernel: Kernel) -> str:
    """What a kernel is called in a repository; a line of releases has a branch there."""
    if isinstance(kernel.source, GitSource) and kernel.series is None:
        return kernel.source.ref
    if not isinstance(kernel.source, DebianSource):
        raise UsageError(f"{kernel.name} is no commit")
    name = kernel.name
    return name if name.partition("+")[0] == _line(name) else f"v{name}"


def _again(judgement: Judgement, boots: int | None) -> str:
    return judgement.again if boots is None else f"{judgement.again} --boots {boots}"


def _anew(judgement: Judgement, boots: int) -> list[str]:
    """Measure into new directories, and judge those."""
    head = judgement.head
    assert isinstance(head, Side)
    runs = _runs(judgement, boots, head.contexts[0].seed)
    words = ["zapbench", "gate", "--budgets", str(judgement.budgets.path)]
    words += [*(path(run.place) for run in runs if not run.pinned), *_pins(runs)]
    return [*(run.command for run in runs), shlex.join(words)]


def _runs(judgement: Judgement, boots: int, seed: int) -> "list[_Run]":
    """What measures each side again, the head last."""
    cases = sorted(with_references(each for each in judgement.checks if each.head is not None))
    sides = (judgement.base, *judgement.pins, judgement.head)
    return [
        _Run(side, cases, boots, seed, side in judgement.pins)
        for side in sides
        if isinstance(side, Side)
    ]


def _pins(runs: "Sequence[_Run]") -> list[str]:
    return [word for run in runs if run.pinned for word in ("--pin", path(run.place))]


@dataclass(frozen=True)
class _Run:
    side: Side
    cases: Sequence[str]
    boots: int
    seed: int
    pinned: bool

    @property
    def place(self) -> Path:
        """A directory that is not there yet."""
        first = Path(self.side.results.directory)
        names = (first.with_name(f"{first.name}-{number}") for number in itertools.count(2))
        return next(each for each in names if not each.exists())

    @property
    def _quick(self) -> bool:
        """Whether as few samples were taken as --quick takes."""
        few = effort_for(self.side.tier, quick=True).samples
        return all(each.samples == few for each in self.side.contexts)

    @property
    def command(self) -> str:
        words = ["zapbench", "run", *self.cases]
        if self.side.tier != "native":
            words += ["--kernel", self.side.kernel, "--accel", self.side.tier]
        words += ["--quick"] if self._quick else []
        words += ["--boots", str(self.boots), "--seed", str(self.seed), "-o", path(self.place)]
        return shlex.join(words)
