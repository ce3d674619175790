# SPDX-License-Identifier: GPL-2.0-only
"""The C tests of cbench/tests/: as they are, and under the sanitizers.

Under ThreadSanitizer run those that are about threads.
"""

from collections.abc import Callable, Mapping
from functools import cache

import c_build
import pytest
from places import ROOT

BUILDS = ("plain", "asan", "tsan")
SKIPPED = 77
THREADS = "threads"

Outcomes = Mapping[str, c_build.Outcome]


@pytest.fixture(scope="module")
def outcomes() -> Callable[[str], Outcomes]:
    """What became of all tests of a build, which are run at the first question."""

    @cache
    def run(build: str) -> Outcomes:
        return c_build.run(c_build.build(build), *([THREADS] if build == "tsan" else []))

    return run


@pytest.mark.parametrize(
    ("build", "name"),
    [
        (build, name)
        for build in BUILDS
        for name, suite in c_build.tests().items()
        if build != "tsan" or suite == THREADS
    ],
)
def test_c(
    outcomes: Callable[[str], Outcomes],
    record_property: Callable[[str, object], None],
    build: str,
    name: str,
) -> None:
    found = outcomes(build)[name]
    record_property("c", f"{found.seconds:.2f} s")
    if found.status == SKIPPED:
        pytest.skip(found.output)
    assert found.status == 0, found.output


def test_every_c_file_is_in_the_table() -> None:
    files = {path.stem for path in (ROOT / "cbench/tests").glob("*.c")}
    assert set(c_build.tests()) == files
