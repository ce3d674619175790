# SPDX-License-Identifier: GPL-2.0-only
"""Measure what is to be judged: base and head interleaved, then what is suspected, again."""

import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.gate.evidence import Side
from zapbench.gate.plan import Plan
from zapbench.measure import Effort, Leg, effort_for, measure
from zapbench.record import Record
from zapbench.result.store import Results, create
from zapbench.target import Job, Target

OnRecord = Callable[[Job, Record], None]
Watch = Callable[[int], AbstractContextManager[OnRecord]]
OnPlan = Callable[[float], Plan]


@dataclass(frozen=True, slots=True)
class Session:
    """Kernels to measure, by the name of their result directory below ``directory``.

    ``watch`` is told how many measurements are to be made, and of each that was.
    """

    targets: Mapping[str, Target]
    cases: Sequence[str]
    directory: Path
    seed: int
    watch: Watch

    def first(self, choose: OnPlan) -> int:
        """Measure the first boots; how many, ``choose`` says when it knows what a pair takes.

        Returns the number of boots.  The boot that was timed is the first of them.
        """
        for name in self.targets:
            create(self.directory / name).close()
        start = time.monotonic()
        self._measure(self.cases, 0, 1)
        boots = choose(time.monotonic() - start).boots
        self._measure(self.cases, 1, boots)
        return boots

    def again(self, cases: Sequence[str], boots: int) -> None:
        """As many fresh boots as there were, numbered behind them, for some cases only."""
        self._measure(cases, boots, 2 * boots)

    def sides(self) -> dict[str, Side]:
        """What was measured so far."""
        return {name: Side(Results(self.directory / name)) for name in self.targets}

    def _measure(self, cases: Sequence[str], start: int, stop: int) -> None:
        earlier = {(boot, case) for boot in range(start) for case in cases}
        effort = self._effort(stop)
        with ExitStack() as stack:
            legs = [
                Leg(
                    target,
                    stack.enter_context(create(self.directory / name, resume=True)),
                    target.kernel,
                    tuple(cases),
                    earlier,
                )
                for name, target in self.targets.items()
            ]
            total = len(cases) * len(legs) * (stop - start)
            watched = stack.enter_context(self.watch(total))
            measure(legs, effort, self.seed, watched, Path.cwd())

    def _effort(self, boots: int) -> Effort:
        """Counted samples repeat and few are enough; a timed p99 takes a thousand."""
        tier = next(iter(self.targets.values())).tier
        return replace(effort_for(tier, quick=tier == "icount"), boots=boots)
