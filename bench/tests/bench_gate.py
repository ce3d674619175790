# SPDX-License-Identifier: GPL-2.0-only
"""How often the gate cries wolf, and what it catches (make bench-gate).

Natively: gates resampled from recorded processes, each without replacement, so that calibration,
first look and confirmation are of different processes; next to it what `pyperf compare_to` and
`asv compare` say of the same samples.  Under icount: kernels that differ in nothing that is
executed, and kernels with a cost planted in a path, built and booted.
"""

import gzip
import json
import math
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import pytest
import scipy.stats
from asv import _stats as asv_stats
from places import TESTS
from pyperf._utils import is_significant
from pytest_benchmark.fixture import BenchmarkFixture
from record_native import DATA, KINDS

from zapbench.cli.progress import ON_STDERR
from zapbench.error import EnvironmentMissing
from zapbench.gate import budget
from zapbench.gate.estimate import of_two
from zapbench.gate.judgement import Judgement
from zapbench.gate.live import Live, Options
from zapbench.gate.noise import of_legs
from zapbench.gate.verdict import Claim, Look, Verdict, rule
from zapbench.result.welch import Spread

PATCHES = TESTS / "kernel-patches/6.12"
GATES = 2000
BOOTS, CALIBRATED = 10, 20  # of each side, in each of the two looks; of each leg
LIMITS = (0, 2, 5)
FALSE_ALARMS, FOUND = 0.01, 0.95

Process = Sequence[Sequence[float]]  # by case: its median, then a few samples
Recorded = dict[int, list[Process]]  # by per cent planted


Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print past pytest's capture: the figures are what these tests are for."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(line)  # noqa: T201

    return say


@pytest.fixture(scope="module")
def recorded() -> dict[int, list[Process]]:
    if not DATA.is_file():
        pytest.skip(f"no {DATA.name}: record it with bench/tests/record_native.py")
    data = json.loads(gzip.decompress(DATA.read_bytes()))
    assert data["v"] == 1
    return {int(percent): kept for percent, kept in data["processes"].items()}


def bound(events: int, trials: int) -> float:
    """The upper end of the 95 % interval of a share (Clopper and Pearson, Biometrika 26, 1934)."""
    return float(scipy.stats.beta.ppf(0.975, events + 1, trials - events)) if events < trials else 1


