# SPDX-License-Identifier: GPL-2.0-only
"""Results of made-up boots, and the command gate on them."""

import json
from pathlib import Path

import pytest
import synthetic
from command import Outcome

from zapbench.cli import gate as command
from zapbench.record import Context, encode
from zapbench.result import store

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


def changed(record, **fields):
    known = {name: getattr(record, name) for name in record.__struct_fields__}
    return type(record)(**(known | fields))


def boots_of(kernel, boots, *, tier, unit, image, cpu="none", lost=(), fewer=(), total=None):
    """Streams: each case's figure is that of its boot; remap costs twice as much."""
    for boot, figure in enumerate(boots):
        run = synthetic.run_of(boot, kernel, tier)
        start = changed(
            synthetic.context(run, unit=unit), build_id=image or f"image-{kernel}", cpu=cpu
        )
        records = []
        for case, factor in ((ZAP, 1), (REMAP, 2)):
            if case in lost:
                records.append(synthetic.error(run, case))
            elif case in fewer:
                records.append(synthetic.skip(run, case))
            else:
                value = round(figure * factor)
                records.append(
                    synthetic.samples(run, case, (value,) * 11, unit=unit, case_total=total)
                )
        lines = synthetic.stream(run, *records, unit=unit)
        yield from [encode(start), *lines[1:]]


@pytest.fixture
def result(tmp_path):
    """Make a result directory."""

    def make(name, boots, kernel=None, *, tier="icount", image=None, **more) -> Path:
        unit = "instructions" if tier == "icount" else "ns"
        directory = tmp_path / name
        with store.create(directory) as writer:
            for line in boots_of(kernel or name, boots, tier=tier, unit=unit, image=image, **more):
                writer.write(line)
        return directory

    return make


@pytest.fixture
def gate(capsys, tmp_path, monkeypatch):
    """Run the command on directories; the budgets' text may be given."""
    monkeypatch.setenv("ZAPBENCH_STATE", str(tmp_path / "state"))
    monkeypatch.chdir(tmp_path)

    def run(*arguments, budgets: str = BUDGETS) -> Outcome:
        (tmp_path / "b.toml").write_text(budgets)
        return Outcome(capsys, ["gate", "--budgets", "b.toml", *arguments])

    return run


def verdicts(done: Outcome) -> dict[tuple[str, str], str]:
    data = json.loads(done.out)
    return {(c["case"], c["limit"]): c["because"] for c in data["checks"]}


def slower(boots, factor):
    return tuple(value * factor for value in boots)


RELATIVE, PAIRED = (ZAP, "+2 %"), (ZAP, "0.5 x zap/remap")
SIX = QUIET + QUIET


class Machine:
    """A kernel whose figures are made up, of as many boots as are asked for."""

    def __init__(self, kernel, figure, tier="icount") -> None:
        self.kernel, self.tier, self._figure, self.asked = kernel, tier, figure, []

    def run(self, job):
        self.asked.append((job.boot, sorted(job.cases)))
        unit = "instructions" if self.tier == "icount" else "ns"
        run = synthetic.run_of(job.boot, self.kernel, self.tier)
        start = changed(synthetic.context(run, unit=unit), build_id=f"image-{self.kernel}")
        records = [
            synthetic.samples(run, case, (round(self._figure(case, job.boot)),) * 11, unit=unit)
            for case in job.cases
        ]
        yield from [encode(start), *synthetic.stream(run, *records, unit=unit)[1:]]

    def interrupt(self) -> None:
        """Nothing to interrupt."""


@pytest.fixture
def machines(monkeypatch):
    """Replace virtual machines by made-up ones."""
    made = {}

    def steady(cost):
        return lambda case, boot: (2 if "remap" in case else 1) * (cost + boot % 3)

    def use(base, head):
        made["base"] = Machine("base", base if callable(base) else steady(base))
        made["head"] = Machine("head", head if callable(head) else steady(head))
        monkeypatch.setattr(command, "target", lambda kernel, accel: made[kernel])
        return made

    return use


def live(gate, *more, budgets=BUDGETS):
    return gate("--base", "base", "--kernel", "head", "--boots", "3", *more, budgets=budgets)


@pytest.fixture
def failing(result):
    sides = result("base", SIX), result("head", slower(SIX, 1.1), fewer=[REMAP])
    return [side.name for side in sides]  # the working directory holds them


def context(**fields) -> Context:
    made = synthetic.context(synthetic.run_of(0))
    known = {name: getattr(made, name) for name in made.__struct_fields__}
    return Context(**(known | fields))
