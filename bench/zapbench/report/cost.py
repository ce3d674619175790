# SPDX-License-Identifier: GPL-2.0-only
"""What the methods cost at equal end states, what they cost besides, and who needs MADV_ZAP."""

from collections.abc import Iterable, Sequence

from zapbench import text
from zapbench.case import Promise, methods, promises, size_text
from zapbench.chart.contract import KEPT, UNKNOWN, Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.report.answer import loss_text, losses_of, where_text
from zapbench.report.document import (
    Block,
    Bullets,
    Cell,
    Grid,
    Heading,
    Section,
    Text,
)
from zapbench.report.pictures import picture
from zapbench.report.study import LOSSES, Group, Place, Study, by_reason, place_text

WORKLOAD = "cycle"
CHARTS = ("contract", "cycle", "heat")


def costs(study: Study) -> Section | None:
    """The contract matrix next to the cost of a cycle, by group."""
    blocks: list[Block] = []
    for index, group in enumerate(study.groups):
        part = _group_costs(group, index)
        if part:
            blocks += [Heading(group.name), *part]
    if not blocks:
        return None
    lead = Text(
        "Medians of one cycle (drop, trap, resolve, touch every page) with the 95 % interval of "
        "the boots' medians, and as a multiple (×) of the reference's. ≠ marks a method of another "
        "end state: shown for scale, never ranked."
    )
    return Section("cost", "Contract and cost of a cycle", (lead, *blocks))


def _group_costs(group: Group, index: int) -> list[Block]:
    blocks: list[Block] = []
    places = group.headline(WORKLOAD)
    if places or group.kept:
        blocks.append(_beside(group, places))
    for kind in CHARTS:
        said = {
            "contract": "A matrix of methods by promises for each kind of mapping. Lost: "
            + _lost_text(group),
            "cycle": f"Bars with intervals. {_costs_text(group, places)}",
            "heat": f"Methods by places. {_costs_text(group, places)}",
        }[kind]
        blocks += picture(group, kind, said, f"{kind}-{index + 1}-{group.kernel}-{group.tier}")
    return blocks


def _costs_text(group: Group, places: Iterable[Place]) -> str:
    """The cheapest at each place, in words."""
    said = [
        f"{place_text(place)}: {best} {text.full_cost(each.median, group.unit)}"
        for place in places
        if (best := group.cheapest(WORKLOAD, place)) is not None
        and (each := group.cost(WORKLOAD, best, place)) is not None
    ]
    return f"Cheapest at equal end states: {'; '.join(said) or 'none'}. The table has all figures."


def _lost_text(group: Group) -> str:
    found = losses_of([group])
    said = [f"{method}: {text.listed(list(lost))}" for method, lost in found.items() if lost]
    return f"{'; '.join(said) or 'nothing by the methods of the same end state'}."


def _beside(group: Group, places: Sequence[Place]) -> Grid:
    """Methods with the event, what they lose, and their cost at each place."""
    named = [name for name in methods() if _known(group, name, places)]
    base = group.reference
    missing = "" if base == SUBJECT else f"; {SUBJECT} was not measured here"
    caption = (
        f"{group.name}: what is lost, and the cost of a cycle in {_unit(group)}, "
        f"{group.boots_text}; × {base}{missing}"
    )
    columns = ("method", "loses", *(place_text(place) for place in places))
    rows = []
    for name in named:
        differs = methods()[name].differs is not None or any(
            not group.equivalent(WORKLOAD, name, place)
            for place in places
            if group.cost(WORKLOAD, name, place) is not None
        )
        mark = "≠ " if differs else ""
        cells = [_cost_cell(group, name, place, base) for place in places]
        rows.append((Cell(mark + name), _loses_cell(group, name), *cells))
    return Grid(caption, columns, tuple(rows))


def _unit(group: Group) -> str:
    return "time" if group.unit == "ns" else group.unit


def _known(group: Group, name: str, places: Iterable[Place]) -> bool:
    measured = any(group.cost(WORKLOAD, name, place) is not None for place in places)
    return measured or any(name in words for words in group.kept.values())


def _cost_cell(group: Group, method: str, place: Place, base: str) -> Cell:
    each = group.cost(WORKLOAD, method, place)
    if each is None:
        return Cell(text.NONE, None, "num")
    lines = [text.full_cost(each.median, group.unit)]
    bounds = each.interval
    if bounds is not None and bounds[1] > bounds[0] * 1.0005:
        lines.append(f"[{text.between(*bounds, group.unit, ', ')}]")
    found = group.ratio(WORKLOAD, method, place, base)
    if found is not None and method != base:
        lines.append(text.times(found.value))
        if found.low is not None and found.high is not None and found.high > found.low * 1.005:
            lines[-1] += f" {text.ratio_interval(found.low, found.high)}"
    return Cell("\n".join(lines), text.rounded(each.median), "num")


