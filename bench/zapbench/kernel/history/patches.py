# SPDX-License-Identifier: GPL-2.0-only
"""A series of patches as commits, on a commit of a bare repository: no work tree is needed."""

from dataclasses import dataclass

from zapbench.kernel import patch
from zapbench.kernel.catalogue import Series
from zapbench.kernel.git import DEVELOPERS, Repository


@dataclass(frozen=True, slots=True)
class Tip:
    """The last commit of a series, its tree, and when its last patch was made (since 1970).

    ``notes`` say what of its mails could not be read.
    """

    commit: str
    tree: str
    when: int
    notes: tuple[str, ...]


def put(repository: Repository, base: str, series: Series, name: str) -> Tip:
    """Commit each patch on top of ``base``, a commit that messages call ``name``.

    Raises:
        BuildFailed: a patch does not apply; nothing in the repository refers to it.
    """
    when = int(repository.run("log", "-1", "--format=%ct", base).strip())
    commit, made, tree = base, when, ""
    notes: list[str] = []
    try:
        for step in patch.applied(repository, base, series, on=name):
            said = step.mail.described(when + 1)
            when, made, tree = max(when + 1, said.author[2]), said.author[2], step.tree
            notes += said.notes
            commit = repository.commit(tree, commit, said.message, said.author, when)
    finally:
        (repository.path / "zapbench.index").unlink(missing_ok=True)
    return Tip(commit, tree, made, tuple(notes))


def squashed(
    repository: Repository, tip: Tip, series: Series, name: str, parent: tuple[str, int] | None
) -> tuple[str, int]:
    """A whole series as one commit after a commit and its time; the new commit and its time."""
    assert parent is not None
    titles = [mail.title for mail in patch.mails(series)]
    plural = "" if len(titles) == 1 else "es"
    subject = f"Linux {name}+{series.name} ({len(titles)} patch{plural})"
    message = f"{subject}\n\n" + "\n".join(f"- {title}" for title in titles)
    when = max(parent[1] + 1, tip.when)
    author = (*DEVELOPERS, tip.when)
    return repository.commit(tip.tree, parent[0], message, author, when), when
