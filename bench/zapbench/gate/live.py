# SPDX-License-Identifier: GPL-2.0-only
"""Measure what is to be judged: base and head by turns, then what is suspected, again."""

import shlex
import time
from collections.abc import Collection, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from zapbench.boot import Work
from zapbench.error import Cause, EnvironmentMissing, Interrupted, Lost, UsageError
from zapbench.explain.boot import TIER
from zapbench.explain.side import Side as Explained
from zapbench.gate import commands, noise, plan
from zapbench.gate.budget import TIERS, Budgets
from zapbench.gate.estimate import ALPHA
from zapbench.gate.evidence import LEAST, Side
from zapbench.gate.judge import judge
from zapbench.gate.judgement import Gone, Judgement, settled, with_references
from zapbench.gate.moved import with_functions
from zapbench.gate.verdict import Because
from zapbench.host import cache
from zapbench.kept_boots import Kept
from zapbench.measure import Leg, Policy, measure
from zapbench.observer import Observer
from zapbench.result.request import SEED, Asked, again, keep
from zapbench.result.request import settled as in_full
from zapbench.result.store import RESULTS, Results, create, free_directory
from zapbench.target import Target
from zapbench.text import number
from zapbench.vm import VmTarget
from zapbench.where import machine

ONCE_MORE = {
    Cause.CRASH: Policy.PASS_BY,
    Cause.SILENCE: Policy.AGAIN,
    Cause.HOST: Policy.AGAIN,
}
"""A kernel that crashed did so; what the host may have done is measured again."""


UNDECIDED = (Because.OPEN, Because.ONE_OF_MANY, Because.LATER, Because.WITHIN)
"""What more boots may decide, or make firm, if there is a number of them."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure; None: to be chosen."""

    accel: str
    seconds: float | None
    boots: int | None
    seed: int | None
    results: Path | None
    force: bool
    explain: bool = True
    """Name the functions that grew, where a counted figure fails."""


def _kept(target: Target) -> Target:
    """A target that is compared with; what it counts is the same each time, and kept."""
    if isinstance(target, VmTarget) and target.tier == "icount":
        return Kept(target, cache.subdirectory("records") / "gate")
    return target


