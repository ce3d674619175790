# SPDX-License-Identifier: GPL-2.0-only
"""What benchmarks print: their figures, which is what they are for."""

from collections.abc import Callable

import pytest
import scipy.stats

Report = Callable[[str], None]


@pytest.fixture
def report(capsys: pytest.CaptureFixture[str]) -> Report:
    """Print past pytest's capture."""

    def say(line: str) -> None:
        with capsys.disabled():
            print(line)  # noqa: T201

    return say


def bound(events: int, trials: int) -> float:
    """The upper end of the 95 % interval of a share (Clopper and Pearson, Biometrika 26, 1934)."""
    return float(scipy.stats.beta.ppf(0.975, events + 1, trials - events)) if events < trials else 1
