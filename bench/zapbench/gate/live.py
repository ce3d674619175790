# SPDX-License-Identifier: GPL-2.0-only
"""Measure what is to be judged: base and head by turns, then what is suspected, again."""

import shlex
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from zapbench.boot import Work
from zapbench.error import Cause, EnvironmentMissing, Interrupted, Lost
from zapbench.gate import noise, plan
from zapbench.gate.budget import Budgets
from zapbench.gate.evidence import Side
from zapbench.gate.judge import judge
from zapbench.gate.judgement import Gone, Judgement, settled
from zapbench.gate.verdict import Because
from zapbench.measure import Leg, Policy, measure
from zapbench.observer import Observer
from zapbench.result.request import SEED, Asked, keep
from zapbench.result.request import settled as in_full
from zapbench.result.store import RESULTS, Results, create, free_directory
from zapbench.where import machine

ONCE_MORE = {
    Cause.CRASH: Policy.PASS_BY,
    Cause.SILENCE: Policy.AGAIN,
    Cause.HOST: Policy.AGAIN,
}
"""A kernel that crashed did so; what the host may have done is measured again."""


@dataclass(frozen=True, slots=True)
class Options:
    """How to measure; None: to be chosen."""

    accel: str
    seconds: float | None
    boots: int | None
    seed: int | None
    results: Path | None
    force: bool


class Live:
    """A gate that measures."""

    def __init__(
        self, budgets: Budgets, base: str | None, head: str, options: Options, observer: Observer
    ) -> None:
        self._budgets, self._options, self._observer = budgets, options, observer
        names = {"head": head} if base is None else {"base": base, "head": head}
        self._targets = {name: machine(of, options.accel, observer) for name, of in names.items()}
        running = self._targets["head"]
        self._applied = plan.applicable(
            budgets, running.tier, running.kernel, has_base=base is not None
        )
        self._calibration = noise.here(running.tier)
        self._seed = SEED if options.seed is None else options.seed
        self._directory = options.results or free_directory(RESULTS, "gate", running.tier)

    def judgement(self) -> Judgement:
        """Measure, judge, measure again what is suspected, and judge.

        The boot that is timed, to plan the others, is the first of them; fresh boots are
        numbered behind.

        Raises:
            EnvironmentMissing: the base was lost as a whole.  (Of the head, that is a verdict.)
        """
        try:
            return self._judgement()
        except Interrupted:
            raise
        except Lost as error:
            if list(self._targets)[error.leg or 0] == "head":
                return self._gone(error)
            kernel = self._targets["base"].kernel
            raise EnvironmentMissing(f"the base, {kernel}, cannot be measured: {error}") from error

    def _judgement(self) -> Judgement:
        cases = plan.cases(self._applied)
        self._observer.note(f"{len(cases)} cases, seed {self._seed}, into {self._directory}")
        for name in self._targets:
            create(self._directory / name).close()
        start = time.monotonic()
        self._measure(cases, range(1))
        boots = self._plan(time.monotonic() - start).boots
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
        self._measure(cases, range(1, boots))
        first = self._judge(hold_back=False)
        if not first.suspects:
            return first
        suspects = ", ".join(first.suspects)
        self._observer.note(f"suspected, measured again in {boots} fresh boots: {suspects}")
        self._measure(first.suspects, range(boots, 2 * boots))
        return self._judge(hold_back=True)

    def _measure(self, cases: Sequence[str], boots: range) -> None:
        tier = self._targets["head"].tier
        room = tuple(plan.cases(self._applied))  # fresh boots are of machines like the first
        work = Work(tuple(cases), plan.effort(tier), self._seed, room)
        with ExitStack() as stack:
            legs = [
                Leg(target, stack.enter_context(create(self._directory / name, resume=True)))
                for name, target in self._targets.items()
            ]
            measure(legs, work, boots, self._observer, ONCE_MORE)

    def _plan(self, pair_seconds: float) -> plan.Plan:
        if self._options.boots is not None:
            return plan.Plan(self._options.boots, "as asked for")
        wanted = plan.wanted_boots(self._applied, self._calibration)
        made = plan.plan(wanted, self._options.seconds, pair_seconds)
        self._observer.note(
            f"{made.boots} boots of each kernel, {made.why} ({pair_seconds:.0f} s a pair)"
        )
        return made

    def _judge(self, *, hold_back: bool) -> Judgement:
        sides = {name: Side(Results(self._directory / name)) for name in self._targets}
        base, head = sides.get("base"), sides["head"]
        boots = len({each.run.boot for each in head.contexts})
        return judge(
            self._budgets,
            base,
            head,
            self._calibration,
            datetime.now(UTC).date(),
            force=self._options.force,
            hold_back=hold_back,
            again=self._again(boots // 2 if hold_back else boots),
            live=True,
        )

    def _gone(self, error: Lost) -> Judgement:
        head = self._targets["head"]
        because = Because.NO_BOOT if error.cause is Cause.CRASH else Because.INCOMPLETE
        checks = tuple(
            settled(budget, ", ".join(budget.cases), because, str(error))
            for budget in self._applied
        )
        day = datetime.now(UTC).date()
        gone = Gone(head.kernel, head.tier)
        again = self._again(self._options.boots)
        return Judgement(self._budgets, None, gone, checks, (), (), day, again, live=True)

    def _again(self, boots: int | None) -> str:
        words = ["zapbench", "gate", "--budgets", str(self._budgets.path)]
        if "base" in self._targets:
            words += ["--base", self._targets["base"].kernel]
        head = self._targets["head"]
        words += ["--kernel", head.kernel, "--accel", head.tier]
        words += [] if boots is None else ["--boots", str(boots)]
        return shlex.join([*words, "--seed", str(self._seed)])
