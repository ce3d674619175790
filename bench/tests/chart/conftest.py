# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures for charts."""

from pathlib import Path

import pytest
import synthetic
from drawn import FIGURES, HUGE, SMALL, written

from zapbench.result.store import Results


@pytest.fixture
def results(tmp_path: Path) -> Results:
    run = synthetic.run_of()
    skip = synthetic.skip(run, f"cycle/rwp/{SMALL}")
    pool = synthetic.skip(run, f"cycle/madv_zap/{HUGE}", "pool too small")
    error = synthetic.error(run, f"cycle/overmap/{SMALL}")
    overmap = {f"cycle/overmap/{HUGE}": (7000, 7000, 7000)}
    return Results(written(tmp_path / "r", FIGURES | overmap, skip, pool, error))
