# SPDX-License-Identifier: GPL-2.0-only
"""What a report is made from: streams of records, verdicts of a gate, histories.

It is read from result directories, or again from a report: what is written next to the page is
all that the page was made from.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from zapbench.chart.trend import History, HistoryPoint, Step
from zapbench.error import SchemaError, UsageError
from zapbench.host.file import readable
from zapbench.record import Context, Record, Run, load, published
from zapbench.result.request import Asked, kept
from zapbench.result.store import RECORDS, recorded

ABOUT = "report.json"
_PATH = re.compile(r"(?<![\w.+/=-])(?:/[\w.+@~-]+)+/([\w.+@~-]+)")
# Boot parameters that bear on what is measured; the others are the machine's own affair.
_PARAMETERS = re.compile(
    r"(?:mitigations|spectre\w*|spec_\w+|retbleed|mds|tsx|pti|nopti|kpti|nokaslr|norandmaps|nosmt"
    r"|isolcpus|nohz|nohz_full|rcu_nocbs|rcupdate\.\w+|irqaffinity|idle|maxcpus|nr_cpus|mem"
    r"|intel_pstate|amd_pstate|cpufreq\.\w+|processor\.max_cstate|intel_idle\.max_cstate"
    r"|transparent_hugepage\w*|thp_\w+|hugepages|hugepagesz|default_hugepagesz|numa\w*|clocksource"
    r"|tsc|nolapic_timer|noapic|preempt|threadirqs|init_on_alloc|init_on_free|slub_debug"
    r"|page_poison|debug_pagealloc|cgroup\w*|psi|quiet|loglevel|brd\.\w+|sysctl\.vm\.\w+)(?:=.*)?"
)


@dataclass(frozen=True, slots=True)
class Stream:
    """What one boot wrote, from its context on; not ``whole``: it was cut off."""

    records: tuple[Record, ...]
    whole: bool

    @property
    def context(self) -> Context:
        """The first record."""
        first = self.records[0]
        assert isinstance(first, Context)
        return first


Key = tuple[str, str, str, str]


@dataclass(frozen=True, slots=True)
class Material:
    """All that a report is made from; ``notes`` name sources that gave nothing, and why.

    ``asked`` is what was asked for by the one `run` that measured what has a key; see
    `stream_key`.
    """

    title: str
    streams: tuple[Stream, ...] = ()
    notes: tuple[str, ...] = ()
    asked: Mapping[Key, Asked] = field(default_factory=dict)
    gates: tuple[Mapping[str, Any], ...] = ()
    histories: tuple[Mapping[str, Any], ...] = ()


@dataclass(slots=True)
class _Gathering:
    streams: list[Stream] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    asked: dict[Key, list[Asked | None]] = field(default_factory=dict)
    gates: list[Mapping[str, Any]] = field(default_factory=list)
    histories: list[Mapping[str, Any]] = field(default_factory=list)


def read(directories: Sequence[Path], title: str) -> Material:
    """Read result directories; boots of the same place in another directory get new numbers.

    Raises:
        UsageError: one is no directory.
        SchemaError: a record file in one is damaged.
    """
    found = _Gathering()
    boots: dict[Key, int] = {}
    for directory in directories:
        if not directory.is_dir():
            raise UsageError(f"{directory} is no directory; name one that `run` wrote")
        _read_json(directory, found)
        streams = _streams(directory, found.notes)
        found.streams += _renumbered(streams, boots)
        request = kept(directory)
        asked = request[1] if request is not None and request[0] == "run" else None
        for key in dict.fromkeys(stream_key(stream.context) for stream in streams):
            found.asked.setdefault(key, []).append(asked)
    return Material(
        title,
        tuple(found.streams),
        tuple(found.notes),
        {key: asked for key, (asked, *more) in found.asked.items() if asked and not more},
        tuple(found.gates),
        tuple(found.histories),
    )


def read_again(report: Path) -> Material:
    """Read what a report was made from, from the report.

    Raises:
        UsageError: it is none.
    """
    try:
        about = json.loads((report / ABOUT).read_text(encoding="utf-8"))
        title, notes = str(about["title"]), tuple(str(note) for note in about["notes"])
        asked = dict(_asked(each) for each in about.get("asked", ()))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise UsageError(f"{report} is no report: it has no readable {ABOUT}") from error
    again = read([report], title)
    return Material(title, again.streams, notes, asked, again.gates, again.histories)


def _asked(written: Mapping[str, Any]) -> tuple[Key, Asked]:
    kernel, tier, machine, unit = map(str, written["of"])
    globs = tuple(map(str, written["globs"]))
    return (kernel, tier, machine, unit), Asked(globs=globs, quick=bool(written["quick"]))


def _streams(directory: Path, notes: list[str]) -> list[Stream]:
    path = directory / RECORDS
    if not recorded(directory):
        if not any(directory.glob("*.json")):
            name = readable(directory.name)
            notes.append(f"{name} holds no {RECORDS}: nothing was measured there")
        return []
    streams = list(split(load(path).records))
    if not streams:
        notes.append(f"{readable(directory.name)} holds no finished measurement")
    return streams


def split(records: Iterable[Record]) -> Iterator[Stream]:
    """The streams in a file of records, made ready to be published."""
    stream: list[Record] = []
    for record in records:
        if isinstance(record, Context) and stream:
            yield Stream(tuple(stream), _ended(stream))
            stream = []
        stream.append(published(record, without_directories, parameters))
    if stream:
        yield Stream(tuple(stream), _ended(stream))


def _ended(stream: Sequence[Record]) -> bool:
    return type(stream[-1]).__name__ == "End"


def without_directories(text: str) -> str:
    """Text without directories, which are a machine's own affair, or control characters."""
    printable = "".join(c if c.isprintable() else "\ufffd" for c in text)
    return _PATH.sub(r"\1", printable)


