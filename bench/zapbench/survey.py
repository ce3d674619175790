# SPDX-License-Identifier: GPL-2.0-only
"""All that a machine can say about the methods: timed, counted, related, drawn and reported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.error import EnvironmentMissing, Interrupted, UsageError, ZapbenchError
from zapbench.observer import Observer
from zapbench.result.bridge import Bridge, build_bridge
from zapbench.result.store import (
    RESULTS,
    Results,
    free_directory,
    latest_directory,
    recorded,
)
from zapbench.run import RunRequest, RunResult, run

REPORT, TITLE = "report", "Dropping page-table entries, natively and counted"
LACKING = -1  # less than any exit status: what a machine lacks is no failure
NATIVE, ICOUNT = "native", "icount"


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of it: the exit status, and where charts and report are."""

    status: int
    directory: Path
    bridge: Bridge | None
    page: Path


def survey(
    request: RunRequest, kernel: str, observer: Observer, show: Callable[[RunResult], int]
) -> Survey:
    """Measure both parts, and draw what the results allow.

    ``kernel`` is for the part that is counted, the rest of ``request`` for both; ``show`` gives
    the exit status of each part, or raises what went wrong in it.

    Raises:
        EnvironmentMissing: this machine lacks something for either part.
        UsageError: the request is wrong.
        Interrupted: by a signal.
    """
    directory = request.directory
    if directory is None:
        numbered = latest_directory if request.resume else free_directory
        directory = numbered(RESULTS, "survey", "quick")
    places = {
        NATIVE: replace(request, target="native"),
        ICOUNT: replace(request, target="vm", kernel=kernel, accel="icount"),
    }
    statuses: list[int] = []
    for name, each in places.items():
        where = directory / name
        begun = request.resume and recorded(where)
        part = replace(each, directory=where, resume=begun, quick=True)
        statuses.append(_measure(name, part, observer, show, first=not statuses))
    if statuses == [LACKING] * len(places):
        raise EnvironmentMissing("neither part could be measured on this machine, see above")
    found = {name: Results(directory / name) for name in places if recorded(directory / name)}
    return _drawn(found, directory, max(statuses), observer)


def _measure(
    name: str,
    request: RunRequest,
    observer: Observer,
    show: Callable[[RunResult], int],
    *,
    first: bool,
) -> int:
    """Run one part; return its status, or `LACKING` when this machine lacks what it needs.

    Raises:
        Interrupted: by a signal.
        UsageError: the request is wrong; told by the first part, before anything was done.
    """
    try:
        return show(run(request, observer))
    except ZapbenchError as error:
        if isinstance(error, Interrupted) or (first and isinstance(error, UsageError)):
            raise
        observer.note(f"{name}: {error}")
        return LACKING if isinstance(error, EnvironmentMissing) else error.exit_code


def _drawn(found: Mapping[str, Results], where: Path, status: int, observer: Observer) -> Survey:
    """Write the charts and the report that the results allow."""
    from zapbench import chart, report  # matplotlib takes its time

    for name, results in found.items():
        try:
            figure = chart.draw(results, "cycle")
        except UsageError as error:  # other cases were asked for
            observer.note(str(error))
            continue
        for suffix in chart.SUFFIXES:
            chart.save(figure, where / f"{name}-cycle{suffix}")
    bridge = None
    if len(found) > 1:
        try:
            bridge = build_bridge(found[NATIVE], found[ICOUNT])
        except UsageError as error:
            observer.note(str(error))
        else:
            figure = chart.draw_bridge(bridge)
            for suffix in chart.SUFFIXES:
                chart.save(figure, where / f"bridge{suffix}")
    page = report.make([results.directory for results in found.values()], where / REPORT, TITLE)
    return Survey(status, where, bridge, page / "index.html")