def _loses_cell(group: Group, method: str) -> Cell:
    """What was lost anywhere, by the method's own contract."""
    lost: dict[str, None] = {}
    seen = False
    for words in group.kept.values():
        seen |= method in words
        found = words.get(method, {})
        lost |= dict.fromkeys(name for name in found if found[name] in LOSSES)
    if not seen:
        return Cell("not checked")
    return Cell(", ".join(lost), len(lost), "lost") if lost else Cell("nothing", 0, "kept")


def beyond(study: Study) -> Section | None:
    """What a workaround costs that no count of instructions shows."""
    named = [
        name
        for name in methods()
        if any(name in words for group in study.groups for words in group.kept.values())
    ]
    if not named:
        return None
    seen = _besides()
    columns = ("method", *(each.cost or "" for each in seen), "lock", "hole")
    rows = []
    for name in named:
        method = methods().get(name)
        lock, hole = (method.lock, method.hole) if method else (None, None)
        kept = [_beside_cell(study, name, promise) for promise in seen]
        rows.append((Cell(name), *kept, Cell(lock or text.NONE), Cell(hole or text.NONE)))
    caption = "Seen on the kernels of this report; locks and holes from their sources"
    legend = Bullets(tuple(f"{each.cost}: {each.summary}" for each in seen))
    lead = Text(
        "Each method was made to do its work on ranges with private pages, markers, "
        "registrations and readers of events; where it changed them, the mapping is named. "
        "Write locks stop every page fault of the process that needs the mmap_lock; what "
        "waiting for locks costs is not in a single-threaded figure."
    )
    return Section(
        "beyond",
        "What a workaround costs beyond instructions",
        (lead, Grid(caption, columns, tuple(rows)), legend),
    )


def _besides() -> list[Promise]:
    """The promises whose loss is a cost besides instructions; what is sent comes first."""
    found = [each for each in promises().values() if each.cost is not None]
    return sorted(found, key=lambda each: not each.events)


def _beside_cell(study: Study, method: str, promise: Promise) -> Cell:
    lost: set[Mapped] = set()
    kept = 0
    for group in study.groups:
        for place, words in group.kept.items():
            word = words.get(method, {}).get(promise.name, UNKNOWN)
            if word in LOSSES:
                lost.add(place)
            kept += word == KEPT
    if not lost:
        return Cell(promise.cost_kept if kept else "untested", None, "kept" if kept else "")
    where = f" ({where_text(lost)})" if kept else ""
    return Cell(promise.cost_lost + where, None, "lost")


def solid(study: Study) -> Section | None:
    """Where MADV_ZAP is not needed, and what is against the others."""
    losses = losses_of(study.groups)
    rivals = {method: lost for method, lost in losses.items() if method != SUBJECT}
    if not rivals:
        return None
    against = f"that {SUBJECT} keeps" if study.with_subject else "that was checked"
    bullets = []
    for method, lost in sorted(rivals.items(), key=lambda item: len(item[1])):
        if not lost:
            bullets.append(f"{method} kept all {against}: it works solidly.")
            continue
        by_place = by_reason((where_text(places), loss_text(name)) for name, places in lost.items())
        what = "; ".join(f"{text.listed(names)} ({where})" for where, names in by_place.items())
        bullets.append(f"{method} {what}; but for that it works solidly.")
    rows = [row for group in study.groups for row in _solid_rows(group)]
    columns = ("kernel", "mapping", "method", "loses", "cost of a cycle, × reference", "verdict")
    grid = Grid("Methods of the same end state, by kernel and mapping", columns, tuple(rows))
    lead = Text(
        "A workaround works solidly where it reaches the same end state and loses nothing "
        f"{against}. There MADV_ZAP is not needed, unless it is much cheaper."
    )
    return Section(
        "solid",
        "Where a workaround works, and MADV_ZAP is not needed",
        (lead, Bullets(tuple(bullets)), grid),
    )


def _solid_rows(group: Group) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for backing, page_size in group.kept:
        places = [p for p in group.places(WORKLOAD, minor=True) if p[:2] == (backing, page_size)]
        for method in methods():
            fair = any(group.equivalent(WORKLOAD, method, place) for place in places)
            lost = group.lost(method, backing, page_size)
            if not fair or lost is None or method == SUBJECT:
                continue
            found = [group.ratio(WORKLOAD, method, place, group.reference) for place in places]
            values = [ratio.value for ratio in found if ratio is not None]
            cost = text.NONE
            if values and method != group.reference:
                cost = f"{text.span(values, text.ratio)} × {group.reference}"
            rows.append(
                (
                    Cell(group.name),
                    Cell(f"{backing}, {size_text(page_size)} pages"),
                    Cell(method),
                    Cell(", ".join(lost) or "nothing", len(lost), "lost" if lost else "kept"),
                    Cell(cost, max(values, default=None), "num"),
                    Cell("loses something" if lost else "works solidly"),
                )
            )
    return rows
