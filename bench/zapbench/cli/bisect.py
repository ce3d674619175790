# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel bisect`` and ``judge``: the commit that moved a figure."""

from dataclasses import asdict
from pathlib import Path

import click

from zapbench import bisect as bisection
from zapbench import text
from zapbench.bisect import Ends, Found, Measure, Threshold
from zapbench.case import Case
from zapbench.cli.options import Judging
from zapbench.cli.output import json_option, note, print_json, say
from zapbench.cli.progress import stages
from zapbench.error import UsageError
from zapbench.pairs import FEW, Subject
from zapbench.record import Unit
from zapbench.where import ACCELERATORS

NOT_CONFIRMED = 4

_repo_option = click.option(
    "--repo",
    type=click.Path(path_type=Path),
    default=Path(),
    help="The repository, which is only read.  [default: here]",
)
_accel_option = click.option(
    "--accel",
    type=click.Choice(ACCELERATORS),
    default="icount",
    show_default=True,
    help="How the machine runs.",
)


def _subject(repo: Path, case: str, accel: str) -> Subject:
    return Subject(repo.expanduser().absolute(), (str(Case.parse(case)),), accel)


def _unit(accel: str) -> Unit:
    return "instructions" if accel == "icount" else "ns"


@click.command()
@click.argument("good")
@click.argument("bad")
@click.argument("case")
@_repo_option
@_accel_option
@json_option
def bisect(*, good: str, bad: str, case: str, repo: Path, accel: str, as_json: bool) -> int:
    """Find the commit between GOOD and BAD that moved the figure of a CASE.

    Each commit on the way is built, booted, and compared with GOOD by pairs of boots; one that
    cannot be is skipped.  What is found is compared with its parent in fresh boots, and of counted
    instructions the functions are named that grew.

    Exit status: 0 found and confirmed, 4 found but not confirmed, 2 anything else.
    """
    with stages() as progress:
        found = bisection.search(_subject(repo, case, accel), good, bad, progress)
    confirmed = found.against_parent is not None and found.against_parent.confirmed
    status = 0 if confirmed else NOT_CONFIRMED
    if as_json:
        print_json(asdict(found))
        return status
    unit = _unit(accel)
    ends = f"{text.cost(found.good, unit)} on {good}, {text.cost(found.bad, unit)} on {bad}"
    say(f"{case}: {ends}, {text.change(found.change, 2)}")
    if len(found.commits) > 1:
        say("one of these, which could not be told apart:")
    for commit, subject in zip(found.commits, found.subjects, strict=True):
        say(f"{commit[:12]} {subject}")
    say(_against_parent(found))
    for function in found.functions:
        say(f"{'grew' if found.change > 1 else 'shrank'}: {function}")
    if found.unexplained:
        note(f"which functions changed is not known: {found.unexplained}")
    return status


def _against_parent(found: Found) -> str:
    seen = found.against_parent
    if seen is None:
        return f"not confirmed: {found.unconfirmed}"
    change, low, high = map(text.judged_change, (seen.change, seen.low, seen.high))
    word = "confirmed" if seen.confirmed else "not confirmed"
    return (
        f"{word} against its parent: {change} [{low}, {high}], "
        f"{text.number(seen.boots, 'fresh pair')} of boots"
    )


@click.command(cls=Judging)
@click.argument("case")
@click.option("--above", type=float, metavar="FIGURE", help="Bad: above this (ns, instructions).")
@click.option("--below", type=float, metavar="FIGURE", help="Bad: below this.")
@click.option("--good", metavar="COMMIT", help="With --bad: which of the two it is like.")
@click.option("--bad", metavar="COMMIT", help="See --good.")
@click.option("--commit", help="What to test.  [default: where git bisect is here, or HEAD]")
@_repo_option
@_accel_option
@click.option("--boots", type=click.IntRange(min=1), default=FEW, show_default=True)
def judge(
    *,
    case: str,
    above: float | None,
    below: float | None,
    good: str | None,
    bad: str | None,
    commit: str | None,
    repo: Path,
    accel: str,
    boots: int,
) -> int:
    """Test one commit for `git bisect run`: exits 0 (good), 1 (bad) or 125 (cannot be tested).

    255, which ends the bisection, where it is not understood.
    """
    subject = _subject(repo, case, accel)
    by = _measure(subject, above, below, (good, bad))
    name = bisection.current(Path()) if commit is None else commit
    found = bisection.commit_of(subject.repository, name)
    status, why = bisection.judge(subject, found, by, boots)
    note(why)
    return status


def _measure(
    subject: Subject,
    above: float | None,
    below: float | None,
    ends: tuple[str | None, str | None],
) -> Measure:
    names = [name for name in ends if name is not None]
    figures = [(each, rises) for each, rises in ((above, True), (below, False)) if each is not None]
    if len(names) == 2 and not figures:
        return Ends(*(bisection.commit_of(subject.repository, name) for name in names))
    if len(figures) != 1 or names:
        raise UsageError("give one of --above and --below, or both --good and --bad")
    return Threshold(*figures[0])
