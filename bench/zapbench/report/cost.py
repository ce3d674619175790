# SPDX-License-Identifier: GPL-2.0-only
"""What the methods cost at equal end states, what they cost besides, and who needs MADV_ZAP."""

from collections.abc import Iterable, Sequence
from operator import attrgetter

from zapbench import text
from zapbench.case import Promise, methods, promises, size_text
from zapbench.chart.contract import Mapped
from zapbench.chart.cost import SUBJECT
from zapbench.record import Seen
from zapbench.report.document import (
    Block,
    Bullets,
    Cell,
    Grid,
    Heading,
    Section,
    Text,
)
from zapbench.report.evidence import (
    against,
    differences,
    evidence,
    loss_text,
    unlooked_text,
    where_text,
)
from zapbench.report.pictures import picture
from zapbench.report.study import LOSSES, Group, Place, Study, place_text

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
    if not any(group.headline(WORKLOAD) for group in study.groups):
        lead = Text("What each method was seen to lose. ≠ marks a method of another end state.")
        return Section("cost", "Contract", (lead, *blocks, *_legend(study)))
    lead = Text(
        "Medians of one cycle (drop, trap, resolve, touch every page) with the 95 % interval of "
        "the boots' medians, and as a multiple (×) of the reference's. ≠ marks a method of another "
        "end state: shown for scale, never ranked."
    )
    return Section("cost", "Contract and cost of a cycle", (lead, *blocks, *_legend(study)))


def _legend(study: Study) -> list[Block]:
    """What the promises are about that were lost, and what is not in the tables at all."""
    lost = {
        name
        for group in study.groups
        for words in group.kept.values()
        for found in words.values()
        for name, seen in found.items()
        if seen in LOSSES
    }
    named = [each for name, each in promises().items() if name in lost]
    meanings = tuple(f"{each.name} lost: it {each.loss} ({each.summary})" for each in named)
    unlooked = unlooked_text(study.groups)
    return [
        *([Text("What a method is said to lose is a promise by its name:")] if meanings else []),
        *([Bullets(meanings)] if meanings else []),
        *([Text(f"{unlooked} What is listed as lost may not be all.")] if unlooked else []),
    ]


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
    said = [
        f"{method}: {text.listed(list(known.lost))}"
        for method, known in evidence([group]).items()
        if known.lost
    ]
    return f"{'; '.join(said) or 'nothing by the methods of the same end state'}."


