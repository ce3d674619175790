# SPDX-License-Identifier: GPL-2.0-only
"""Find the commit that moved a figure, with git-bisect(1) underneath.

The two ends are measured in pairs of boots of the same seed and numbers, and so is each commit on
the way with the good end: it is bad if it is farther from there than half of the way to the bad
end.  At last the commit that was found is measured with its parent, in fresh boots.
"""

import math
import re
import shlex
import statistics
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from zapbench import text
from zapbench.case import Case
from zapbench.error import BuildFailed, UsageError, ZapbenchError
from zapbench.explain.boot import TIER
from zapbench.gate.estimate import Estimate
from zapbench.host.cache import Progress, no_progress
from zapbench.host.process import running
from zapbench.kernel import clone
from zapbench.kernel.git import Repository
from zapbench.pairs import FEW, FRESH, FRESH_SEED, Confirmation, Difference, Subject
from zapbench.result.request import SEED

GOOD, BAD, UNTESTABLE = 0, 1, 125
"""Exit codes of a test, as git-bisect(1) has them."""

_FIRST_BAD = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit$", re.MULTILINE)
_ONLY_SKIPPED = "only 'skip'ped commits left"


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where good ends: ``figure`` in the case's unit; ``rises`` if bad commits lie above it."""

    figure: float
    rises: bool

    def judge(self, subject: Subject, commit: str, boots: int) -> tuple[int, str]:
        """See `judge`."""
        kept = subject.kept(commit)
        for boot in range(boots):
            kept.make(boot, boots)
        (case,) = subject.cases
        figure = statistics.median(kept.figure(case, boot) for boot in range(boots))
        return BAD if (figure > self.figure) == self.rises else GOOD, f"{figure:.6g}"


@dataclass(frozen=True, slots=True)
class Ends:
    """Two commits, the nearer of which a commit is like."""

    good: str
    bad: str

    def judge(self, subject: Subject, commit: str, boots: int) -> tuple[int, str]:
        """See `judge`."""
        whole, part = (
            one(subject, (self.good, other), boots).estimate for other in (self.bad, commit)
        )
        bad = abs(part.centre - whole.centre) < abs(part.centre)
        return BAD if bad else GOOD, f"{said(part)} from {self.good[:12]}"


Measure = Threshold | Ends


def judge(subject: Subject, commit: str, by: Measure, boots: int) -> tuple[int, str]:
    """The exit code of testing a commit, and a line that says why.

    What cannot be built, booted or measured is `UNTESTABLE`: git tries one next to it.
    """
    try:
        status, why = by.judge(subject, commit, boots)
    except UsageError:
        raise
    except ZapbenchError as error:
        return UNTESTABLE, f"{commit[:12]} cannot be tested: {error}"
    return status, f"{commit[:12]} is {'bad' if status else 'good'}: {why}"


