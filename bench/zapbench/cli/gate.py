# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench gate``: accept or refuse a kernel under latency budgets."""

import random
import shlex
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

import click

from zapbench.cli.output import note
from zapbench.cli.progress import stages, watch
from zapbench.cli.run import RESULTS
from zapbench.cli.where import ACCELERATORS
from zapbench.error import BuildFailed, UsageError, ZapbenchError
from zapbench.gate import noise, plan
from zapbench.gate.budget import TIERS, Budgets, load
from zapbench.gate.evidence import Side
from zapbench.gate.fingerprint import differences, of_machine
from zapbench.gate.judge import Judgement, Status, comparable, judge, to_confirm
from zapbench.gate.live import Session
from zapbench.gate.noise import Calibration
from zapbench.gate.output import FORMATS, SUFFIXES
from zapbench.host.file import write_output
from zapbench.result.store import Results, free_directory
from zapbench.target import Target

BISECT_SKIP, BISECT_ABORT = 125, 255  # git-bisect(1), "bisect run"


@click.command()
@click.argument("directories", nargs=-1, type=click.Path(path_type=Path), metavar="[[BASE] HEAD]")
@click.option(
    "--budgets",
    "budget_file",
    required=True,
    type=click.Path(path_type=Path),
    help="TOML file of budgets and waivers; bench/budgets.toml is one.",
)
@click.option("--kernel", metavar="NAME|IMAGE", help="Head: measure it now, in a machine.")
@click.option("--base", metavar="NAME|IMAGE", help="Base, for budgets that are relative to one.")
@click.option("--accel", type=click.Choice(ACCELERATORS), default="icount", show_default=True)
@click.option("--time", "time_text", metavar="TIME", help="Measure for about so long: 90s, 10m.")
@click.option("--boots", type=click.IntRange(min=2), help="Boots of each kernel, first set.")
@click.option("--seed", type=click.IntRange(min=0), help="Fixes order and perturbation.")
@click.option("--results", type=click.Path(path_type=Path), help="Where to keep what is measured.")
@click.option(
    "--confirm",
    nargs=2,
    type=click.Path(path_type=Path),
    metavar="BASE HEAD",
    help="Fresh results of both, to confirm what the first ones show.",
)
@click.option("--force", is_flag=True, help="Compare what was measured differently; labelled.")
@click.option(
    "--format", "form", type=click.Choice(list(FORMATS)), default="text", show_default=True
)
@click.option(
    "-o",
    "outputs",
    multiple=True,
    type=click.Path(path_type=Path),
    help=f"Write a file too, in the format of its name: {', '.join(SUFFIXES)}.",
)
@click.option("--bisect", is_flag=True, help="Exit as `git bisect run` wants it: 125 for unknown.")
def command(
    *,
    directories: tuple[Path, ...],
    budget_file: Path,
    kernel: str | None,
    base: str | None,
    accel: str,
    time_text: str | None,
    boots: int | None,
    seed: int | None,
    results: Path | None,
    confirm: tuple[Path, Path] | None,
    force: bool,
    form: str,
    outputs: tuple[Path, ...],
    bisect: bool,
) -> int:
    """Judge a kernel, measured now (--kernel) or before (HEAD), by budgets.

    FAIL is said of what exceeds its limit beyond chance and the noise floor, and does so again
    in fresh boots; PASS of what surely keeps it; INCONCLUSIVE says what would decide.  Fresh
    boots are measured now, come with --confirm, or are the later half of 6 or more.

    Exit status: 0 all pass, 1 some fail, 2 usage or environment, 4 inconclusive.
    """
    try:
        for path in outputs:
            _format_of(path)
        limit = plan.seconds(time_text) if time_text is not None else None
        budgets = load(budget_file)
        if kernel is not None:
            if directories or confirm:
                raise UsageError("give either --kernel or result directories, not both")
            options = Options(accel, limit, boots, seed, results, force)
            judgement = Live(budgets, base, kernel, options).judgement()
        else:
            if base is not None or not 1 <= len(directories) <= 2:
                raise UsageError("name --kernel HEAD, or one or two result directories")
            judgement = _kept(budgets, directories, confirm, force=force)
        _write(judgement, form, outputs)
    except ZapbenchError as error:
        if not bisect:
            raise
        if isinstance(error, BuildFailed):
            note(str(error))
            return BISECT_SKIP
        error.exit_code = BISECT_ABORT
        raise
    status = judgement.status
    return BISECT_SKIP if bisect and status is Status.INCONCLUSIVE else int(status)


def _write(judgement: Judgement, form: str, outputs: Sequence[Path]) -> None:
    click.echo(FORMATS[form](judgement), nl=False)
    for path in outputs:
        write_output(path, FORMATS[_format_of(path)](judgement).encode())


