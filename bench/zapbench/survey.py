# SPDX-License-Identifier: GPL-2.0-only
"""All that a machine can say about the methods: timed, counted, related, drawn and reported."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench.case import choose
from zapbench.error import EnvironmentMissing, Interrupted, UsageError, ZapbenchError
from zapbench.observer import Observer
from zapbench.record import only_writer
from zapbench.result.bridge import Bridge, build_bridge
from zapbench.result.request import Asked, Request, again, going_on, in_place, keep, settled
from zapbench.result.store import (
    RESULTS,
    Results,
    claimed,
    forget,
    latest_directory,
    recorded,
)
from zapbench.run import RunResult, run
from zapbench.where import check_kernel

REPORT, TITLE = "report", "Dropping page-table entries, natively and counted"
LACKING = -1  # less than any exit status: what a machine lacks is no failure
NATIVE, ICOUNT = "native", "icount"
NUMBERED = ("survey", "quick")


@dataclass(frozen=True, slots=True)
class Survey:
    """What came of it: the exit status, and where charts and report are."""

    status: int
    directory: Path
    bridge: Bridge | None
    page: Path


def survey(
    request: Request, kernel: str, observer: Observer, show: Callable[[RunResult], int]
) -> Survey:
    """Measure both parts, and draw what the results allow.

    ``kernel`` is for the part that is counted, if none is asked for; ``show`` gives the exit
    status of each part, or raises what went wrong in it.

    Raises:
        EnvironmentMissing: this machine lacks something for either part, or another survey
            writes into the directory.
        UsageError: the request is wrong.
        Interrupted: by a signal.
    """
    asked, directory = request.asked, request.directory
    if request.resume:
        directory = directory or latest_directory(RESULTS, *NUMBERED)
        asked = going_on(directory, "survey", asked)
    choose(asked.globs, quick=True)  # what is wrong is said before a directory is made
    with in_place(asked):
        check_kernel(asked.kernel or kernel)
    if not request.resume:
        directory = claimed(directory, *NUMBERED)
    assert directory is not None
    with only_writer(directory), in_place(asked) as moved:
        directory = moved / directory if moved else directory
        asked = settled(asked, kernel=asked.kernel or kernel)
        keep(directory, "survey", asked)
        parts = {
            NATIVE: settled(asked, target="native", kernel=None),
            ICOUNT: settled(asked, target="vm", accel="icount"),
        }
        go_on = again("survey", directory)
        statuses = [
            _measured(directory / name, part, go_on, observer, show) for name, part in parts.items()
        ]
        if statuses == [LACKING] * len(parts):
            forget(directory)
            raise EnvironmentMissing("neither part could be measured on this machine, see above")
        places = [directory / name for name in parts]
        found = {place.name: Results(place) for place in places if recorded(place)}
        return _drawn(found, directory, max(statuses), observer)


def _measured(
    where: Path, asked: Asked, go_on: str, observer: Observer, show: Callable[[RunResult], int]
) -> int:
    """Measure one part; its status, or `LACKING` when this machine lacks what it needs.

    Raises:
        Interrupted: by a signal; the message says how to ``go_on``.
    """
    try:
        outcome = run(Request(asked, where, recorded(where)), observer)
        return show(replace(outcome, again=outcome.again and go_on))
    except (Interrupted, KeyboardInterrupt) as error:
        said = str(error) or "interrupted"
        raise Interrupted(said if go_on in said else f"{said}; go on with: {go_on}") from error
    except ZapbenchError as error:
        observer.note(f"{where.name}: {error}")
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
