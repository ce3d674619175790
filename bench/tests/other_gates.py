# SPDX-License-Identifier: GPL-2.0-only
"""What other tools say of the figures that a gate judges: one-sided, is the head slower?

Each takes the figures of a case on base and on head, as many of both.  The tests of pyperf and
asv are their own, at their own levels; the other two are adjusted for the number of cases
(Benjamini and Hochberg), at the level of the gate.
"""

import json
import subprocess
from collections.abc import Callable, Sequence
from functools import cache
from typing import Literal

import numpy as np
import scipy.stats
from asv import _stats as asv_stats
from places import ROOT, TESTS
from pyperf._utils import is_significant

from zapbench.gate.estimate import ALPHA
from zapbench.result.stats import adjust

ASV_LEVEL, ASV_FACTOR = 0.002, 1.1
Figures = Sequence[float]
Slower = Callable[[Sequence[Figures], Sequence[Figures]], list[bool]]


def asv_p(base: Figures, head: Figures) -> float:
    """What asv's Mann-Whitney test gives; by scipy, since asv's own exact one takes minutes."""
    exact = max(len(base), len(head)) <= 20
    method: Literal["exact", "asymptotic"] = "exact" if exact else "asymptotic"
    return float(scipy.stats.mannwhitneyu(base, head, method=method).pvalue)


def asv(base: Sequence[Figures], head: Sequence[Figures], factor: float = ASV_FACTOR) -> list[bool]:
    """`asv compare`: Mann-Whitney at 0.002, and by a factor."""
    return [
        asv_p(b, h) < ASV_LEVEL and float(np.median(h)) > factor * float(np.median(b))
        for b, h in zip(base, head, strict=True)
    ]


def asv_any(base: Sequence[Figures], head: Sequence[Figures]) -> list[bool]:
    """The same, with a factor of 1."""
    return asv(base, head, 1.0)


def pyperf(base: Sequence[Figures], head: Sequence[Figures]) -> list[bool]:
    """`pyperf compare_to`: its t-test at 95 %."""
    return [
        float(np.mean(h)) > float(np.mean(b)) and is_significant(list(b), list(h))[0]
        for b, h in zip(base, head, strict=True)
    ]


def welch(base: Sequence[Figures], head: Sequence[Figures]) -> list[bool]:
    """Welch's test on logarithms, adjusted."""
    p = scipy.stats.ttest_ind(
        np.log(head), np.log(base), axis=1, equal_var=False, alternative="greater"
    ).pvalue
    return _adjusted(np.asarray(p).tolist())


def rank_sum(base: Sequence[Figures], head: Sequence[Figures]) -> list[bool]:
    """The U test of Mann and Whitney, adjusted."""
    p = scipy.stats.mannwhitneyu(head, base, axis=1, alternative="greater").pvalue
    return _adjusted(np.asarray(p).tolist())


def _adjusted(p_values: Sequence[float]) -> list[bool]:
    return [p is not None and p <= ALPHA for p in adjust(p_values)]


OTAVA = ROOT / "build/otava/bin/python"
"""An environment of its own: Otava pins its numpy, and brings the clients of several clouds."""


@cache
def _otava() -> subprocess.Popen[str]:
    words = [str(OTAVA), str(TESTS / "otava_says.py")]
    return subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def otava(base: Sequence[Figures], head: Sequence[Figures]) -> list[bool]:
    """Apache Otava: a change point in base's figures followed by the head's, and higher behind."""
    process = _otava()
    assert process.stdin is not None
    assert process.stdout is not None
    series = [[*b, *h] for b, h in zip(base, head, strict=True)]
    process.stdin.write(json.dumps(series) + "\n")
    process.stdin.flush()
    answer: list[bool] = json.loads(process.stdout.readline())
    return answer


OTHERS: dict[str, Slower] = {
    "Welch + BH": welch,
    "U + BH": rank_sum,
    "pyperf compare_to": pyperf,
    "asv compare": asv,
    "asv compare, factor 1.0": asv_any,
    **({"Otava": otava} if OTAVA.exists() else {}),
}


def theirs(base: Figures, head: Figures) -> float:
    """p by asv's own code, to see that `asv_p` is it."""
    _, p = asv_stats.mann_whitney_u(list(base), list(head))
    return float(p)
