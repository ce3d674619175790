# SPDX-License-Identifier: GPL-2.0-only
"""Fixtures that more than one test file uses."""

import os
import signal
import subprocess
from collections.abc import Callable, Generator, Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import hypothesis
import pytest
import tally
from limits import seconds

from zapbench.uffd import probe_userfaultfd

if TYPE_CHECKING:
    from browser import Browser

# A shell that starts the tests in the background, or nohup, has them and all that they start
# ignore these.
for number, default in (
    (signal.SIGINT, signal.default_int_handler),
    (signal.SIGHUP, signal.SIG_DFL),
):
    if signal.getsignal(number) is signal.SIG_IGN:
        signal.signal(number, default)

# An example that takes long says something of the machine, not of the code.
hypothesis.settings.register_profile("any machine", deadline=None)
hypothesis.settings.load_profile("any machine")

FAULTS = pytest.StashKey[list[tally.Fault]]()

pytest_plugins = [
    "gate_boots",
    "kernel_project",
    "made_bridge",
    "rebooted",
    "reported",
    "shares",
    "toy_build",
    "toy_commits",
    "toy_history",
    "toy_project",
]


@pytest.hookimpl(tryfirst=True, wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Generator[None, object, object]:
    """Scale the limit of a test to the machine, when it starts."""
    if item.config.getoption("timeout") is None:
        marker = item.get_closest_marker("timeout")
        idle = float(marker.args[0] if marker else item.config.getini("timeout"))
        item.add_marker(pytest.mark.timeout(seconds(idle)), append=False)
    return (yield)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> None:
    """Pass the rows of the table of faults on to the process that prints it."""
    if call.when == "call" and hasattr(item.config, "workerinput"):  # of pytest-xdist
        item.user_properties += [("fault", each.row()) for each in item.stash.get(FAULTS, [])]


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """A line for each C test, with the reason if it was skipped, and the table of faults."""
    lines, faults = [], [each.row() for each in terminalreporter.config.stash.get(FAULTS, [])]
    for outcome in ("passed", "skipped", "failed"):
        for report in terminalreporter.getreports(outcome):
            faults += [row for key, row in report.user_properties if key == "fault"]
            for key, took in report.user_properties:
                name = report.nodeid.rpartition("[")[2].rstrip("]")
                why = report.longrepr[2] if outcome == "skipped" else ""
                lines += [f"{name:<24}{outcome:<9}{took:>9}  {why}"] if key == "c" else []
    if lines:
        terminalreporter.section("C tests")
        for line in sorted(lines):
            terminalreporter.write_line(line.rstrip())
    if faults:
        terminalreporter.section("torture")
        for line in tally.table(faults):
            terminalreporter.write_line(line)


@pytest.fixture(scope="session")
def require() -> Callable[[object, str], None]:
    """``require(condition, reason)``: go on only if it holds.

    Continuous integration (``CI=true``) has all that the tests need, so there a missing thing
    fails the test that an ordinary machine would skip.
    """

    def check(condition: object, reason: str) -> None:
        if condition:
            return
        if os.environ.get("CI") == "true":
            pytest.fail(reason, pytrace=False)
        pytest.skip(reason)

    return check


@pytest.fixture
def fault(request: pytest.FixtureRequest) -> tally.Faults:
    """Makes rows of the table of faults."""

    def row(name: str) -> tally.Fault:
        made = tally.Fault(name)
        for place in (request.config, request.node):
            place.stash.setdefault(FAULTS, []).append(made)
        return made

    return row


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 256 KiB; needs root."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small tmpfs needs root")
    place = tmp_path / "small"
    place.mkdir()
    subprocess.run(
        ["mount", "-t", "tmpfs", "-o", "size=256k", "tmpfs", str(place)],
        check=True,
        timeout=seconds(60),
    )
    try:
        yield place
    finally:
        subprocess.run(["umount", "-l", str(place)], check=True, timeout=seconds(60))


@pytest.fixture(scope="session")
def userfaultfd() -> None:
    """Skip where the host grants no userfaultfd: nothing that can be installed fixes that."""
    if not probe_userfaultfd().route:
        pytest.skip("this host grants no userfaultfd")


@pytest.fixture(scope="module")
def browser(require: Callable[[object, str], None]) -> "Iterator[Browser]":
    """A Chromium without a network; it lives no longer than a module, as does its event loop."""
    from browser import start

    with start(require) as running:
        yield running
