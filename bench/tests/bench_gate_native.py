# SPDX-License-Identifier: GPL-2.0-only
"""How often the gate cries wolf natively, and what it catches (make bench-gate).

Gates are resampled from recorded processes, each without replacement, so that calibration,
first look and confirmation are of different processes; next to it what `pyperf compare_to` and
`asv compare` say of the same samples.
"""

import gzip
import json
import math
import random
from collections import Counter
from collections.abc import Callable, Iterator, Sequence

import pytest
from bench_gate_made import FALSE_ALARMS
from other_gates import asv, asv_any, pyperf
from record_native import DATA, KINDS
from reported import Report, bound

from zapbench.gate.estimate import Estimate
from zapbench.gate.noise import of_legs
from zapbench.gate.verdict import Claim, Look, Verdict, rule

GATES = 2000
BOOTS, CALIBRATED = 10, 20  # of each side, in each of the two looks; of each leg
LIMITS = (0, 2, 5)
FOUND = 0.95

Process = Sequence[Sequence[float]]  # by case: its median, then a few samples
Recorded = dict[int, list[Process]]  # by per cent planted


@pytest.fixture(scope="module")
def recorded() -> dict[int, list[Process]]:
    if not DATA.is_file():
        pytest.skip(f"no {DATA.name}: record it with bench/tests/record_native.py")
    data = json.loads(gzip.decompress(DATA.read_bytes()))
    assert data["v"] == 1
    return {int(percent): kept for percent, kept in data["processes"].items()}


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
            noise = of_legs(*(logs(leg, case) for leg in self.legs), paired=True)
            first, again = (
                [h - b for b, h in zip(logs(base, case), logs(head, case), strict=True)]
                for base, head in ((self.base, self.head), (self.base_again, self.head_again))
            )
            whole, early, late = (
                Look(Estimate(tuple(part), noise.spread), noise.floor)
                for part in (first + again, first, again)
            )
            claims.append(Claim(math.log1p(limit), whole, early, late))
        return [ruling.verdict for ruling in rule(claims)]

    def figures(self, *, pooled: bool) -> tuple[list[list[float]], list[list[float]]]:
        """By case, all figures that both looks had: medians, or pooled samples, of each side."""
        base, head = [], []
        for case in range(len(self.base[0])):
            sides = [
                [
                    value
                    for process in side
                    for value in (process[case][1:] if pooled else [process[case][0]])
                ]
                for side in (self.base + self.base_again, self.head + self.head_again)
            ]
            size = min(map(len, sides))  # pyperf takes none but equal numbers
            base.append(sides[0][:size])
            head.append(sides[1][:size])
        return base, head


def logs(processes: Sequence[Process], case: int) -> list[float]:
    return [math.log(process[case][0]) for process in processes]


def mean(values: Sequence[float]) -> float:
    return math.fsum(values) / len(values)


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
        "pyperf compare_to, all samples": lambda gate: pyperf(*gate.figures(pooled=True)),
        "pyperf compare_to, medians": lambda gate: pyperf(*gate.figures(pooled=False)),
        "asv compare, all samples": lambda gate: asv(*gate.figures(pooled=True)),
        "asv compare, medians": lambda gate: asv(*gate.figures(pooled=False)),
        "asv compare, factor 1.0, medians": lambda gate: asv_any(*gate.figures(pooled=False)),
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
