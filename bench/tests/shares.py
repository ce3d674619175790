# SPDX-License-Identifier: GPL-2.0-only
"""How the tests are shared out to processes that run at the same time (pytest-xdist).

A file goes to one process, which makes its fixtures once.  All that is in `MACHINE` goes to one
process, too: no two such tests run at once.
"""

import os
from typing import TYPE_CHECKING

import pytest
from places import ROOT, TESTS
from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from xdist.remote import Producer

MACHINE = (
    "campaign/test_turn.py",
    "cli/test_doctor.py",
    "cli/test_run_ended.py",
    "cli/test_streams.py::test_printing_never_fails[doctor --restore",
    "host/test_settings.py",
    "program/test_c.py",
    "program/test_independent.py",
    "program/test_minor_fault.py",
    "program/test_orders.py",
    "program/test_reclaim.py",
    "program/test_rows.py",
    "program/test_sanitizers.py",
    "repository/test_contributing.py::test_the_row_alone",
    "test_target.py",
    "torture/test_kills.py::test_native",
    "torture/test_together.py::test_one_directory",
    "torture/test_together.py::test_one_machine",
)
"""Tests, by how their names begin, that change settings of this machine, fail while another does,
compare times, or build what others build in the same place."""


def of_machine(nodeid: str) -> bool:
    """Is a test in that table?"""
    return nodeid.removeprefix(f"{TESTS.relative_to(ROOT)}/").startswith(MACHINE)


class Shares(LoadFileScheduling):  # type: ignore[misc]
    """What goes to one process: a file, but for what is in the table."""

    def _split_scope(self, nodeid: str) -> str:
        return "" if of_machine(nodeid) else str(super()._split_scope(nodeid))


def pytest_xdist_make_scheduler(config: pytest.Config, log: "Producer") -> Shares:
    """Called by pytest-xdist, once."""
    return Shares(config, log)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with what takes longest: the table, and what boots kernels."""
    if "PYTEST_XDIST_WORKER" in os.environ:
        items.sort(
            key=lambda item: (not of_machine(item.nodeid), not item.get_closest_marker("kernel"))
        )