class Gate:
    """One gate's processes, drawn without replacement."""

    def __init__(self, null: Sequence[Process], head: Sequence[Process], seed: int) -> None:
        chance = random.Random(seed)
        same = head is null
        # Calibration is made smaller where there are too few processes for it.
        heads = 2 * BOOTS
        spare = len(null) - 2 * BOOTS - (heads if same else 0)
        calibrated = min(CALIBRATED, spare // 2)
        assert calibrated >= BOOTS, "too few processes were recorded"
        drawn = chance.sample(null, 2 * BOOTS + 2 * calibrated + (heads if same else 0))
        rest = iter(drawn)

        def take(n: int) -> list[Process]:
            return [next(rest) for _ in range(n)]

        self.legs = take(calibrated), take(calibrated)
        self.base, self.base_again = take(BOOTS), take(BOOTS)
        others = take(heads) if same else chance.sample(head, heads)
        self.head, self.head_again = others[:BOOTS], others[BOOTS:]

    def verdicts(self, limit: float) -> list[Verdict]:
        """What this project's gate says of each case."""
        claims = []
        for case in range(len(self.base[0])):
            noise = of_legs(*(logs(leg, case) for leg in self.legs))
            sides = [logs(self.base, case), logs(self.head, case)]
            fresh = [logs(self.base_again, case), logs(self.head_again, case)]
            first = Look(of_two(sides[0], sides[1], noise.spread), noise.floor)
            again = Look(of_two(fresh[0], fresh[1], noise.spread), noise.floor)
            both = [old + new for old, new in zip(sides, fresh, strict=True)]
            whole = Look(of_two(both[0], both[1], noise.spread), noise.floor)
            claims.append(Claim(math.log1p(limit), whole, first, again))
        return [ruling.verdict for ruling in rule(claims)]

    def pyperf(self, *, pooled: bool) -> list[bool]:
        """Whether `pyperf compare_to` calls each case slower: its t-test at 95 %."""
        found = []
        for case in range(len(self.base[0])):
            base, head = self._all(case, pooled=pooled)
            found.append(mean(head) > mean(base) and is_significant(base, head)[0])
        return found

    def asv(self, *, pooled: bool, factor: float = 1.1) -> list[bool]:
        """Whether `asv compare` calls each case worse: Mann-Whitney at 0.002, and by a factor."""
        found = []
        for case in range(len(self.base[0])):
            base, head = self._all(case, pooled=pooled)
            found.append(asv_p(base, head) < ASV_LEVEL and median(head) > factor * median(base))
        return found

    def _all(self, case: int, *, pooled: bool) -> tuple[list[float], list[float]]:
        """All figures that both looks had: medians, or pooled samples, of each side."""
        sides = (self.base + self.base_again, self.head + self.head_again)
        base, head = (
            [
                value
                for process in side
                for value in (process[case][1:] if pooled else [process[case][0]])
            ]
            for side in sides
        )
        size = min(len(base), len(head))  # pyperf takes none but equal numbers
        return base[:size], head[:size]


ASV_LEVEL = 0.002


def asv_p(base: Sequence[float], head: Sequence[float]) -> float:
    """What asv's Mann-Whitney test gives; by scipy, since asv's own exact one takes minutes."""
    exact = max(len(base), len(head)) <= 20
    method: Literal["exact", "asymptotic"] = "exact" if exact else "asymptotic"
    return float(scipy.stats.mannwhitneyu(base, head, method=method).pvalue)


def test_scipys_test_is_asvs() -> None:
    left, right = [1.0, 2.0, 4.0, 7.0, 8.5], [3.0, 5.0, 6.0, 9.0, 9.5, 10.0]
    _, theirs = asv_stats.mann_whitney_u(left, right)
    assert asv_p(left, right) == pytest.approx(theirs)
    assert asv_stats.is_different.__defaults__ == (ASV_LEVEL,)


def logs(processes: Sequence[Process], case: int) -> list[float]:
    return [math.log(process[case][0]) for process in processes]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


def median(values: Sequence[float]) -> float:
    ordered = sorted(values)
    return (ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2


def gates(recorded: dict[int, list[Process]], percent: int, count: int) -> Iterator[Gate]:
    head = recorded[percent] if percent else recorded[0]
    return (Gate(recorded[0], head, seed) for seed in range(count))


def test_native_false_alarms(recorded: Recorded, report: Report) -> None:
    report(f"\nnative, null: {GATES} gates resampled from {len(recorded[0])} processes")
    failing: dict[float, int] = {}
    for limit in LIMITS:
        outcomes = Counter(
            max_verdict(gate.verdicts(limit / 100)) for gate in gates(recorded, 0, GATES)
        )
        failing[limit] = outcomes[Verdict.FAIL]
        high = bound(failing[limit], GATES)
        report(
            f"  limit +{limit} %: {failing[limit]} FAIL ({failing[limit] / GATES:.2%}, at most "
            f"{high:.2%}), {outcomes[Verdict.PASS]} PASS, {outcomes[Verdict.INCONCLUSIVE]} open"
        )
    for percent, fails in failing.items():
        assert fails / GATES <= FALSE_ALARMS, f"limit +{percent} %"


ORDER = [Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL]


def max_verdict(verdicts: Sequence[Verdict]) -> Verdict:
    return max(verdicts, key=ORDER.index)


@pytest.mark.parametrize("percent", [kind for kind in KINDS if kind])
def test_native_power(recorded: Recorded, report: Report, percent: int) -> None:
    report(f"\nnative, planted +{percent} %: {GATES // 4} gates")
    for limit in LIMITS:
        seen = Counter(
            verdict
            for gate in gates(recorded, percent, GATES // 4)
            for verdict in gate.verdicts(limit / 100)
        )
        total = sum(seen.values())
        report(
            f"  limit +{limit} %: of {total} cases {seen[Verdict.FAIL] / total:.1%} FAIL, "
            f"{seen[Verdict.INCONCLUSIVE] / total:.1%} INCONCLUSIVE, {seen[Verdict.PASS]} PASS"
        )
        assert (seen[Verdict.FAIL] + seen[Verdict.INCONCLUSIVE]) / total >= FOUND
        if percent >= 20:
            assert seen[Verdict.PASS] == 0


def test_side_by_side(recorded: Recorded, report: Report) -> None:
    """Share of cases called slower, and of gates with any such case, on the same samples."""
    count = GATES // 10
    report(f"\nside by side, {count} gates: cases called slower (gates with at least one)")
    tools: dict[str, Callable[[Gate], list[bool]]] = {
        "pyperf compare_to, all samples": lambda gate: gate.pyperf(pooled=True),
        "pyperf compare_to, medians": lambda gate: gate.pyperf(pooled=False),
        "asv compare, all samples": lambda gate: gate.asv(pooled=True),
        "asv compare, medians": lambda gate: gate.asv(pooled=False),
        "asv compare, factor 1.0, medians": lambda gate: gate.asv(pooled=False, factor=1.0),
        "zapbench gate, limit +0 %": lambda gate: [v is Verdict.FAIL for v in gate.verdicts(0)],
        "zapbench gate, limit +2 %": lambda gate: [v is Verdict.FAIL for v in gate.verdicts(0.02)],
    }
    report(f"  {'':<34}{'null':>18}" + "".join(f"{f'+{k} %':>18}" for k in KINDS if k))
    for name, judge in tools.items():
        cells = []
        for percent in KINDS:
            called = [judge(gate) for gate in gates(recorded, percent, count)]
            cases = [case for gate in called for case in gate]
            cells.append(f"{mean(cases):.1%} ({mean([any(gate) for gate in called]):.0%})")
        report(f"  {name:<34}" + "".join(f"{cell:>18}" for cell in cells))


CASES, SIDE, SECONDS = 10_000, 10, 2.0


def test_the_statistics_of_a_large_grid(benchmark: BenchmarkFixture, report: Report) -> None:
    chance = random.Random(1)
    figures = [
        [[chance.gauss(0, 0.05) for _ in range(SIDE)] for _ in range(2)] for _ in range(CASES)
    ]

    def judged() -> int:
        claims = []
        for base, head in figures:
            half = SIDE // 2
            spread = Spread(0.05, 18)
            claims.append(
                Claim(
                    0.02,
                    Look(of_two(base, head, spread), 0.01),
                    Look(of_two(base[:half], head[:half], spread), 0.01),
                    Look(of_two(base[half:], head[half:], spread), 0.01),
                )
            )
        return len(rule(claims))

    start = time.process_time()
    assert judged() == CASES
    seconds = time.process_time() - start
    report(f"\n{CASES} cases x {SIDE} boots: {seconds:.2f} s of CPU; target {SECONDS:g} s")
    benchmark.pedantic(judged, rounds=2, iterations=1)


# ---- kernels ----

ICOUNT_LIMIT = 0.25
"""Percent: half of the smaller cost that is planted."""
PLANTED = {
    "zap": "zap/dontneed/shmem/4k/4k",
    "continue": "continue/-/shmem/4k/4k",
    "register": "zap/remap/shmem/4k/4k",
}
TWELVE = (
    *PLANTED.values(),
    "zap/dontneed/shmem/4k/64k",
    "zap/dontneed/shmem/4k/2m",
    "zap/dontneed/hugetlb/2m/2m",
    "zap/overmap/shmem/4k/4k",
    "cycle/dontneed/shmem/4k/4k",
    "cycle/dontneed/shmem/4k/64k",
    "continue/-/shmem/4k/64k",
    "continue/-/shmem/4k/2m",
    "continue/-/hugetlb/2m/2m",
)
GATE_SECONDS = 120


def budgets(directory: Path, cases: Sequence[str]) -> budget.Budgets:
    path = directory / "b.toml"
    path.write_text(
        f'[[budget]]\ncases = {json.dumps(list(cases))}\nlimit = "+{ICOUNT_LIMIT} %"\n'
        'reason = "the tests"\n'
    )
    return budget.load(path)


def gate_of(head: str, directory: Path, cases: Sequence[str], boots: int = 5) -> Judgement:
    options = Options("icount", None, boots, 1, directory / "r", force=False)
    live = Live(budgets(directory, cases), "6.12", head, options, ON_STDERR)
    return live.judgement()


Measured = Callable[[str, Sequence[str]], Judgement]


@pytest.fixture
def measured(
    tmp_path: Path, benchmark: BenchmarkFixture, require: Callable[[object, str], None]
) -> Measured:
    """Gate a kernel of a series against 6.12."""
    if benchmark.disabled:
        pytest.skip("figures are for make bench-gate")

    def run(series: str, cases: Sequence[str]) -> Judgement:
        try:
            found: Judgement = benchmark.pedantic(
                gate_of,
                args=(f"6.12+{PATCHES / series}/", tmp_path, cases),
                rounds=1,
                iterations=1,
            )
            return found
        except EnvironmentMissing as error:
            require(False, str(error))
            raise

    return run


def lines(judgement: Judgement) -> Iterator[str]:
    for check in judgement.checks:
        change = f"{check.change - 1:+.3%}" if check.change is not None else ""
        floor = f"{check.floor:.3%}" if check.floor is not None else ""
        yield f"  {check.ruling.verdict:<13} {check.case:<30} {change:>9}, floor {floor}"


NULLS = sorted(path.name for path in PATCHES.glob("null-*"))
COSTS = sorted(path.name for path in PATCHES.glob("cost-*"))


@pytest.mark.kernel
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", NULLS)
def test_null_kernels_never_fail(measured: Measured, report: Report, series: str) -> None:
    judgement = measured(series, TWELVE)
    report("\n".join([f"\n{series}:", *lines(judgement)]))
    assert judgement.count(Verdict.FAIL) == 0


@pytest.mark.kernel
@pytest.mark.timeout(3600)
@pytest.mark.parametrize("series", COSTS)
def test_planted_costs_are_found_by_name(measured: Measured, report: Report, series: str) -> None:
    _, path, _ = series.split("-")
    case = PLANTED[path]
    judgement = measured(series, list(PLANTED.values()))
    report("\n".join([f"\n{series}:", *lines(judgement)]))
    (check,) = (check for check in judgement.checks if check.case == case)
    quiet = check.floor is not None and check.floor < ICOUNT_LIMIT / 100
    wanted = Verdict.FAIL if quiet else Verdict.INCONCLUSIVE
    assert check.ruling.verdict in (wanted, Verdict.FAIL)


@pytest.mark.kernel
@pytest.mark.timeout(3600)
def test_a_gate_on_twelve_cases(measured: Measured, report: Report) -> None:
    start = time.monotonic()
    judgement = measured("null-comment", TWELVE)
    wall = time.monotonic() - start
    report(
        f"\na gate on {len(judgement.checks)} cases under icount: {wall:.0f} s, target "
        f"{GATE_SECONDS} s; load {os.getloadavg()[0]:.1f}"
    )
