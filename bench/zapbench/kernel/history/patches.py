# SPDX-License-Identifier: GPL-2.0-only
"""A series of patches as commits, on a commit of a bare repository: no work tree is needed."""

import email
import email.message
import email.policy
import email.utils
import re
from dataclasses import dataclass
from pathlib import Path

from zapbench.error import BuildFailed
from zapbench.kernel.catalogue import Series
from zapbench.kernel.history.git import DEVELOPERS, Repository, Signature

_PREFIX = re.compile(r"^\[[^\]]*PATCH[^\]]*\]\s*")
_END = re.compile(r"^---$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Tip:
    """The last commit of a series, its tree, and when its last patch was made (since 1970)."""

    commit: str
    tree: str
    when: int


@dataclass(frozen=True, slots=True)
class _Mail:
    message: str
    author: Signature


def _mail(patch: Path, default: int) -> _Mail:
    """Who made a patch, when and why; its date is ``default`` if it has none."""
    raw = patch.read_bytes()
    mail = email.message_from_bytes(raw, policy=email.policy.default)
    assert isinstance(mail, email.message.EmailMessage)
    subject = _PREFIX.sub("", " ".join(str(mail["Subject"] or patch.stem).split()))
    body = mail.get_content() if mail.get_content_type() == "text/plain" else ""
    why = _END.split(body, maxsplit=1)[0].strip()
    name, address = email.utils.parseaddr(str(mail["From"] or "")) if mail["From"] else DEVELOPERS
    date = mail["Date"]
    when = int(email.utils.parsedate_to_datetime(str(date)).timestamp()) if date else default
    return _Mail(f"{subject}\n\n{why}".strip(), (name, address, when))


def put(repository: Repository, base: str, series: Series, name: str) -> Tip:
    """Commit each patch on top of ``base``, a commit that messages call ``name``.

    Raises:
        BuildFailed: a patch does not apply; nothing in the repository refers to it.
    """
    when = int(repository.run("log", "-1", "--format=%ct", base).strip())
    repository.run("read-tree", base)
    commit, made = base, when
    try:
        for patch in series.patches:
            command = ("apply", "--cached", "--whitespace=nowarn", str(patch.absolute()))
            repository.run(*command, failure=BuildFailed, purpose=f"{patch.name} on {name}")
            tree = repository.run("write-tree").strip()
            mail = _mail(patch, when + 1)
            when, made = max(when + 1, mail.author[2]), mail.author[2]
            commit = repository.commit(tree, commit, mail.message, mail.author, when)
    finally:
        (repository.path / "zapbench.index").unlink(missing_ok=True)
    return Tip(commit, tree, made)


def squashed(
    repository: Repository, tip: Tip, series: Series, name: str, parent: tuple[str, int] | None
) -> tuple[str, int]:
    """A whole series as one commit after a commit and its time; the new commit and its time."""
    assert parent is not None
    plural = "" if len(series.patches) == 1 else "es"
    subject = f"Linux {name}+{series.name} ({len(series.patches)} patch{plural})"
    mails = (_mail(patch, 0).message.splitlines()[0] for patch in series.patches)
    message = f"{subject}\n\n" + "\n".join(f"- {title}" for title in mails)
    when = max(parent[1] + 1, tip.when)
    author = (*DEVELOPERS, tip.when)
    return repository.commit(tip.tree, parent[0], message, author, when), when