def _beside(group: Group, places: Sequence[Place]) -> Grid:
    """Methods with the event, what they lose, and their cost at each place."""
    named = [name for name in methods() if _known(group, name, places)]
    base = group.reference
    missing = "" if base == SUBJECT else f"; {SUBJECT} was not measured here"
    caption = f"{group.name}: what is lost"
    if places:
        caption += (
            f", and the cost of a cycle in {_unit(group)}, {group.boots_text}; × {base}{missing}"
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
    words = [of[method] for of in group.kept.values() if method in of]
    if not words:
        return Cell("not checked")
    lost = dict.fromkeys(name for found in words for name in found if found[name] in LOSSES)
    if lost:
        return Cell(", ".join(lost), len(lost), "lost")
    tried = all(
        group.seen(method, mapped, name) is not Seen.NOT_TRIED
        for mapped, of in group.kept.items()
        if method in of
        for name in promises()
    )
    return Cell("nothing" if tried else "nothing of what was tried", 0, "kept")


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
    kept_names = (each.cost or "" for each in seen)
    columns = ("method", *kept_names, "system calls", "descriptors", "lock", "hole")
    rows = []
    for name in named:
        method = methods()[name]
        kept = [_beside_cell(study, name, promise) for promise in seen]
        calls = Cell(str(method.calls), method.calls, "num")
        needs = Cell(", ".join(method.descriptors) or "none")
        sources = (Cell(method.lock or text.NONE), Cell(method.hole or text.NONE))
        rows.append((Cell(name), *kept, calls, needs, *sources))
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
    places: dict[Seen, set[Mapped]] = {seen: set() for seen in Seen}
    for group in study.groups:
        for place, words in group.kept.items():
            if method in words:
                places[group.seen(method, place, promise.name)].add(place)
    lost, kept = set().union(*(places[seen] for seen in LOSSES)), places[Seen.KEPT]
    if lost:
        return Cell(promise.cost_lost + (f" ({where_text(lost)})" if kept else ""), None, "lost")
    if kept:
        return Cell(promise.cost_kept, None, "kept")
    return Cell(Seen.NOT_TRIED if places[Seen.NOT_TRIED] else Seen.NOTHING)


def solid(study: Study) -> Section | None:
    """Where MADV_ZAP is not needed, what is against the others, and what was not tried."""
    rivals = {name: known for name, known in evidence(study.groups).items() if name != SUBJECT}
    if not rivals:
        return None
    what = f"that {SUBJECT} {'keeps' if study.with_subject else 'promises'}"
    by_group = {group: evidence([group]) for group in study.groups}
    bullets = []
    for method in sorted(rivals, key=lambda name: len(rivals[name].lost)):
        known = {group: found[method] for group, found in by_group.items() if method in found}
        lost = differences(known, attrgetter("lost"), loss_text)
        untried = differences(known, attrgetter("untried"), str)
        parts = [*([lost] if lost else []), *([f"not tried: {untried}"] if untried else [])]
        nothing = "lost nothing of what was looked at"
        if rivals[method].solid:
            nothing = f"kept all {what}: it works solidly"
        bullets.append(f"{method} {'; '.join(parts) or nothing}.")
    unlooked = unlooked_text(study.groups)
    bullets += [unlooked] if unlooked else []
    rows = [row for group in study.groups for row in _solid_rows(group)]
    columns = (
        *("kernel", "mapping", "method", "loses", "not tried"),
        *("cost of a cycle, × reference", "verdict"),
    )
    caption = "Methods of the same end state, by kernel and mapping"
    grid = [Grid(caption, columns, tuple(rows))] if rows else []
    lead = Text(
        "A workaround works solidly where it reaches the same end state, all was tried "
        f"{what}, and nothing of it is lost. There MADV_ZAP is not needed, unless it is much "
        "cheaper. What was not tried is no reason for either."
    )
    return Section(
        "solid",
        "Where a workaround works, and MADV_ZAP is not needed",
        (lead, Bullets(tuple(bullets)), *grid),
    )


def _solid_rows(group: Group) -> list[tuple[Cell, ...]]:
    rows: list[tuple[Cell, ...]] = []
    for mapped, words in group.kept.items():
        places = [p for p in group.places(WORKLOAD, minor=True) if p[:2] == mapped]
        for method in methods():
            fair = any(group.equivalent(WORKLOAD, method, place) for place in places)
            if not fair or method not in words or method == SUBJECT:
                continue
            found = against(group, method, mapped)
            lost = [name for name, seen in found.items() if seen in LOSSES]
            open_ = [name for name, seen in found.items() if seen is Seen.NOT_TRIED]
            untried = [name for name in open_ if name in group.looked_at]
            more = len(open_) - len(untried)
            said = [*untried, *([f"{more} not looked at"] if more else [])]
            verdict = "loses something" if lost else "open" if open_ else "works solidly"
            cost = _cost_range(group, method, places)
            rows.append(
                (
                    Cell(group.name),
                    Cell(f"{mapped[0]}, {size_text(mapped[1])} pages"),
                    Cell(method),
                    Cell(", ".join(lost) or "nothing", len(lost), "lost" if lost else "kept"),
                    Cell(", ".join(said) or "nothing", len(open_)),
                    cost,
                    Cell(verdict),
                )
            )
    return rows


def _cost_range(group: Group, method: str, places: Iterable[Place]) -> Cell:
    """From the least to the most at some places, relative to the reference."""
    found = [group.ratio(WORKLOAD, method, place, group.reference) for place in places]
    values = [ratio.value for ratio in found if ratio is not None]
    if not values or method == group.reference:
        return Cell(text.NONE, None, "num")
    return Cell(f"{text.span(values, text.ratio)} × {group.reference}", max(values), "num")
