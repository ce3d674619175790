# SPDX-License-Identifier: GPL-2.0-only
"""Builds that are killed at random points: no compiler lives on, and the next image is right."""

import time
from pathlib import Path

import pytest
import toy_kernel
from limits import until
from processes import below
from tally import Faults
from torture.test_kills import WAYS, done, no_traceback, zapbench

from zapbench.host import cache
from zapbench.kernel import build
from zapbench.kernel.catalogue import parse


@pytest.mark.timeout(3600)
def test_builds_are_made_again(
    toy: Path, fault: Faults, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = tmp_path / "linux"
    toy_kernel.repository(repository)
    name = f"git:{repository}@main"
    start = time.monotonic()
    right = build.build(parse(name)).bzimage.read_bytes()
    whole = time.monotonic() - start
    row = fault("a build: killed at a random point")
    for number, rng in enumerate(row.tries(quick=4, long=30)):
        monkeypatch.setenv("ZAPBENCH_CACHE", str(tmp_path / f"cache-{number}"))
        before, end = WAYS[rng.choice(list(WAYS))]
        with row.attempt():
            with zapbench("kernel", "build", name, place=tmp_path, before=before) as process:
                time.sleep(rng.uniform(0, 2 * whole))
                end(process)
                _, err = process.communicate()
            no_traceback(err)
            until(lambda: below(cache.root()) == [], "the end of the compilers")
            done(zapbench("kernel", "build", name, place=tmp_path))
            assert build.build(parse(name)).bzimage.read_bytes() == right
    row.survived()
