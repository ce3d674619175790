# SPDX-License-Identifier: GPL-2.0-only
"""Commits of the toy kernel whose boots cost what they say: `pairs` and `bisect` on them.

Run as ``python toy_commits.py LOG -m zapbench ...`` it is zapbench on such machines.
"""

import sys
from pathlib import Path

import pytest
import toy_kernel
from toy_machine import ToyMachine

from zapbench.host.cache import Progress
from zapbench.kernel.build import Image
from zapbench.pairs import Subject
from zapbench.target import Target


def commits(repository: Path, words: list[str]) -> list[str]:
    """A repository of commits whose images say these words; their hashes."""
    toy_kernel.write(repository)
    toy_kernel.git(repository, "init", "-q", "-b", "main")
    found = []
    for number, each in enumerate(words):
        (repository / "mm/madvise.c").write_text(f'const char words[] = "{each} ZAP";\n')
        toy_kernel.git(repository, "add", "-A")
        toy_kernel.git(repository, "commit", "-q", "-m", f"number {number}: {each}")
        found.append(toy_kernel.git(repository, "rev-parse", "HEAD"))
    return found


def _moved(
    subject: Subject, commits: tuple[str, str], *, rises: bool, progress: Progress
) -> tuple[str, ...]:
    """What a toy, which has no functions, is said to have been changed by."""
    first, second = commits
    return (f"{first[:12]} {'<' if rises else '>'} {second[:12]}",)


@pytest.fixture
def booted(toy: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The log of boots, a line each, of toys that all subjects then boot, here and in children."""
    log = tmp_path / "booted"
    monkeypatch.setattr(Subject, "_machine", lambda self, image: ToyMachine(image, log))
    monkeypatch.setattr(Subject, "moved", _moved)
    wrapper = tmp_path / "python"
    wrapper.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{__file__}" "{log}" "$@"\n')
    wrapper.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(wrapper))
    return log


def _main() -> None:
    from zapbench import cli

    def machine(self: Subject, image: Image) -> Target:
        return ToyMachine(image, Path(sys.argv[1]))

    Subject._machine = machine  # type: ignore[method-assign]
    cli.main(sys.argv[4:])


if __name__ == "__main__":
    _main()
