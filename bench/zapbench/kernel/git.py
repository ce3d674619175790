# SPDX-License-Identifier: GPL-2.0-only
"""Running git on repositories of our own, which no configuration of user or machine changes.

Git is never run in somebody else's repository, whose configuration, hooks and attributes could
name programs: what is there is shown in one of ours (`zapbench.kernel.clone`).
"""

import os
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from zapbench.error import EnvironmentMissing, ZapbenchError
from zapbench.host.file import write_if_changed
from zapbench.host.process import running

DEVELOPERS = ("zapbench developers", "zapbench@localhost")

Signature = tuple[str, str, int]
"""A person's name and address, and a time in seconds since 1970."""

NOWHERE = Path("/")
"""Where git runs: a repository around the working directory has no say."""
FETCH = ("fetch", "--quiet", "--no-tags", "--no-recurse-submodules")

_SETTINGS = {
    # Nothing is run but git itself,
    "core.hooksPath": os.devnull,
    "core.fsmonitor": "false",
    "core.alternateRefsCommand": "true",  # the program: it knows no refs
    "gc.auto": "0",
    "maintenance.auto": "false",
    # and a file is the bytes of its blob.
    "core.attributesFile": os.devnull,
    "core.autocrlf": "false",
    "core.fileMode": "true",
    "core.sparseCheckout": "false",
    "core.symlinks": "true",
}
"""What outranks the configuration of every repository and user."""

_SEALED = {
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
    "GIT_ATTR_NOSYSTEM": "1",
    "GIT_NO_REPLACE_OBJECTS": "1",
    "GIT_OPTIONAL_LOCKS": "0",
    "GIT_ALLOW_PROTOCOL": "",  # what a partial clone lacks is an error, not fetched
}

_ABOUT_A_REPOSITORY = {
    *("GIT_DIR", "GIT_COMMON_DIR", "GIT_WORK_TREE", "GIT_IMPLICIT_WORK_TREE", "GIT_PREFIX"),
    *("GIT_INDEX_FILE", "GIT_OBJECT_DIRECTORY", "GIT_ALTERNATE_OBJECT_DIRECTORIES"),
    *("GIT_NAMESPACE", "GIT_GRAFT_FILE", "GIT_SHALLOW_FILE", "GIT_REPLACE_REF_BASE"),
    *("GIT_NO_REPLACE_OBJECTS", "GIT_INTERNAL_SUPER_PREFIX"),
}
"""Variables by which a caller (a hook, a bisection) names its own repository."""


def attributes(text: str) -> str:
    """What outranks the attributes of a tree, so that eol=crlf, say, in it changes no byte.

    ``text`` is how line endings are taken instead.
    """
    return f"* {text} !eol !crlf !ident !filter !working-tree-encoding\n"


