# SPDX-License-Identifier: GPL-2.0-only
"""asv's view of a kernel repository: read only, and fast on one of a million commits."""

import contextlib
import weakref
from collections.abc import Collection
from pathlib import Path
from typing import Any

from asv import util
from asv.plugins.git import Git

from zapbench.error import UsageError
from zapbench.host import process
from zapbench.kernel import clone
from zapbench.kernel.git import NOWHERE, Repository


class KernelGit(Git):  # type: ignore[misc] # asv has no types
    """A git repository with kernel source; nothing is ever checked out in it."""

    dvcs = "kernelgit"

    def __init__(self, url: str, mirror_path: str) -> None:
        if "://" not in url and "@" not in url and not self.is_local_repo(url):
            raise util.UserError(
                f"no repository at {url}: make one with `zapbench kernel history -o {url}`, "
                "or name your clone as `repo` in asv.conf.json"
            )
        super().__init__(url, mirror_path)
        self._read = Repository(self.path)  # asv's own mirror
        if self.is_local_repo(url):
            shown = contextlib.ExitStack()
            try:
                self._read = shown.enter_context(clone.find(Path(url)).shown())
            except UsageError as error:
                raise util.UserError(str(error)) from error
            weakref.finalize(self, shown.close)

    def _run_git(self, args: list[str], cwd: bool | None = True, **options: Any) -> Any:
        """Run git in a repository of ours, never where somebody's configuration would be obeyed."""
        if args[0] in ("clone", "fetch"):  # from a URL, into the mirror
            return super()._run_git(args, cwd, **options)
        env = process.environment("git", self._read.environment)
        return util.check_output(self._read.command(args), env=env, cwd=NOWHERE, **options)

    @property
    def path(self) -> Path:
        """The repository, or asv's mirror of it."""
        return Path(self._path)

    @classmethod
    def url_match(cls, url: str) -> bool:  # noqa: ARG003 - asv's
        """Never chosen by a URL: asv.conf.json asks for it by ``dvcs``."""
        return False

    def get_date(self, commit: str) -> int:
        """When a commit was committed, in milliseconds: rebased patches keep old author dates."""
        shown = self._run_git(["show", "-s", "--format=%ct", f"{commit}^{{commit}}"], dots=False)
        return int(shown.split()[-1]) * 1000

    def get_tags(self) -> dict[str, str]:
        """Commits by tag.

        linux.git tags a tree (v2.6.11-tree), which is no revision of anything.
        """
        fields = "%(objecttype) %(objectname) %(*objecttype) %(*objectname) %(refname:strip=2)"
        listed = self._run_git(["for-each-ref", f"--format={fields}", "refs/tags"], dots=False)
        tags = {}
        for line in listed.splitlines():
            words = line.split()
            if words[0] == "commit":
                tags[words[-1]] = words[1]
            elif words[2:3] == ["commit"]:
                tags[words[-1]] = words[3]
        return tags

    def get_name_from_hash(self, commit: str) -> str | None:
        """The tag of a commit; asv's name-rev walks all of the history for it."""
        try:
            command = ["describe", "--tags", "--exact-match", commit]
            return str(self._run_git(command, display_error=False, dots=False)).strip()
        except util.ProcessError:
            return None

    def get_revisions(self, commits: Collection[str]) -> dict[str, int]:
        """Number commits such that each comes after its parents."""
        if not commits:
            return {}
        walk = ["rev-list", "--date-order", "--reverse", *sorted(commits)]
        wanted = set(commits)
        listed = enumerate(self._run_git(walk, dots=False).split())
        return {commit: number for number, commit in listed if commit in wanted}