def one(
    subject: Subject,
    commits: tuple[str, str],
    boots: int,
    seed: int = SEED,
    progress: Progress = no_progress,
) -> Difference:
    """What pairs of two commits say of the one case; raises what is why there is no figure."""
    (found,) = subject.differences(commits, boots, seed, progress).values()
    if isinstance(found, ZapbenchError):
        raise found
    return found


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome: the first commit (or the commits left, if some could not be tested).

    ``good`` and ``bad`` are the medians of the two ends, ``change`` what pairs say of them (a
    ratio).  ``against_parent`` is None, and ``unconfirmed`` says why, where that was not measured.
    ``functions`` of the kernel made most of the change of a count, or ``unexplained`` says why
    they are not known.
    """

    commits: tuple[str, ...]
    subjects: tuple[str, ...]
    good: float
    bad: float
    change: float
    log: tuple[str, ...]
    against_parent: Confirmation | None = None
    unconfirmed: str = ""
    functions: tuple[str, ...] = ()
    unexplained: str = ""


def search(subject: Subject, good: str, bad: str, progress: Progress = no_progress) -> Found:
    """Bisect between two commits whose figures of the one case differ.

    Raises:
        UsageError: no such commit or case; good is no ancestor of bad; or they do not differ.
        CaseFailed, Unsupported, BuildFailed, LostVm: an end cannot be tested.
    """
    (case,) = subject.cases
    reason = Case.parse(case).excluded
    if reason is not None:
        raise UsageError(f"{case} cannot be measured: {reason}")
    ends = Ends(*(commit_of(subject.repository, name) for name in (good, bad)))
    place = clone.find(subject.repository)
    with place.shown() as shown:
        ancestor = _git(shown, "merge-base", ends.good, ends.bad)
    if ancestor != ends.good:
        raise UsageError(f"{good} is no ancestor of {bad}: bisect from {ancestor[:12]}")
    whole = one(subject, (ends.good, ends.bad), FEW, progress=progress)
    rises = whole.estimate.centre > 0
    if not whole.is_one(rises=rises):
        raise UsageError(
            f"{case} on {good} and {bad}: {whole.before:.6g} and {whole.after:.6g} do not differ "
            f"beyond noise ({said(whole.estimate)} in {text.number(FEW, 'pair')} of boots): there "
            "is no step to find between them"
        )
    with place.shown() as scratch:  # where the state of a bisection is ours
        outcome = _outcome(_run(scratch, ends, subject))
        subjects = [_git(scratch, "show", "-s", "--format=%s", each) for each in outcome]
        log = _git(scratch, "bisect", "log").splitlines()
        parent = _git(scratch, "rev-parse", f"{outcome[0]}^")
    found = Found(
        commits=tuple(outcome),
        subjects=tuple(subjects),
        good=whole.before,
        bad=whole.after,
        change=math.exp(whole.estimate.centre),
        log=tuple(log),
    )
    if len(outcome) > 1:
        return replace(found, unconfirmed="several commits could not be told apart")
    try:
        fresh = one(subject, (parent, outcome[0]), FRESH, FRESH_SEED, progress)
    except ZapbenchError as error:
        return replace(found, unconfirmed=str(error))
    found = replace(found, against_parent=fresh.confirmation(rises=rises))
    if subject.accel != TIER:
        return found
    try:
        moved = subject.moved((parent, outcome[0]), rises=rises, progress=progress)
        return replace(found, functions=moved)
    except ZapbenchError as error:
        return replace(found, unexplained=str(error))


def said(estimate: Estimate) -> str:
    """A change with its interval: ``+2.00 % [+1.97 %, +2.03 %]``."""
    reach = estimate.reach
    ends = [] if reach is None else [estimate.centre - reach, estimate.centre + reach]
    interval = ", ".join(text.judged_change(math.exp(end)) for end in ends)
    return f"{text.judged_change(math.exp(estimate.centre))} [{interval}]"


def commit_of(repository: Path, name: str) -> str:
    """The hash of a commit.

    Raises:
        UsageError: the repository has no such commit, or is none.
    """
    with clone.find(repository).shown(tracking="@{" in name) as shown:
        found = clone.commit(shown, name)
    if found is None:
        raise UsageError(f"{repository} has no commit {name!r}")
    return found


def current(directory: Path) -> str:
    """The commit that a bisection in a directory is at; without one, what is checked out there.

    Raises:
        UsageError: the directory is in no repository.
    """
    try:
        return commit_of(directory, "BISECT_HEAD")  # of a bisection without check-outs
    except UsageError:
        return commit_of(directory, "HEAD")


def _git(repository: Repository, *words: str) -> str:
    return repository.run(*words, failure=UsageError, purpose=f"git {words[0]}").strip()


def _run(scratch: Repository, ends: Ends, subject: Subject) -> str:
    """What ``git bisect run`` says in the end; its tests' own lines go to standard error."""
    _git(scratch, "bisect", "start", "--no-checkout", ends.bad, ends.good)
    test = [sys.executable, "-m", "zapbench", "kernel", "judge", *subject.cases]
    test += ["--good", ends.good, "--bad", ends.bad]
    # Not the scratch: where a commit is checked out depends on the name of its repository.
    test += ["--repo", str(subject.repository), "--accel", subject.accel]
    command = scratch.command(["bisect", "run", *test])
    with running(command, cwd=scratch.path, env=scratch.environment, stderr=None) as process:
        said = process.communicate()[0].decode(errors="replace")
    if process.returncode and _ONLY_SKIPPED not in said:
        lines = said.strip().splitlines() or ["no message"]
        raise BuildFailed(f"git bisect: {lines[-1]} ({shlex.join(test[3:])})")
    return said


def _outcome(said: str) -> list[str]:
    """The commits that git names: one, or those left when only untestable ones remain."""
    if match := _FIRST_BAD.search(said):
        return [match[1]]
    return re.findall(r"^([0-9a-f]{40,64})$", said.partition(_ONLY_SKIPPED)[2], re.MULTILINE)
