# SPDX-License-Identifier: GPL-2.0-only
"""Charts as blocks of a report."""

import re
from collections.abc import Sequence
from typing import Any

from zapbench import chart
from zapbench.chart.trend import History
from zapbench.error import UsageError
from zapbench.host.scratch import scratch
from zapbench.report.document import Picture
from zapbench.report.study import Group
from zapbench.report.svg import cleaned
from zapbench.result.bridge import Bridge


def slug(text: str) -> str:
    """Text as a part of a file name."""
    return re.sub(r"[^a-z0-9.]+", "-", text.lower()).strip("-.") or "x"


def picture(group: Group, kind: str, said: str, file: str) -> list[Picture]:
    """One of `zapbench.chart.CHARTS` of a group; nothing if it has no such figures."""
    try:
        drawn = chart.draw(group.results, kind)
    except UsageError:  # these results have nothing to draw of that kind
        return []
    title = f"{chart.CHARTS[kind].summary}: {group.name}"
    return [_made(drawn, file, title, said)]


def bridge_picture(bridge: Bridge, file: str, said: str) -> Picture:
    """Counted against timed."""
    return _made(chart.draw_bridge(bridge), file, "counted instructions against time", said)


def history_picture(histories: Sequence[History], said: str, file: str) -> list[Picture]:
    """Costs over kernels; nothing if no case has two points."""
    try:
        drawn = chart.draw_kernels(histories, said)
    except UsageError:  # one kernel is no history
        return []
    text = f"Costs of {len(histories)} cases over kernels ({said}); the table below has the steps."
    return [_made(drawn, file, "costs over kernels", text)]


def _made(drawn: Any, file: str, title: str, said: str) -> Picture:
    name = f"{slug(file)}.svg"
    with scratch("picture") as place:
        path = place / name
        chart.save(drawn, path)
        text = path.read_text(encoding="utf-8")
    return Picture(name, title, said, cleaned(text, name.removesuffix(".svg"), title, said))
