# SPDX-License-Identifier: GPL-2.0-only
"""The contract matrix: what each method was seen to keep and to lose."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle

from zapbench.case import Case, backings, methods, promises, size_text
from zapbench.chart.heat import mixed
from zapbench.chart.palette import BLACK, GREY, INK, VERMILION
from zapbench.chart.sheet import Sheet, where
from zapbench.error import UsageError
from zapbench.record import Contract, Seen
from zapbench.result.store import Results

SIGNS = {
    Seen.KEPT: "✓",
    Seen.LOST: "✗",
    Seen.BROKEN: "!!",
    Seen.NOT_TRIED: "?",
    Seen.NOTHING: "—",
}
_LOOKS: dict[Seen, dict[str, Any]] = {
    Seen.KEPT: {"facecolor": mixed(0.25), "edgecolor": "none"},
    Seen.LOST: {"linewidth": 1.0, **VERMILION.outline},
    Seen.BROKEN: {"linewidth": 0, **VERMILION.look},
    Seen.NOT_TRIED: {"facecolor": "none", "edgecolor": "none"},
    Seen.NOTHING: {"facecolor": "none", "edgecolor": "none"},
}
WIDE = 16  # promises: two panels of more do not fit on a page
_INK = {
    Seen.KEPT: BLACK,
    Seen.LOST: INK,
    Seen.BROKEN: BLACK,
    Seen.NOT_TRIED: BLACK,
    Seen.NOTHING: GREY,
}

Mapped = tuple[str, int]  # what is mapped: backing, page size


def seen(contracts: Iterable[Contract]) -> dict[Mapped, dict[str, dict[str, Seen]]]:
    """Words by mapping, method and promise, in the order of the tables; the worst of all boots."""
    worst = list(Seen)
    found: dict[Mapped, dict[str, dict[str, Seen]]] = defaultdict(lambda: defaultdict(dict))
    for contract in contracts:
        words = found[contract.backing, contract.page_size][contract.method]
        for name, promise in contract.promises.items():
            now = promise.seen
            if now is Seen.NOT_TRIED and Case.parse(contract.case).lacks(name):
                now = Seen.NOTHING  # which older records do not tell
            words[name] = max(now, words.get(name, now), key=worst.index)
    known = list(backings())
    order = {name: index for index, name in enumerate(methods())}
    return {
        place: dict(sorted(found[place].items(), key=lambda row: order.get(row[0], len(order))))
        for place in sorted(
            found, key=lambda p: (known.index(p[0]) if p[0] in known else len(known), p)
        )
    }


def draw_contract(results: Results) -> Figure:
    """A panel for each kind of mapping: methods by promises, signs and colours.

    Raises:
        UsageError: the result holds no contract.
    """
    matrices = seen(results.recording.of(Contract))
    if not matrices:
        raise UsageError(f"{results.directory} holds no contract; `zapbench run` checks them")
    tall = max(map(len, matrices.values()))
    names = checked(matrices)
    beside = 2 if len(names) <= WIDE else 1
    sheet = Sheet(len(matrices), beside, len(names) * 0.27, tall * 0.2, 1.05, above=0.95, below=0.1)
    said = f"{where(results)}; " + ", ".join(f"{SIGNS[name]} {name}" for name in SIGNS)
    figure = sheet.figure("What each method was seen to keep", said)
    for index, (mapped, rows) in enumerate(matrices.items()):
        _draw_panel(sheet.axes(figure, index), mapped, rows, names, tall)
    return figure


def checked(matrices: Mapping[Mapped, Mapping[str, Mapping[str, Seen]]]) -> list[str]:
    """The promises that were checked when these were seen, in the order of the table."""
    known = {name for rows in matrices.values() for words in rows.values() for name in words}
    return [name for name in promises() if name in known]


def _draw_panel(
    axes: Axes,
    mapped: Mapped,
    rows: Mapping[str, Mapping[str, Seen]],
    names: Sequence[str],
    tall: int,
) -> None:
    backing, page_size = mapped
    for y, words in enumerate(rows.values()):
        for x, name in enumerate(names):
            said = words.get(name, Seen.NOT_TRIED)
            axes.add_patch(
                Rectangle((x - 0.44, y - 0.44), 0.88, 0.88, clip_on=False, **_LOOKS[said])
            )
            axes.text(x, y, SIGNS[said], ha="center", va="center", size=7, **_INK[said].look)
    axes.set(xlim=(-0.5, len(names) - 0.5), ylim=(tall - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), list(rows))
    axes.set_xticks(range(len(names)), names, rotation=60, ha="left")
    axes.xaxis.tick_top()
    axes.tick_params(length=0, labelsize=7, pad=1)
    title = f"{backing}, {size_text(page_size)} pages"
    axes.set_title(title, loc="left", weight="bold", pad=2)
    for spine in axes.spines.values():
        spine.set_visible(False)
