# SPDX-License-Identifier: GPL-2.0-only
"""Commits on top of a kernel history, made without ever checking it out."""

import os
import subprocess
from pathlib import Path

IDENTITY = {
    f"GIT_{who}_{what}": value
    for who in ("AUTHOR", "COMMITTER")
    for what, value in (("NAME", "zapbench developers"), ("EMAIL", "zapbench@localhost"))
}
LOOP = """\
	/* Planted: {instructions} instructions in every call. */
	asm volatile("mov ${turns}, %%ecx\\n1:\\tdec %%ecx\\n\\tjnz 1b" ::: "ecx", "cc");
"""


def git(repository: Path, *words: str, stdin: str = "", index: Path | None = None) -> str:
    """What git prints, with an index of its own."""
    env = {**os.environ, **IDENTITY, "GIT_INDEX_FILE": str(index or repository / "tests.index")}
    done = subprocess.run(
        ["git", "-C", str(repository), *words],
        input=stdin,
        env=env,
        check=True,
        capture_output=True,
        text=True,
    )
    return done.stdout.strip()


def commit(repository: Path, branch: str, subject: str, files: dict[str, str]) -> str:
    """Put a commit with these contents of files onto a branch; its hash."""
    parent = git(repository, "rev-parse", branch)
    git(repository, "read-tree", parent)
    for name, content in files.items():
        blob = git(repository, "hash-object", "-w", "--stdin", stdin=content)
        git(repository, "update-index", "--add", "--cacheinfo", f"100644,{blob},{name}")
    tree = git(repository, "write-tree")
    made = git(repository, "commit-tree", tree, "-p", parent, "-m", subject)
    git(repository, "update-ref", f"refs/heads/{branch}", made)
    return made


def document(repository: Path, branch: str, subject: str) -> str:
    """A commit that changes documentation only."""
    return commit(repository, branch, subject, {"Documentation/mm/planted.rst": f"{subject}\n"})


def slow_down(repository: Path, branch: str, subject: str, instructions: int) -> str:
    """A commit that adds so many instructions to every zap of a range of pages."""
    name, call = "mm/memory.c", "\tmmu_notifier_invalidate_range_start(&range);\n"
    content = git(repository, "show", f"{branch}:{name}") + "\n"
    head, function, tail = content.partition("\nvoid zap_page_range_single(")
    before, found, after = tail.partition(call)
    assert function, name
    assert found, name
    loop = LOOP.format(instructions=instructions, turns=(instructions - 1) // 2)
    return commit(
        repository, branch, subject, {name: head + function + before + loop + found + after}
    )