@dataclass(frozen=True, slots=True)
class Repository:
    """The git directory at ``path``, which is ours."""

    path: Path

    @property
    def environment(self) -> dict[str, str]:
        """What a git command needs in its environment, which must hold no other GIT_*."""
        # Same input, same hashes: no line endings, encodings or signatures of the user's choice.
        index = str(self.path / "zapbench.index")
        return {"GIT_DIR": str(self.path), "GIT_INDEX_FILE": index, **_SEALED}

    @staticmethod
    def command(words: Sequence[str]) -> list[str]:
        """The command line of ``git WORDS``."""
        settings = (f"{name}={value}" for name, value in _SETTINGS.items())
        return ["git", *(word for each in settings for word in ("-c", each)), *words]

    def make(self, objects: Path | None = None, *, hash_length: int = 40, config: str = "") -> None:
        """Make it, bare, in a directory that may exist; its objects and refs stay.

        ``objects`` is a directory of objects that it borrows, whose names have ``hash_length`` hex
        digits; ``config`` is added to its configuration.
        """
        for each in ("objects/info", "refs", "info"):
            (self.path / each).mkdir(parents=True, exist_ok=True)
        form = "[core]\nrepositoryFormatVersion = 1\nbare = true\n"
        if hash_length == 64:
            form += "[extensions]\nobjectFormat = sha256\n"
        files = {
            "config": f"{form}{config}",
            "info/attributes": attributes("-text"),
            "HEAD": "ref: refs/heads/main\n",
        }
        for name, text in files.items():
            write_if_changed(self.path / name, text.encode(errors="surrogateescape"))
        if objects is not None:
            (self.path / "objects/info/alternates").write_bytes(os.fsencode(objects) + b"\n")

    def told(
        self, *words: str, env: Mapping[str, str] | None = None, given: bytes = b""
    ) -> tuple[int, bytes, str]:
        """The status of a git command that is ``given`` input, its output, and its messages.

        Raises:
            EnvironmentMissing: git is not installed.
        """
        everything = {**self.environment, **(env or {})}
        pipe = subprocess.PIPE
        command = self.command(words)
        with running(command, cwd=NOWHERE, env=everything, stdin=pipe, stderr=pipe) as process:
            out, err = process.communicate(given)
        return process.returncode, out, err.decode(errors="replace").strip()

    def run(
        self,
        *words: str,
        env: Mapping[str, str] | None = None,
        given: bytes = b"",
        failure: type[ZapbenchError] = EnvironmentMissing,
        purpose: str = "",
    ) -> str:
        """What a git command prints; a byte that is not UTF-8 becomes a lone surrogate.

        Raises:
            EnvironmentMissing: git is not installed.
            failure: the command failed.
        """
        status, out, err = self.told(*words, env=env, given=given)
        if status:
            purpose = purpose or f"git {words[0]} in {self.path}"
            raise failure(f"{purpose}: {(err or 'no message').splitlines()[-1]}")
        return out.decode(errors="surrogateescape")

    @contextmanager
    def piped(self, *words: str) -> Iterator[IO[bytes]]:
        """The standard input of a git command, which must end well when the block does.

        Raises:
            EnvironmentMissing: it failed; the message has the last line that it wrote.
        """
        command = self.command(words)
        with running(command, cwd=NOWHERE, env=self.environment, stdin=subprocess.PIPE) as process:
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

    def fetch(self, url: str, *words: str) -> str:
        """Run ``git WORDS`` with a URL in it, and the user's configuration: credentials, proxies.

        A ``file:`` URL needs none of it: there, git's guard against the repositories of other
        users holds whatever the user's configuration says.

        Raises:
            EnvironmentMissing: it failed.
        """
        kept = {n: v for n, v in os.environ.items() if n.startswith("GIT_")}
        user = {n: v for n, v in kept.items() if n not in _ABOUT_A_REPOSITORY}
        if url.startswith("file:"):
            user = {**_SEALED, "GIT_ALLOW_PROTOCOL": "file"}
        env = {**user, "GIT_DIR": str(self.path), "GIT_TERMINAL_PROMPT": "0"}
        command = self.command(words)
        pipe = subprocess.PIPE
        with running(command, cwd=NOWHERE, env=env, stderr=pipe) as process:
            out, err = process.communicate()
        if process.returncode:
            said = err.decode(errors="replace").strip().splitlines() or ["no message"]
            fatal = [line for line in said if line.startswith("fatal:")]
            raise EnvironmentMissing((fatal or said[-1:])[0])
        return out.decode(errors="surrogateescape")

    def objects(self, names: Iterable[str]) -> dict[str, tuple[str, bytes]]:
        """The type and content of objects by their names; what is not there is left out."""
        asked = "".join(f"{name}\n" for name in names).encode()
        _, out, _ = self.told("cat-file", "--batch", given=asked)
        found, at = {}, 0
        while at < len(out):
            end = out.index(b"\n", at)
            name, kind, *size = out[at:end].decode().split(" ")
            at = end + 1
            if size:
                found[name] = kind, out[at : at + int(size[0])]
                at += int(size[0]) + 1
        return found

    def commit(
        self, tree: str, parent: str | None, message: str, author: Signature, when: int
    ) -> str:
        """Make a commit by us at ``when`` (seconds since 1970); its hash."""
        env = {**_signed("AUTHOR", *author), **_signed("COMMITTER", *DEVELOPERS, when)}
        parents = ("-p", parent) if parent else ()
        text = f"{message}\n".encode()
        return self.run("commit-tree", tree, *parents, "-F", "-", env=env, given=text).strip()

    def update(self, refs: Mapping[str, str], gone: Iterable[str] = ()) -> None:
        """Set refs to commits and remove others, all of them or none."""
        lines = [f"update {name} {commit}\n" for name, commit in refs.items()]
        lines += [f"delete {name}\n" for name in gone]
        with self.piped("update-ref", "--stdin") as pipe:
            pipe.write("".join(lines).encode(errors="surrogateescape"))

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
