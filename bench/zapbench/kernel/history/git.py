# SPDX-License-Identifier: GPL-2.0-only
"""A bare git repository of our own, which no configuration of the user or machine changes."""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zapbench.error import EnvironmentMissing, ZapbenchError
from zapbench.host.process import output, running

DEVELOPERS = ("zapbench developers", "zapbench@localhost")

Signature = tuple[str, str, int]
"""A person's name and address, and a time in seconds since 1970."""


@dataclass(frozen=True, slots=True)
class Repository:
    """The git directory at ``path``."""

    path: Path

    @property
    def _own(self) -> dict[str, str]:
        # Same input, same hashes: no line endings, encodings or signatures of the user's choice.
        alone = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_NOSYSTEM": "1"}
        index = str(self.path / "zapbench.index")
        return {"GIT_DIR": str(self.path), "GIT_INDEX_FILE": index, **alone}

    def run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        failure: type[ZapbenchError] = EnvironmentMissing,
        purpose: str = "",
    ) -> str:
        """What a git command prints.

        Raises:
            EnvironmentMissing: git is not installed.
            failure: the command failed.
        """
        purpose = purpose or f"git {words[0]} in {self.path}"
        return output(
            ["git", *words], env={**self._own, **(env or {})}, failure=failure, purpose=purpose
        )

    @contextmanager
    def piped(self, *words: str) -> Iterator[IO[bytes]]:
        """The standard input of a git command, which must end well when the block does.

        Raises:
            EnvironmentMissing: it failed; the message has the last line that it wrote.
        """
        with running(["git", *words], env=self._own, stdin=subprocess.PIPE) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            # If it gave up, it says why on its standard error.
            try:
                with suppress(BrokenPipeError):
                    yield process.stdin
            finally:
                with suppress(BrokenPipeError):
                    process.stdin.close()
            said = process.stdout.read().decode(errors="replace").strip().splitlines()
            if process.wait():
                lines = [line for line in said if line.startswith(("fatal", "error"))] or said
                reason = lines[0] if lines else "no message"
                raise EnvironmentMissing(f"git {words[0]} in {self.path}: {reason}")

    def commit(
        self, tree: str, parent: str | None, message: str, author: Signature, when: int
    ) -> str:
        """Make a commit by us at ``when`` (seconds since 1970); its hash."""
        env = {**_signed("AUTHOR", *author), **_signed("COMMITTER", *DEVELOPERS, when)}
        parents = ("-p", parent) if parent else ()
        return self.run("commit-tree", tree, *parents, "-m", message, env=env).strip()

    def update(self, refs: Mapping[str, str], gone: Iterable[str] = ()) -> None:
        """Set refs to commits and remove others, all of them or none."""
        lines = [f"update {name} {commit}\n" for name, commit in refs.items()]
        lines += [f"delete {name}\n" for name in gone]
        with self.piped("update-ref", "--stdin") as pipe:
            pipe.write("".join(lines).encode())

    def refs(self, prefix: str) -> dict[str, str]:
        """The refs below ``prefix`` by their full names, each with the commit it names."""
        form = (
            "--format=%(refname) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)"
        )
        lines = self.run("for-each-ref", form, prefix).splitlines()
        return dict(line.rsplit(" ", 1) for line in lines)


def _signed(role: str, name: str, address: str, when: int) -> dict[str, str]:
    return {
        f"GIT_{role}_NAME": name,
        f"GIT_{role}_EMAIL": address,
        f"GIT_{role}_DATE": f"@{when} +0000",
    }