class Live:
    """A gate that measures; legs are ``base``, ``pin-1`` and so on, and ``head``."""

    def __init__(
        self, budgets: Budgets, base: str | None, head: str, options: Options, observer: Observer
    ) -> None:
        self._budgets, self._options, self._observer = budgets, options, observer
        running = machine(head, options.accel, observer)
        pins = plan.pins(budgets, running.tier, running.kernel)
        self._pins = {f"pin-{number}": pin for number, pin in enumerate(pins, 1)}
        others = {**({} if base is None else {"base": base}), **self._pins}
        self._targets: dict[str, Target] = {
            name: _kept(machine(kernel, running.tier, observer)) for name, kernel in others.items()
        }
        self._targets["head"] = running
        self._applied = plan.applicable(
            budgets, running.tier, running.kernel, has_base=base is not None, pins=pins
        )
        self._calibration = noise.here(running.tier)
        self._seed = SEED if options.seed is None else options.seed
        if options.results is not None and any(options.results.glob("*")):
            raise UsageError(f"{options.results} is not empty: choose another with --results")
        self._directory = options.results or free_directory(RESULTS, "gate", running.tier)

    def judgement(self) -> Judgement:
        """Measure and judge, then more of what is suspected or open, and judge again.

        Each look doubles the boots; fresh ones are numbered behind.  Of `plan.LOOKS` looks each
        has its share of the level, so that all together have the level of one (Bonferroni); with
        ``boots`` given there is one look.  What is suspected is confirmed once.

        Raises:
            EnvironmentMissing: the base was lost as a whole.  (Of the head, that is a verdict.)
            Interrupted: by a signal; the message says how to go on.
        """
        try:
            return self._explained(self._judgement())
        except (Interrupted, KeyboardInterrupt) as error:
            raise Interrupted(f"{str(error) or 'interrupted'}; {self._go_on()}") from error
        except Lost as error:
            name = list(self._targets)[error.leg or 0]
            if name == "head":
                return self._gone(error)
            side = f"the {name.partition('-')[0]}, {self._targets[name].kernel},"
            raise EnvironmentMissing(f"{side} cannot be measured: {error}") from error

    def _judgement(self) -> Judgement:
        cases = plan.cases(self._applied)
        many = number(len(cases), "case")
        self._observer.note(f"{many}, seed {self._seed}, into {self._directory}")
        for name in self._targets:
            create(self._directory / name).close()
        looks = plan.LOOKS if self._options.boots is None else 1
        start, done, held = time.monotonic(), 0, set[str]()
        first = boots = self._first()
        self._keep(cases, boots)
        for look in range(1, looks + 2):  # what is suspected last is confirmed behind it
            begun = time.monotonic()
            self._measure(cases, range(done, boots))
            judgement = self._judge(held, ALPHA / looks)
            suspects = dict.fromkeys(case for case in judgement.suspects if case not in held)
            more = boots if look < looks else 0
            cases = list(suspects | self._undecided(judgement, more, first << (looks - 1), held))
            spent = (time.monotonic() - begun) / (boots - done) * boots
            limit = self._options.seconds
            if not cases or (limit is not None and time.monotonic() - start + spent > limit):
                return judgement
            for word, which in (("suspected", suspects), ("open", set(cases) - set(suspects))):
                if which:
                    names = ", ".join(sorted(which))
                    self._observer.note(f"{word}, measured in {boots} more boots: {names}")
            held |= suspects.keys()
            done, boots = boots, 2 * boots
        return judgement

    def _explained(self, judgement: Judgement) -> Judgement:
        """With the functions that made counted figures fail."""
        head = self._targets["head"]
        if not isinstance(head, VmTarget) or head.tier != TIER or not self._options.explain:
            return judgement
        room = tuple(plan.cases(self._applied))
        effort = plan.effort(head.tier)
        return with_functions(
            judgement,
            lambda kernel: Explained(kernel, kernel, self._seed, effort, room),
            self._observer,
        )

    def _undecided(
        self, judgement: Judgement, more: int, most: int, held: Collection[str]
    ) -> dict[str, None]:
        """The cases that so many ``more`` boots may decide, of ``most`` in all."""
        return with_references(
            check
            for check in judgement.checks
            if more
            and check.ruling.because in UNDECIDED
            and check.case not in held
            and check.ruling.more is not None
            and check.boots + check.ruling.more <= most
        )

    def _keep(self, cases: Sequence[str], boots: int) -> None:
        """Write down what every case is measured in at least."""
        for name, target in self._targets.items():
            asked = Asked(
                globs=tuple(cases),
                target="vm",
                kernel=target.kernel,
                accel=target.tier,
                boots=boots,
                seed=self._seed,
                quick=plan.quick(target.tier),
            )
            keep(self._directory / name, "run", in_full(asked))

    def _measure(self, cases: Sequence[str], boots: range) -> None:
        """Measure base and head by turns; counted, as many at once as there are CPUs for."""
        tier = self._targets["head"].tier
        room = tuple(plan.cases(self._applied))  # further boots are of machines like the first
        work = Work(tuple(cases), plan.effort(tier), self._seed, room)
        counted = TIERS[tier] == "instructions"
        with ExitStack() as stack:
            legs = [
                Leg(target, stack.enter_context(create(self._directory / name, resume=True)))
                for name, target in self._targets.items()
            ]
            measure(legs, work, boots, self._observer, ONCE_MORE, side_by_side=counted)

    def _first(self) -> int:
        """Boots of each kernel in the first look; the least, where the time is limited."""
        if self._options.boots is not None:
            return self._options.boots
        if self._options.seconds is not None:
            return LEAST
        return plan.wanted_boots(self._applied, self._calibration)

    def _judge(self, held: Collection[str], level: float) -> Judgement:
        sides = {name: Side(Results(self._directory / name)) for name in self._targets}
        found = judge(
            self._budgets,
            sides.get("base"),
            sides["head"],
            self._calibration,
            datetime.now(UTC).date(),
            force=self._options.force,
            held=held,
            level=level,
            pins=[sides[name] for name in self._pins],
        )
        return self._told(found)

    def _told(self, judgement: Judgement) -> Judgement:
        """With the command that makes it again."""
        return replace(judgement, again=self._again(), live=True, boots=self._options.boots)

    def _gone(self, error: Lost) -> Judgement:
        head = self._targets["head"]
        because = Because.NO_BOOT if error.cause is Cause.CRASH else Because.INCOMPLETE
        checks = tuple(
            settled(budget, ", ".join(budget.cases), because, str(error))
            for budget in self._applied
        )
        day = datetime.now(UTC).date()
        gone = Gone(head.kernel, head.tier)
        return self._told(Judgement(self._budgets, None, gone, checks, (), (), day))

    def _go_on(self) -> str:
        """What completes the boots that were begun, and judges them."""
        sides = {name: commands.path(self._directory / name) for name in self._targets}
        runs = [again("run", Path(side)) for side in sides.values()]
        words = ["zapbench", "gate", "--budgets", str(self._budgets.path)]
        words += [side for name, side in sides.items() if name not in self._pins]
        words += [word for name in self._pins for word in ("--pin", sides[name])]
        return f"what was measured is kept, go on with: {' && '.join([*runs, shlex.join(words)])}"

    def _again(self) -> str:
        words = ["zapbench", "gate", "--budgets", str(self._budgets.path)]
        if "base" in self._targets:
            words += ["--base", self._targets["base"].kernel]
        head = self._targets["head"]
        words += ["--kernel", head.kernel, "--accel", head.tier]
        limit = self._options.seconds
        words += [] if limit is None else ["--time", plan.written(limit)]
        return shlex.join([*words, "--seed", str(self._seed)])
