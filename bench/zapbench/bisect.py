# SPDX-License-Identifier: GPL-2.0-only
"""Find the commit that moved a figure, with git-bisect(1) underneath.

The two ends are measured in several boots; the threshold lies between them, at the geometric mean.
After that one boot a commit decides: the machine that counts instructions repeats itself.
"""

import math
import re
import shlex
import statistics
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from zapbench.case import Case
from zapbench.error import BuildFailed, UsageError, ZapbenchError
from zapbench.host import cache
from zapbench.host.cache import Progress, no_progress
from zapbench.host.process import running
from zapbench.kept_boots import KeptBoots
from zapbench.kernel import clone
from zapbench.kernel.build import Image, build
from zapbench.kernel.catalogue import GitSource, Kernel
from zapbench.kernel.git import Repository
from zapbench.result.stats import ratio
from zapbench.target import Target
from zapbench.vm import VmTarget

GOOD, BAD, UNTESTABLE = 0, 1, 125
"""Exit codes of a test, as git-bisect(1) has them."""
ENDS_BOOTS = 3
CHANCE = 0.05
"""The ends must differ with a p below this."""

_FIRST_BAD = re.compile(r"^([0-9a-f]{40,64}) is the first bad commit$", re.MULTILINE)
_ONLY_SKIPPED = "only 'skip'ped commits left"


@dataclass(frozen=True, slots=True)
class Subject:
    """What is asked of every commit: a case, and how its machine runs."""

    repository: Path
    case: str
    accel: str = "icount"

    def figures(self, commit: str, boots: int, progress: Progress = no_progress) -> list[float]:
        """The case's median in each of so many boots of a commit.

        Raises:
            UsageError: no such commit.
            BuildFailed, LostVm, Unsupported, CaseFailed: the commit cannot be tested.
        """
        source = GitSource(str(self.repository), commit)
        image = build(Kernel(commit, source), progress=progress)
        records = cache.subdirectory("records")
        made = KeptBoots(records, image, [self.case], self._machine, self.accel)
        for boot in range(boots):
            made.make(boot, boots)
        return [made.figure(self.case, boot) for boot in range(boots)]

    def _machine(self, image: Image) -> Target:
        return VmTarget(str(image.bzimage), self.accel)


@dataclass(frozen=True, slots=True)
class Threshold:
    """Where good ends: ``figure`` in the case's unit; ``rises`` if bad commits lie above it."""

    figure: float
    rises: bool

    def status(self, figure: float) -> int:
        """`GOOD` or `BAD`."""
        return BAD if (figure > self.figure) == self.rises else GOOD

    def options(self) -> list[str]:
        """The options of ``zapbench kernel judge`` that say the same."""
        return ["--above" if self.rises else "--below", repr(self.figure)]


@dataclass(frozen=True, slots=True)
class Found:
    """The outcome: the first commit (or the commits left, if some could not be tested).

    ``good`` and ``bad`` are the medians of the two ends, ``limit`` what lay between them.
    """

    commits: tuple[str, ...]
    subjects: tuple[str, ...]
    good: float
    bad: float
    limit: float
    log: tuple[str, ...]


def judge(subject: Subject, commit: str, threshold: Threshold, boots: int = 1) -> tuple[int, str]:
    """The exit code of testing a commit, and a line that says why.

    What cannot be built, booted or measured is `UNTESTABLE`: git tries one next to it.
    """
    try:
        figure = statistics.median(subject.figures(commit, boots))
    except UsageError:
        raise
    except ZapbenchError as error:
        return UNTESTABLE, f"{commit[:12]} cannot be tested: {error}"
    status = threshold.status(figure)
    return status, f"{commit[:12]} is {'bad' if status else 'good'}: {figure:.6g}"


def search(subject: Subject, good: str, bad: str, progress: Progress = no_progress) -> Found:
    """Bisect between two commits whose figures differ.

    Raises:
        UsageError: no such commit or case; good is no ancestor of bad.
        CaseFailed, Unsupported, BuildFailed, LostVm: an end cannot be tested, or the figures
            of the ends do not differ.
    """
    reason = Case.parse(subject.case).excluded
    if reason is not None:
        raise UsageError(f"{subject.case} cannot be measured: {reason}")
    ends = [commit_of(subject.repository, name) for name in (good, bad)]
    place = clone.find(subject.repository)
    with place.shown() as shown:
        ancestor = _git(shown, "merge-base", *ends)
    if ancestor != ends[0]:
        raise UsageError(f"{good} is no ancestor of {bad}: bisect from {ancestor[:12]}")
    figures = [subject.figures(end, ENDS_BOOTS, progress) for end in ends]
    before, after = map(statistics.median, figures)
    threshold = _threshold(figures, f"{subject.case} on {good} and {bad}")
    with place.shown() as scratch:  # where the state of a bisection is ours
        said = _run(scratch, ends, subject, threshold)
        commits = _outcome(said)
        subjects = [_git(scratch, "show", "-s", "--format=%s", each) for each in commits]
        log = _git(scratch, "bisect", "log").splitlines()
    return Found(tuple(commits), tuple(subjects), before, after, threshold.figure, tuple(log))


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


def _threshold(figures: Sequence[Sequence[float]], what: str) -> Threshold:
    good, bad = map(statistics.median, figures)
    p = ratio(*figures).p
    if p is None or p >= CHANCE or good == bad:
        raise UsageError(
            f"{what}: {good:.6g} and {bad:.6g} in {ENDS_BOOTS} boots each do not differ (p = "
            f"{p:.2g}): there is no step to find between them"
        )
    return Threshold(math.sqrt(good * bad), bad > good)


def _git(repository: Repository, *words: str) -> str:
    return repository.run(*words, failure=UsageError, purpose=f"git {words[0]}").strip()


def _run(scratch: Repository, ends: Sequence[str], subject: Subject, threshold: Threshold) -> str:
    """What ``git bisect run`` says in the end; its tests' own lines go to standard error."""
    _git(scratch, "bisect", "start", "--no-checkout", ends[1], ends[0])
    test = [sys.executable, "-m", "zapbench", "kernel", "judge", subject.case, *threshold.options()]
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
