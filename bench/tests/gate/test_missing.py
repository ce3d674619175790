# SPDX-License-Identifier: GPL-2.0-only
"""What is missing of a kernel's boots, and that it never makes a verdict better."""

import errno
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path

import msgspec
import pytest
import synthetic
from gate_boots import BUDGETS, QUIET, REMAP, SIX, ZAP, boots_of, slower
from hypothesis import given, settings
from hypothesis import strategies as st

from zapbench.gate import budget, judge, missing
from zapbench.gate.evidence import Side
from zapbench.gate.judgement import Judgement
from zapbench.gate.missing import Gaps
from zapbench.gate.verdict import Verdict
from zapbench.record import End, Record, decode
from zapbench.record.stream import collect
from zapbench.result.request import Asked, keep
from zapbench.result.store import Results


def side(lines: Sequence[bytes], directory: Path = Path("nowhere")) -> Side:
    return Side(Results(directory, collect(lines)))


def lines_of(boots: Sequence[float], kernel: str = "head") -> list[bytes]:
    return list(boots_of(kernel, boots, tier="icount", unit="instructions", image=None))


def gap(lines: Sequence[bytes], case: str = ZAP) -> str | None:
    found = Gaps(side(lines)).of(case)
    return None if found is None else f"{found.because.name}: {found.why}"


def replaced(lines: Sequence[bytes], boot: int, made: Callable[[Record], Record]) -> list[bytes]:
    """The lines with another record in place of the samples of one case and boot; no ends."""
    records = [decode(line) for line in lines]
    return [
        msgspec.json.encode(made(record) if _is(record, boot) else record) + b"\n"
        for record in records
        if not isinstance(record, End)
    ]


def _is(record: Record, boot: int) -> bool:
    return getattr(record, "case", None) == ZAP and record.run.boot == boot


def test_what_is_whole_has_no_gap() -> None:
    assert gap(lines_of(QUIET)) is None
    assert gap(lines_of(QUIET), REMAP) is None


@pytest.mark.parametrize(
    ("number", "because"),
    [(71, "BROKEN"), (0, "BROKEN"), *((each, "INCOMPLETE") for each in missing.HOSTS)],
)
def test_an_error_is_the_kernels_or_the_hosts(number: int, because: str) -> None:
    lines = replaced(
        lines_of(QUIET), 1, lambda record: synthetic.error(record.run, ZAP, "so", number)
    )
    assert gap(lines) == f"{because}: boot 1 of 3: so"


def test_what_was_interrupted_and_measured_later_is_no_gap() -> None:
    first = replaced(
        lines_of(QUIET), 1, lambda record: synthetic.error(record.run, ZAP, "x", errno.ECANCELED)
    )
    assert gap([*first, *lines_of(QUIET)]) is None


def test_a_case_that_is_skipped_in_some_boots_is_not_whole() -> None:
    lines = replaced(lines_of(QUIET), 2, lambda record: synthetic.skip(record.run, ZAP))
    assert gap(lines) == "INCOMPLETE: boot 2 of 3: skipped there"


def test_a_boot_without_an_end_that_was_gone_on_with_is_no_gap() -> None:
    lines = lines_of(QUIET)
    assert gap(lines[:-2], REMAP) == "CUT: boot 2 of 3: they have no end either"
    assert gap([*lines[:-2], *lines_of(QUIET)[-4:]], REMAP) is None


def test_boots_that_were_announced_are_waited_for(tmp_path: Path) -> None:
    keep(tmp_path, "run", Asked(boots=5))
    found = Gaps(side(lines_of(QUIET), tmp_path)).of(ZAP)
    assert found is not None
    assert found.why == "boot 3 and 4 of 5: not measured"


def judged(base: Sequence[bytes], head: Sequence[bytes], where: Path) -> Judgement:
    path = where / "b.toml"
    path.write_text(BUDGETS)
    sides = side(base, where), side(head, where)
    return judge.judge(budget.load(path), *sides, None, date(2026, 1, 1))


RANK = {Verdict.PASS: 0, Verdict.INCONCLUSIVE: 1, Verdict.FAIL: 1}


@settings(max_examples=25)
@given(data=st.data())
def test_what_is_missing_never_makes_a_pass(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """A boot, case or end that is taken away turns neither FAIL nor INCONCLUSIVE into PASS."""
    where = tmp_path_factory.mktemp("judged")
    keep(where, "run", Asked(boots=len(SIX)))
    factor = data.draw(st.sampled_from([1.0, 1.02, 1.1]))
    odd = data.draw(st.integers(0, len(SIX) - 1))
    figures = list(slower(SIX, factor))
    figures[odd] *= data.draw(st.sampled_from([1.0, 1.5]))
    base, head = lines_of(SIX, "base"), lines_of(figures)
    before = judged(base, head, where)
    boot = data.draw(st.integers(0, len(SIX) - 1))
    mine = [number for number, line in enumerate(head) if decode(line).run.boot == boot]
    taken = data.draw(st.sampled_from([mine, mine[1:], mine[2:], mine[3:]]))
    less = [line for number, line in enumerate(head) if number not in taken]
    after = judged(base, less, where)
    for old, new in zip(before.checks, after.checks, strict=True):
        assert RANK[new.ruling.verdict] >= RANK[old.ruling.verdict]
    if taken != mine[3:]:
        assert after.status != 0


@settings(max_examples=25)
@given(data=st.data())
def test_one_slower_boot_never_makes_a_pass(
    data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Both cases get dearer in that boot: the ratio of one to the other stays as it was."""
    where = tmp_path_factory.mktemp("judged")
    size = data.draw(st.integers(2, 8))
    figure = st.integers(9_000, 11_000)
    base, head = (data.draw(st.lists(figure, min_size=size, max_size=size)) for _ in range(2))
    before = judged(lines_of(base, "base"), lines_of(head), where)
    head[data.draw(st.integers(0, size - 1))] += data.draw(st.integers(1, 5_000))
    after = judged(lines_of(base, "base"), lines_of(head), where)
    for old, new in zip(before.checks, after.checks, strict=True):
        assert RANK[new.ruling.verdict] >= RANK[old.ruling.verdict]
