# SPDX-License-Identifier: GPL-2.0-only
"""An archive of four toy releases, and the history made of it."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import toy_archive
import toy_kernel
from toy_kernel import git

from zapbench.host import cache
from zapbench.kernel import catalogue
from zapbench.kernel.history import releases

Require = Callable[[object, str], None]
KERNELS = """\
[kernel."1.2"]
debian = "linux-source-1.2"
series = { zap = "series/1.2" }
[kernel."1.10"]
debian = "linux-source-1.10"
"""
SECOND = """\
From 0000000000000000000000000000000000000000 Mon Sep 17 00:00:00 2001
From: Some One <some@localhost>
Date: Fri, 07 Mar 2025 12:00:00 +0200
Subject: [RFC PATCH 2/2] init: end at
 once

Why: it may.

Signed-off-by: Some One <some@localhost>
---
 init/main.c | 2 +-

diff --git a/init/main.c b/init/main.c
--- a/init/main.c
+++ b/init/main.c
@@ -1 +1 @@
-void start(void) { for (;;) ; }
+void start(void) { }
"""
# The older line goes on after the newer one began: its last release is the newest of all.
DATES = {
    "1.2.3": "Mon, 06 Jan 2025 10:00:00 +0100",
    "1.2.4": "Thu, 06 Mar 2025 10:00:00 +0100",
    "1.10.1": "Thu, 06 Feb 2025 10:00:00 +0000",
    "1.10.2": "Tue, 01 Apr 2025 10:00:00 +0000",
}
SERIES = 1741341600  # 2025-03-07 10:00 UTC


def files(name: str) -> dict[str, str]:
    """The toy with what git finds hard: ignored, executable, linked, oddly named."""
    hard = {
        ".gitignore": "*.o\n",
        "kept.o": "not ignored",
        "run.sh": "#!/bin/sh\n",
        "link": "->Makefile",
        "same": "=Makefile",
        'odd "name"\\ é': name,
        "no text \udcff": "->\udcfe",
        "VERSION": name,
    }
    return toy_kernel.FILES | hard


def offer(directory: Path, *names: str) -> None:
    """Let the archive have these releases."""
    for name in names:
        package = f"linux-source-{name.rpartition('.')[0]}"
        toy_archive.package(directory / "pool", package, f"{name}-1", files(name), DATES.get(name))
    toy_archive.index(directory, "toys")
    toy_archive.read_lists()


@pytest.fixture
def toy_apt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, require: Require) -> Iterator[Path]:
    """A machine whose apt offers four releases of two lines."""
    for program in ("apt-get", "dpkg-deb", "git"):
        require(shutil.which(program), f"{program} is not installed")
    kernels = tmp_path / "kernel"
    (kernels / "series/1.2").mkdir(parents=True)
    (kernels / "kernels.toml").write_text(KERNELS)
    (kernels / "series/1.2/0001-zap.patch").write_text(toy_kernel.PATCH)
    (kernels / "series/1.2/0002-init.patch").write_text(SECOND)
    monkeypatch.setenv("ZAPBENCH_KERNEL_DIR", str(kernels))
    toy_archive.configure(tmp_path, monkeypatch)
    monkeypatch.setattr(releases, "SIZE", 1 << 20)
    catalogue.directory.cache_clear()
    offer(tmp_path / "archive", *DATES)
    yield tmp_path
    catalogue.directory.cache_clear()


def make(path: Path, *globs: str) -> releases.Made:
    """A history without progress."""
    return releases.make(path, globs, cache.no_progress)


def log(path: Path, ref: str, form: str) -> list[str]:
    """One line for each commit of a ref, oldest first."""
    return git(path, "log", "--reverse", f"--format={form}", ref, "--").splitlines()


def heads(path: Path) -> dict[str, str]:
    """Every ref of a repository."""
    said = git(path, "for-each-ref", "--format=%(refname) %(objectname)")
    return dict(line.split(" ") for line in said.splitlines())
