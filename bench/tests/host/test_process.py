# SPDX-License-Identifier: GPL-2.0-only
"""What programs get to see of the caller's environment, and what is left of them when it dies."""

import os
import subprocess
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from limits import until
from processes import JUNK, below

from zapbench.error import EnvironmentMissing
from zapbench.host import file, process

GITS = {"PYTHONPATH"}  # git-bisect(1) runs zapbench


@pytest.mark.parametrize("name", JUNK)
def test_no_program_sees_what_nobody_listed(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(name, "junk")
    for program in ("make", "qemu-system-x86_64", "apt-get", "tar", "gcc", "/usr/bin/make"):
        assert name not in process.environment(program)
    assert (name in process.environment("git")) == (name in GITS)


def test_what_is_needed_comes_through(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "CCACHE_DIR", "SSH_AUTH_SOCK", "APT_CONFIG", "npm_config_cache"):
        monkeypatch.setenv(name, "given")
    shown = {
        program: process.environment(program, {"MORE": "1"})
        for program in ("make", "git", "apt-get", "npm", "qemu-system-x86_64")
    }
    for seen in shown.values():
        assert (seen["PATH"], seen["LC_ALL"], seen["MORE"]) == (os.environ["PATH"], "C", "1")
    holders = {
        name: {program for program, seen in shown.items() if name in seen}
        for name in ("http_proxy", "CCACHE_DIR", "SSH_AUTH_SOCK", "APT_CONFIG", "npm_config_cache")
    }
    assert holders == {
        "http_proxy": {"git", "apt-get", "npm"},
        "CCACHE_DIR": {"make"},
        "SSH_AUTH_SOCK": {"git"},
        "APT_CONFIG": {"apt-get"},
        "npm_config_cache": {"npm"},
    }


def test_a_program_gets_that_environment_and_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("LLVM", "1")
    seen = dict(line.split("=", 1) for line in process.output(["env"]).splitlines())
    # What a shell on the way tells of itself changes nothing.
    assert seen.keys() - {"PWD", "OLDPWD", "_"} == process.environment("env").keys()


# A make whose child has a child that left its process group, and one that left its session.
FAMILY = """\
all:
\t@sh -c 'setsid sleep 1000 & sleep 1000 & echo started > started; wait'
"""
HOLDER = """\
import sys
from pathlib import Path
from zapbench.host import file, process
if sys.argv[1] == "plain":
    process.namespace = lambda: ()
with file.locked(Path("lock")), process.running(["make", "-s", "all"]) as make:
    make.wait()
"""


@pytest.fixture
def family(tmp_path: Path) -> Iterator[Path]:
    """A directory for `HOLDER`; what still runs in it is killed."""
    (tmp_path / "Makefile").write_text(FAMILY)
    yield tmp_path
    for pid in below(tmp_path):
        os.kill(pid, 9)


def killed_in_the_middle(family: Path, way: str) -> None:
    """Start a family under a lock, and kill zapbench with SIGKILL while it runs."""
    command = [sys.executable, "-c", HOLDER, way]
    with subprocess.Popen(command, cwd=family) as zapbench:
        try:
            until((family / "started").exists, "the family")
            assert len(below(family)) > 4
            assert is_locked(family)
        finally:
            zapbench.kill()


def is_locked(family: Path) -> bool:
    try:
        with file.locked(family / "lock", patience=0):
            return False
    except EnvironmentMissing:
        return True


def test_no_descendant_survives_in_a_namespace(family: Path) -> None:
    if not process.namespace():
        pytest.skip("this user can make no pid namespace")
    killed_in_the_middle(family, "enclosed")
    until(lambda: below(family) == [], "the end of the family")
    assert not is_locked(family)


def test_elsewhere_what_survives_holds_the_lock(family: Path) -> None:
    killed_in_the_middle(family, "plain")
    until(lambda: len(below(family)) < 4, "the end of make")  # make is gone
    survivors = below(family)
    assert survivors
    assert is_locked(family)
    for pid in survivors:
        os.kill(pid, 9)
    until(lambda: below(family) == [], "the end of the family")
    assert not is_locked(family)


def test_the_end_of_a_block_is_the_end_of_the_family(family: Path) -> None:
    with process.running(["make", "-s", "all"], cwd=family) as make:
        until((family / "started").exists, "the family")
        process.end(make)
    if process.namespace():
        until(lambda: below(family) == [], "the end of the family")
    assert make.returncode == -9


def test_a_program_is_not_started_for_a_parent_that_is_gone(tmp_path: Path) -> None:
    command = process.tied(["touch", str(tmp_path / "touched")])
    assert subprocess.run(command, check=False).returncode == 0
    (tmp_path / "touched").unlink()
    other = [word if word != str(os.getpid()) else "1" for word in command]
    assert subprocess.run(other, check=False).returncode != 0
    assert not (tmp_path / "touched").exists()


def test_how_a_program_ended_is_told(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text("all:\n\t@exit 3\n")
    for command, status in ((["make", "-s"], 2), (["sh", "-c", "kill -9 $$"], -9)):
        with process.running(command, cwd=tmp_path) as ended:
            ended.communicate()
        assert ended.returncode == status


def test_threads_do_not_lend_each_other_their_locks(tmp_path: Path) -> None:
    with file.locked(tmp_path / "lock"):
        (descriptor,) = file.held()
        shown = process.output(["ls", "-l", "/proc/self/fd"])
        assert f"{descriptor} -> {tmp_path}/lock" in shown
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(file.held).result() == ()
    assert file.held() == ()
