# SPDX-License-Identifier: GPL-2.0-only
"""A build that is killed half-way leaves neither writers without a lock nor half an object."""

import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
import toy_kernel
from limits import until
from processes import below

from zapbench.error import EnvironmentMissing
from zapbench.host import cache, file, process
from zapbench.kernel import build
from zapbench.kernel.catalogue import parse

pytestmark = pytest.mark.usefixtures("toy")

SLOW = """\
\t@if test -e {hold}; then echo half > $@; setsid sleep 1000 & sleep 1000 & \
touch {started}; wait; fi
\t@$(CC) -c -o $@ $<
"""
BUILD = """\
import sys
from zapbench.host import process
from zapbench.kernel import build, catalogue
if sys.argv[2] == "plain":
    process.namespace = lambda: ()
build.build(catalogue.parse(sys.argv[1]))
"""


@pytest.fixture
def hold(tmp_path: Path) -> Iterator[Path]:
    """A repository in ``linux`` whose compiler writes half an object and waits, while this exists.

    What still runs in the cache at the end is killed.
    """
    linux, hold = tmp_path / "linux", tmp_path / "hold"
    toy_kernel.repository(linux)
    recipe = SLOW.format(hold=hold, started=tmp_path / "started")
    makefile = toy_kernel.MAKEFILE.replace("\t@$(CC) -c -o $@ $<\n", recipe)
    (linux / "Makefile").write_text(makefile)
    toy_kernel.git(linux, "commit", "-q", "-a", "-m", "slow")
    (linux / "mm/madvise.c").write_text(toy_kernel.MADVISE.replace("return 2", "return 4"))
    toy_kernel.git(linux, "commit", "-q", "-a", "-m", "changed")
    yield hold
    for pid in below(cache.root()):
        os.kill(pid, 9)


def kill_half_way(hold: Path, way: str) -> None:
    """Build the base, then kill zapbench with SIGKILL while it compiles a commit on top."""
    build.build(parse(f"git:{hold.parent}/linux@main~1"))
    hold.touch()
    command = [sys.executable, "-c", BUILD, f"git:{hold.parent}/linux@main", way]
    with subprocess.Popen(command) as zapbench:
        try:
            until((hold.parent / "started").exists, "the compiler")
            assert below(cache.root())
        finally:
            zapbench.kill()
    hold.unlink()


def clean(hold: Path, monkeypatch: pytest.MonkeyPatch) -> bytes:
    """What the commit's image is when nothing was ever killed."""
    with monkeypatch.context() as patch:
        patch.setenv("ZAPBENCH_CACHE", str(hold.parent / "another"))
        return build.build(parse(f"git:{hold.parent}/linux@main")).bzimage.read_bytes()


def test_all_compilers_die_with_it_and_the_next_build_is_right(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not process.namespace():
        pytest.skip("this user can make no pid namespace")
    kill_half_way(hold, "enclosed")
    until(lambda: below(cache.root()) == [], "the end of the compilers")
    tree = next((cache.root() / "tree").iterdir())
    halves = list(tree.glob("source/.zapbench-*/mm/madvise.o"))
    assert [half.read_text() for half in halves] == ["half\n"]
    after = build.build(parse(f"git:{hold.parent}/linux@main"))
    assert after.bzimage.read_bytes() == clean(hold, monkeypatch)


def test_where_compilers_survive_the_next_build_waits_for_them(
    hold: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kill_half_way(hold, "plain")
    survivors = below(cache.root())
    assert survivors
    tree = next((cache.root() / "tree").iterdir()).name
    with pytest.raises(EnvironmentMissing), file.locked(cache.root() / "lock" / tree, patience=0):
        pass
    stages: list[str] = []
    images: list[build.Image] = []
    name = f"git:{hold.parent}/linux@main"

    def again() -> None:
        images.append(build.build(parse(name), progress=lambda stage, *_: stages.append(stage)))

    waiting = threading.Thread(target=again)
    waiting.start()
    until(lambda: "waiting for another run" in stages, "the other build")
    assert images == []
    for pid in below(cache.root()):
        os.kill(pid, 9)
    waiting.join()
    assert images[0].bzimage.read_bytes() == clean(hold, monkeypatch)
    shutil.rmtree(hold.parent / "another")
