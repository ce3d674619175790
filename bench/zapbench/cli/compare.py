# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench compare``: two results, case by case."""

from dataclasses import dataclass
from pathlib import Path

import click

from zapbench import text
from zapbench.case import Case
from zapbench.cli.output import console, grid, json_option, print_json
from zapbench.cli.results import screening
from zapbench.error import UsageError
from zapbench.gate import fingerprint
from zapbench.result.store import Results
from zapbench.result.timings import Difference, compare

COLUMNS = ("case", "base>", "head>", "head / base>", "p>", "adjusted>", "verdict")


@dataclass(frozen=True, slots=True)
class Compared:
    """One case of a comparison, as it is printed; ``base`` and ``head`` are medians."""

    case: Case
    base: float
    head: float
    ratio: float
    low: float | None
    high: float | None
    p: float | None
    adjusted_p: float | None
    detectable: float | None
    verdict: str


@dataclass(frozen=True, slots=True)
class Comparison:
    """What `compare` prints; ``left_out`` maps cases without a ratio to the reason.

    ``differing`` is what else than the kernel may have made a difference.
    """

    base: str
    head: str
    tier: str
    unit: str
    lines: tuple[Compared, ...]
    left_out: dict[str, str]
    incomplete: tuple[str, ...]
    differing: tuple[str, ...]


@click.command()
@click.argument("base", type=click.Path(path_type=Path))
@click.argument("head", type=click.Path(path_type=Path))
@json_option
def command(*, base: Path, head: Path, as_json: bool) -> int:
    """Compare the result directories BASE and HEAD by the medians of their boots."""
    comparison = comparison_of(Results(base), Results(head))
    if as_json:
        print_json(comparison)
    else:
        print_comparison(comparison)
    return 0


def comparison_of(base: Results, head: Results) -> Comparison:
    """Compare two results.

    Raises:
        UsageError: they are of different tiers or units, or have no case in common.
    """
    for what in ("tier", "unit"):
        old, new = getattr(base, what), getattr(head, what)
        if old != new:
            raise UsageError(
                f"{base.directory} has {what} {old}, {head.directory} has {what} {new}: "
                "they cannot be compared; measure both the same way"
            )
    differences = compare(base.timings, head.timings)
    left_out = _left_out(base, head, differences)
    if not differences:
        raise UsageError(f"{base.directory} and {head.directory} have no case in common")
    return Comparison(
        base=base.kernel,
        head=head.kernel,
        tier=base.tier,
        unit=base.unit,
        lines=tuple(map(_line, sorted(differences, key=lambda each: each.case))),
        left_out=left_out,
        incomplete=tuple(
            side.recording.truncated for side in (base, head) if side.recording.truncated
        ),
        differing=tuple(_differing(base, head)),
    )


def _differing(base: Results, head: Results) -> list[str]:
    """What differs between the boots of either, and between the two."""
    (old, within), (new, inside) = (fingerprint.common(each.contexts) for each in (base, head))
    return [
        *(f"within {base.directory}: {text}" for text in within),
        *(f"within {head.directory}: {text}" for text in inside),
        *fingerprint.differences(old, new),
    ]


def _line(difference: Difference) -> Compared:
    ratio = difference.ratio
    return Compared(
        case=difference.case,
        base=difference.base.median,
        head=difference.head.median,
        ratio=ratio.value,
        low=ratio.low,
        high=ratio.high,
        p=ratio.p,
        adjusted_p=difference.p,
        detectable=ratio.detectable,
        verdict=difference.verdict,
    )


def _left_out(base: Results, head: Results, differences: list[Difference]) -> dict[str, str]:
    compared = {difference.case for difference in differences}
    left_out = {}
    for case in [*base.timings, *head.timings]:
        if case in compared:
            continue
        if case in base.timings and case in head.timings:
            left_out[str(case)] = "a median is not above what the harness itself costs"
        else:
            left_out[str(case)] = f"only in {(base if case in base.timings else head).directory}"
    return left_out


def print_comparison(comparison: Comparison) -> None:
    """Print a comparison as a table on standard output."""
    out = console()
    out.print(
        f"{comparison.base} (base), {comparison.head} (head), {comparison.tier}: "
        "medians of one operation, lower is better\n"
    )
    grid(COLUMNS, (_cells(line, comparison.unit) for line in comparison.lines), out)
    out.print(
        "\nratio with the 95 % interval of Welch's test on the logarithms of the boots' medians; "
        f"p adjusted for {len(comparison.lines)} cases (Benjamini-Hochberg), verdict at 0.05"
    )
    screening(comparison.tier, out)
    for case, reason in comparison.left_out.items():
        out.print(f"not compared: {case}: {reason}")
    for what in comparison.differing:
        out.print(f"measured differently: {what}")
    for truncated in comparison.incomplete:
        out.print(f"incomplete: {truncated}")


def _cells(line: Compared, unit: str) -> list[str]:
    verdict = line.verdict
    if verdict == "no difference seen" and line.detectable is not None:
        verdict += f" (one of {text.share(line.detectable)} would have been)"
    return [
        str(line.case),
        text.cost(line.base, unit),
        text.cost(line.head, unit),
        text.ratio(line.ratio, line.low, line.high, digits=3),
        text.probability(line.p),
        text.probability(line.adjusted_p),
        verdict,
    ]
