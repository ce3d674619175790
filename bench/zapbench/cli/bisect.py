# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel bisect`` and ``judge``: the commit that moved a figure."""

from dataclasses import asdict
from pathlib import Path

import click

from zapbench import bisect as bisection
from zapbench import text
from zapbench.bisect import Subject, Threshold
from zapbench.case import Case
from zapbench.cli.output import json_option, note, print_json, say
from zapbench.cli.progress import stages
from zapbench.error import UsageError
from zapbench.record import Unit
from zapbench.where import ACCELERATORS

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
    return Subject(repo.expanduser().absolute(), str(Case.parse(case)), accel)


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

    Each commit on the way is built and booted once; one that cannot be is skipped.
    """
    with stages() as progress:
        found = bisection.search(_subject(repo, case, accel), good, bad, progress)
    if as_json:
        print_json(asdict(found))
        return 0
    unit = _unit(accel)
    ends = f"{text.cost(found.good, unit)} on {good}, {text.cost(found.bad, unit)} on {bad}"
    say(f"{case}: {ends}, {text.change(found.bad / found.good, 2)}")
    if len(found.commits) > 1:
        say("one of these, which could not be told apart:")
    for commit, subject in zip(found.commits, found.subjects, strict=True):
        say(f"{commit[:12]} {subject}")
    return 0


@click.command()
@click.argument("case")
@click.option("--above", type=float, metavar="FIGURE", help="Bad: above this (ns, instructions).")
@click.option("--below", type=float, metavar="FIGURE", help="Bad: below this.")
@click.option("--commit", help="What to test.  [default: where git bisect is here, or HEAD]")
@_repo_option
@_accel_option
@click.option("--boots", type=click.IntRange(min=1), default=1, show_default=True)
def judge(
    *,
    case: str,
    above: float | None,
    below: float | None,
    commit: str | None,
    repo: Path,
    accel: str,
    boots: int,
) -> int:
    """Test one commit for `git bisect run`: exits 0 (good), 1 (bad) or 125 (cannot be tested)."""
    if (above is None) == (below is None):
        raise UsageError("give one of --above and --below")
    rises = above is not None
    threshold = Threshold(above if above is not None else below or 0.0, rises)
    subject = _subject(repo, case, accel)
    name = bisection.current(Path()) if commit is None else commit
    found = bisection.commit_of(subject.repository, name)
    status, why = bisection.judge(subject, found, threshold, boots)
    note(why)
    return status
