# SPDX-License-Identifier: GPL-2.0-only
"""The order of the cases must not matter: each leaves the kernel as it found it."""

import os

import pytest

from zapbench import record, stats
from zapbench.case import grid, select
from zapbench.measure import shuffled
from zapbench.record import Samples
from zapbench.target import Job, Native

BOOTS = 5
LEVEL = 0.01  # of the adjusted p: once in a hundred runs chance alone goes below


@pytest.mark.skipif(os.geteuid() != 0, reason="userfaultfd needs root")
def test_a_grid_in_two_orders_agrees_with_itself():
    cells = select(grid(quick=True), ["*/shmem/4k/4k", "*/shmem/4k/64k"])
    names = [str(cell.case) for cell in cells if cell.excluded is None]
    samples: dict[int, list[Samples]] = {1: [], 2: []}
    for boot in range(BOOTS):
        for seed in (1, 2) if boot % 2 else (2, 1):
            order = tuple(shuffled(names, seed, boot))
            job = Job(order, "k", "native", boot=boot, seed=seed, samples=50, max_seconds=0.02)
            samples[seed] += record.collect(Native().run(job)).of(Samples)
    differences = stats.compare(stats.series(samples[1]), stats.series(samples[2]))
    assert len(differences) > 20
    assert [each for each in differences if each.p is not None and each.p < LEVEL] == []