def parameters(context: Context) -> str:
    """The boot parameters that bear on what is measured; those of a virtual machine are ours."""
    known, _, _ = context.cmdline.partition(" -- ")
    if context.run.tier != "native":
        return without_directories(known)
    return " ".join(word for word in known.split() if _PARAMETERS.fullmatch(word))


def _renumbered(
    streams: Sequence[Stream], boots: dict[tuple[str, str, str, str], int]
) -> Iterator[Stream]:
    """Number the boots of each place on from those of the directories before."""
    before = dict(boots)
    for stream in streams:
        key = stream_key(stream.context)
        first = before.get(key, 0)
        boots[key] = max(boots.get(key, 0), first + stream.context.run.boot + 1)
        if first == 0:
            yield stream
            continue
        run = stream.context.run
        moved = Run(run.kernel, run.tier, run.boot + first)
        yield Stream(tuple(published(record, run=moved) for record in stream.records), stream.whole)


def stream_key(context: Context) -> Key:
    """What figures must share to be compared: kernel, tier, machine (its CPU) and unit."""
    return (context.run.kernel, context.run.tier, context.cpu, context.unit)


def _read_json(directory: Path, found: _Gathering) -> None:
    """Take up the verdicts of gates and the histories that lie in a directory."""
    for path in sorted(directory.glob("*.json")):
        if path.name == ABOUT:
            continue
        try:
            data = json.loads(path.read_text(encoding="utf-8"))
        except (OSError, ValueError) as error:
            raise SchemaError(f"{path} is no JSON: {error}") from error
        if isinstance(data, dict) and isinstance(data.get("checks"), list):
            found.gates.append(_clean(data))
        elif isinstance(data, dict) and isinstance(data.get("histories"), list):
            histories(data, str(path))  # complain now
            found.histories.append(_clean(data))


def _clean(data: Any) -> Any:
    """JSON as it may be published: strings without directories."""
    if isinstance(data, dict):
        return {without_directories(str(key)): _clean(value) for key, value in data.items()}
    if isinstance(data, list):
        return [_clean(value) for value in data]
    return without_directories(data) if isinstance(data, str) else data


def histories(data: Mapping[str, Any], source: str = "history") -> list[History]:
    """The histories of a JSON file.

    ``{"measured": text, "histories": [{"case": , "unit": , "points": [{"label": , "value": ,
    "low": , "high": }], "steps": [{"label": , "ratio": }]}]}``; low and high may be missing.

    Raises:
        SchemaError: it is not of that form.
    """
    try:
        return [
            History(
                case=str(each["case"]),
                unit=str(each["unit"]),
                points=tuple(_point(point) for point in each["points"]),
                steps=tuple(
                    Step(str(step["label"]), float(step["ratio"])) for step in each.get("steps", ())
                ),
            )
            for each in data["histories"]
        ]
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SchemaError(
            f"{source} is no history of cases with labelled points: {error!r}"
        ) from error


def _point(point: Mapping[str, Any]) -> HistoryPoint:
    low, high = point.get("low"), point.get("high")
    bounds = (None, None) if low is None or high is None else (float(low), float(high))
    return HistoryPoint(str(point["label"]), float(point["value"]), *bounds)
