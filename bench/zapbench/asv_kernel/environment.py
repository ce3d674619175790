# SPDX-License-Identifier: GPL-2.0-only
"""asv's environment of a kernel: installing a commit is making its image, a round is a boot.

asv asks an environment to run its benchmark script.  The script's own functions run here, in
this process, since all that a benchmark does is to look its figure up; what takes long, builds
and boots, happens when the first figure of a commit or round is asked for.  Thus discovery
builds nothing, and a commit that does not build or boot gives failed points, not an end.
"""

import contextlib
import io
import json
import os
import sys
import traceback
from collections import Counter
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from asv import util
from asv.console import log
from asv.environment import Environment
from asv_runner.check import _check
from asv_runner.run import _run

from zapbench.asv_kernel import options, suite
from zapbench.asv_kernel.identity import remember
from zapbench.asv_kernel.options import Options
from zapbench.asv_kernel.repository import KernelGit
from zapbench.error import BuildFailed, LostVm, UsageError, ZapbenchError
from zapbench.kept_boots import KeptBoots, within
from zapbench.kernel.build import Image, build
from zapbench.kernel.catalogue import GitSource, Kernel
from zapbench.target import Target
from zapbench.vm import VmTarget

ACTIONS: dict[str, Callable[[list[str]], None]] = {
    "check": _check,
    "discover": suite.write_discovered,
    "run": _run,
}
"""What asv asks for, by the first argument of its script."""


class KernelEnvironment(Environment):  # type: ignore[misc] # asv has no types
    """A way of building and booting kernels: one row of the matrix of asv.conf.json."""

    tool_name = "kernel"

    def __init__(
        self, conf: Any, python: str, requirements: dict[str, str], tagged_env_vars: Any
    ) -> None:
        if requirements:
            names = ", ".join(requirements)
            raise util.UserError(f"asv.conf.json: a kernel has no Python packages ({names})")
        if "--append-samples" in sys.argv:  # asv tells an environment nothing of it
            raise util.UserError(
                "boots are kept, and would be counted twice: for more of them, -a rounds=N"
            )
        try:
            self._options = Options.of(getattr(conf, "kernel", {}))
        except UsageError as error:
            raise util.UserError(str(error)) from error
        # Absolute now: benchmarks run in another directory.
        self._records, self._told = self._options.directory, self._options.variables
        self._python = python
        self._requirements: dict[str, str] = {}
        self._tagged_env_vars = tagged_env_vars
        self._repo: KernelGit | None = None
        self._images: dict[str, Image | ZapbenchError] = {}
        self._boots: dict[str, KeptBoots] = {}
        self._lost: dict[tuple[str, int], ZapbenchError] = {}
        self._asked: Counter[tuple[str | None, str]] = Counter()
        super().__init__(conf, python, {}, tagged_env_vars)

    @property
    def name(self) -> str:
        """``kernel-icount``: asv's own names hold the version of Python, which plays no part."""
        return "-".join([self.tool_name, *(value for _, value in sorted(self.env_vars.items()))])

    @property
    def accel(self) -> str:
        """The accelerator that boots the kernels."""
        return str(self.env_vars.get(options.ACCEL, "icount"))

    def check_presence(self) -> bool:
        """Whether asv's directory is there: it holds nothing but the commit in use."""
        return Path(self._path).is_dir()

    def _setup(self) -> None:
        Path(self._path).mkdir(parents=True, exist_ok=True)

    def install_project(self, conf: Any, repo: KernelGit, commit_hash: str) -> None:  # noqa: ARG002
        """Remember the commit; its image is made when the first figure is asked for."""
        self._repo = repo
        self._set_commit_hash(commit_hash)
        self._set_installed_commit_hash(commit_hash)

    def run(self, args: list[str], **wanted: Any) -> Any:
        """Do what asv's script would do in a process of its own; see `asv.util.check_output`."""
        action, *words = args[1:]
        said = io.StringIO()
        status = 0
        try:
            self._ready(action, words)
            with (
                contextlib.redirect_stdout(said),
                contextlib.redirect_stderr(said),
                _variables(self._told),
                contextlib.chdir(wanted.get("cwd") or "."),
            ):
                ACTIONS[action](words)
        except ZapbenchError as error:
            said.write(f"{error}\n")
            status = 1
        except Exception:
            said.write(traceback.format_exc())
            status = 1
        valid = wanted.get("valid_return_codes", (0,))
        if valid is not None and status not in valid:
            raise util.ProcessError(args, status, said.getvalue(), "")
        return (said.getvalue(), "", status) if wanted.get("return_stderr") else said.getvalue()

    def _ready(self, action: str, words: list[str]) -> None:
        """Make what a benchmark will look its figure up in: the image, and the boot of its round.

        Raises:
            ZapbenchError: the commit cannot be built or booted; then all of it has failed, the
                cases that the tables rule out too, and `asv find` tries another.
        """
        if action != "run":
            return
        _, benchmark, parameters, *_ = words
        commit = self.installed_commit_hash
        if self._repo is None or commit is None:
            raise UsageError("asv -j is not for kernels: one build takes all CPUs already")
        boot = self._asked[commit, benchmark]
        self._asked[commit, benchmark] += 1
        planned = int(json.loads(parameters).get("rounds", self._options.rounds))
        image = self._image(commit)
        if (image.build_id, boot) in self._lost:
            raise self._lost[image.build_id, boot]
        boots = self._boots_of(image)
        try:
            with within(self._options.boot_seconds, f"boot {boot}", LostVm):
                boots.make(boot, planned)
        except LostVm as error:
            self._lost[image.build_id, boot] = error
            log.error(f"{commit[:12]} does not run: {error}")
            raise
        suite.SOURCE.set(lambda case: boots.figure(case, boot))

    def _boots_of(self, image: Image) -> KeptBoots:
        if image.build_id not in self._boots:
            names = [str(case) for case in suite.cases()]
            made = KeptBoots(self._records, image, names, self._machine, accel=self.accel)
            self._boots[image.build_id] = made
        return self._boots[image.build_id]

    def _machine(self, image: Image) -> Target:
        return VmTarget(str(image.bzimage), self.accel)

    def _image(self, commit: str) -> Image:
        """The image of a commit.

        Raises:
            BuildFailed, EnvironmentMissing, UsageError: now, or when it was asked for first.
        """
        assert self._repo is not None
        if commit not in self._images:
            source = GitSource(str(self._repo.path), commit)
            configuration = self.env_vars.get(options.CONFIG)
            try:
                with within(self._options.build_seconds, f"building {commit[:12]}", BuildFailed):
                    made = build(Kernel(commit[:12], source), configuration=configuration)
                remember(self._records, commit, made)
                self._images[commit] = made
            except ZapbenchError as error:
                self._images[commit] = error
                log.error(f"{commit[:12]} does not build: {error}")
        outcome = self._images[commit]
        if isinstance(outcome, ZapbenchError):
            raise outcome
        return outcome


@contextlib.contextmanager
def _variables(values: dict[str, str]) -> Iterator[None]:
    before = {name: os.environ.get(name) for name in values}
    os.environ.update(values)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