def _format_of(path: Path) -> str:
    if path.suffix not in SUFFIXES:
        raise UsageError(f"no format is called {path.suffix or path.name!r}: {', '.join(SUFFIXES)}")
    return SUFFIXES[path.suffix]


def _calibration(tier: str) -> Calibration | None:
    """The noise floor of this machine; times cannot be judged without, whatever is forced."""
    timed = TIERS[tier] != "instructions"
    return noise.load(tier, of_machine(tier), datetime.now(UTC), needed=timed)


def _kept(
    budgets: Budgets,
    directories: Sequence[Path],
    confirm: tuple[Path, Path] | None,
    *,
    force: bool,
) -> Judgement:
    """Judge results of before."""
    fresh: Sequence[Path | None] = confirm or (None, None)
    sides = [
        Side(Results(first), Results(again) if again is not None else None)
        for first, again in zip(directories, fresh[-len(directories) :], strict=True)
    ]
    base, head = (None, *sides) if len(sides) == 1 else sides
    assert head is not None
    plan.applicable(budgets, head.results.tier, head.kernel, has_base=base is not None)
    comparable(base, head, force=force)
    calibration = _calibration(head.results.tier)
    if calibration is not None and (found := differences(calibration.context, head.fingerprint[0])):
        if TIERS[calibration.tier] != "instructions":
            raise UsageError(
                f"{head.results.directory} was not measured where the noise floor was: "
                f"{'; '.join(found)}; calibrate and measure on one machine"
            )
        calibration = None  # counted boots know their own noise
    words = ["zapbench", "gate", "--budgets", str(budgets.path), *map(str, directories)]
    words += ["--confirm", *map(str, confirm)] if confirm else []
    return judge(
        budgets,
        base,
        head,
        calibration,
        datetime.now(UTC).date(),
        force=force,
        again=shlex.join(words + (["--force"] if force else [])),
    )


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

    def __init__(self, budgets: Budgets, base: str | None, head: str, options: Options) -> None:
        self._budgets, self._options = budgets, options
        names = {"head": head} if base is None else {"base": base, "head": head}
        self._targets = {name: target(of, options.accel) for name, of in names.items()}
        running = self._targets["head"]
        self._applied = plan.applicable(
            budgets, running.tier, running.kernel, has_base=base is not None
        )
        self._calibration = _calibration(running.tier)
        chance = random.SystemRandom().randrange(1 << 32)
        self._seed = chance if options.seed is None else options.seed
        self._directory = options.results or free_directory(RESULTS, "gate", running.tier)

    def judgement(self) -> Judgement:
        """Measure, judge, measure again what is suspected, and judge."""
        cases = plan.cases(self._applied)
        note(f"{len(cases)} cases, seed {self._seed}, into {self._directory}")
        session = Session(self._targets, cases, self._directory, self._seed, watch)
        boots = session.first(self._plan)
        first = self._judge(session, hold_back=False)
        doubtful = to_confirm(first, self._calibration)
        if not doubtful:
            return first
        note(f"suspected, measured again in {boots} fresh boots: {', '.join(doubtful)}")
        session.again(doubtful, boots)
        return self._judge(session, hold_back=True)

    def _plan(self, pair_seconds: float) -> plan.Plan:
        if self._options.boots is not None:
            return plan.Plan(self._options.boots, "as asked for")
        wanted = plan.wanted_boots(self._applied, self._calibration)
        made = plan.plan(wanted, self._options.seconds, pair_seconds)
        note(f"{made.boots} boots of each kernel, {made.why} ({pair_seconds:.0f} s a pair)")
        return made

    def _judge(self, session: Session, *, hold_back: bool) -> Judgement:
        sides = session.sides()
        base, head = sides.get("base"), sides["head"]
        boots = len({each.run.boot for each in head.contexts})
        words = ["zapbench", "gate", "--budgets", str(self._budgets.path)]
        words += [] if base is None else ["--base", base.kernel]
        words += ["--kernel", head.kernel, "--accel", head.results.tier]
        words += ["--boots", str(boots // 2 if hold_back else boots), "--seed", str(self._seed)]
        return judge(
            self._budgets,
            base,
            head,
            self._calibration,
            datetime.now(UTC).date(),
            force=self._options.force,
            hold_back=hold_back,
            again=shlex.join(words),
            live=True,
        )


def target(kernel: str, accel: str) -> Target:
    """A machine that boots a kernel; it is built first if need be."""
    from zapbench.vm import VmTarget

    with stages() as progress:
        return VmTarget(kernel, accel, progress=progress)
