# SPDX-License-Identifier: GPL-2.0-only
"""Results of made-up boots, and the command gate on them."""

import json
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeVar

import pytest
import synthetic
from command import Outcome
from msgspec import Struct
from msgspec.structs import replace

from zapbench import where
from zapbench.gate import live as live_gate
from zapbench.observer import Observer
from zapbench.record import Context, Record, Unit, encode
from zapbench.result import store
from zapbench.target import Job

ZAP, REMAP = "zap/dontneed/shmem/4k/64k", "zap/remap/shmem/4k/64k"
BUDGETS = """\
[[budget]]
cases = ["zap/dontneed/shmem/4k/64k", "zap/remap/shmem/4k/64k"]
limit = "+2 %"
reason = "nothing gets slower"

[[budget]]
cases = "zap/dontneed/shmem/4k/64k"
limit = "0.5 x zap/remap"
reason = "the call alone is cheap"
"""
QUIET = (10_000, 10_010, 9_990)  # a boot each; twice as dear for remap


T = TypeVar("T", bound=Struct)
Gate = Callable[..., Outcome]
MakeResult = Callable[..., Path]


def changed(record: T, **fields: object) -> T:
    return replace(record, **fields)


def boots_of(
    kernel: str,
    boots: Sequence[float],
    *,
    tier: str,
    unit: Unit,
    image: str | None,
    lost: Sequence[str] = (),
    fewer: Sequence[str] = (),
    without: Sequence[str] = (),
    broken: Mapping[str, Collection[int]] = {},
    errno: int = 71,
    died: Collection[int] = (),
    seed: int = 7,
    **fields: object,
) -> Iterator[bytes]:
    """Streams: each case's figure is that of its boot; remap costs twice as much.

    By case, ``lost`` are errors, ``fewer`` skips, ``without`` is not there; ``broken`` are errors
    in some boots.  Of boots that ``died`` there is only the first case, and no end.  ``fields``
    are those of the contexts.
    """
    for boot, figure in enumerate(boots):
        run = synthetic.run_of(boot, kernel, tier)
        start = changed(
            synthetic.context(run, unit=unit, seed=seed),
            **({"build_id": image or f"image-{kernel}"} | fields),
        )
        records: list[Record] = []
        for case, factor in ((ZAP, 1), (REMAP, 2)):
            if case in without:
                continue
            if boot in broken.get(case, ()):
                records.append(synthetic.error(run, case, errno=errno))
            elif case in lost:
                records.append(synthetic.error(run, case))
            elif case in fewer:
                records.append(synthetic.skip(run, case))
            else:
                value = round(figure * factor)
                records.append(synthetic.samples(run, case, (value,) * 11, unit=unit))
        lines = synthetic.stream(run, *records, unit=unit)
        yield from [encode(start), *lines[1:]][: 2 if boot in died else None]


@pytest.fixture
def result(tmp_path: Path) -> MakeResult:
    """Make a result directory."""

    def make(
        name: str,
        boots: Sequence[float],
        kernel: str | None = None,
        *,
        tier: str = "icount",
        image: str | None = None,
        **more: Any,
    ) -> Path:
        unit: Unit = "instructions" if tier == "icount" else "ns"
        directory = tmp_path / name
        with store.create(directory) as writer:
            for line in boots_of(kernel or name, boots, tier=tier, unit=unit, image=image, **more):
                writer.write(line)
        return directory

    return make


@pytest.fixture
def state(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where calibrations are kept: nothing is yet."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    return tmp_path / "state"


@pytest.fixture
def gate(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    state: Path,
) -> Gate:
    """Run the command on directories; the budgets' text may be given."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: object, budgets: str = BUDGETS, path: str = "b.toml") -> Outcome:
        (tmp_path / "b.toml").write_bytes(budgets.encode())
        return Outcome(capsys, ["gate", "--budgets", path, *arguments])

    return run


def verdicts(done: Outcome) -> dict[tuple[str, str], str]:
    data = json.loads(done.out)
    return {(c["case"], c["limit"]): c["because"] for c in data["checks"]}


def slower(boots: Sequence[float], factor: float) -> tuple[float, ...]:
    return tuple(value * factor for value in boots)


RELATIVE, PAIRED = (ZAP, "+2 %"), (ZAP, "0.5 x zap/remap")
SIX = QUIET + QUIET


Figure = Callable[[str, int], float]


class Machine:
    """A kernel whose figures are made up, of as many boots as are asked for."""

    def __init__(self, kernel: str, figure: Figure, tier: str = "icount") -> None:
        self.kernel, self.tier, self.figure = kernel, tier, figure
        self.asked: list[tuple[int, list[str]]] = []
        self.rooms: set[tuple[str, ...]] = set()

    def run(self, job: Job) -> Iterator[bytes]:
        self.asked.append((job.boot, sorted(job.cases)))
        self.rooms.add(job.room)
        unit: Unit = "instructions" if self.tier == "icount" else "ns"
        run = synthetic.run_of(job.boot, self.kernel, self.tier)
        start = changed(
            synthetic.context(run, unit=unit, seed=job.seed), build_id=f"image-{self.kernel}"
        )
        records = [
            synthetic.samples(run, case, (round(self.figure(case, job.boot)),) * 11, unit=unit)
            for case in job.cases
        ]
        yield from [encode(start), *synthetic.stream(run, *records, unit=unit)[1:]]

    def interrupt(self) -> None:
        """Nothing to interrupt."""


Machines = Callable[..., dict[str, Machine]]


@pytest.fixture
def machines(monkeypatch: pytest.MonkeyPatch) -> Machines:
    """Replace virtual machines by made-up ones."""
    made: dict[str, Machine] = {}

    def steady(cost: int) -> Figure:
        return lambda case, boot: (2 if "remap" in case else 1) * (cost + boot % 3)

    def made_up(kernel: str, accel: str, observer: Observer) -> Machine:
        return made[kernel]

    def use(base: int | Figure, head: int | Figure) -> dict[str, Machine]:
        made["base"] = Machine("base", base if callable(base) else steady(base))
        made["head"] = Machine("head", head if callable(head) else steady(head))
        for place in (live_gate, where):
            monkeypatch.setattr(place, "machine", made_up)
        return made

    return use


def live(gate: Gate, *more: object, budgets: str = BUDGETS) -> Outcome:
    return gate("--base", "base", "--kernel", "head", "--boots", "3", *more, budgets=budgets)


@pytest.fixture
def failing(result: MakeResult) -> list[str]:
    sides = result("base", SIX), result("head", slower(SIX, 1.1), fewer=[REMAP])
    return [side.name for side in sides]  # the working directory holds them


OLD: dict[str, Any] = dict.fromkeys(("start", "boot_id", "machine", "samples", "max_seconds"))
"""The context of a record of before."""


def context(**fields: object) -> Context:
    return changed(synthetic.context(synthetic.run_of(0)), **fields)
