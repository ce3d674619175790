# SPDX-License-Identifier: GPL-2.0-only
"""Advice that needs root works as it is printed, for root and for others."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

ADVICE = """
import os, sys
from zapbench.host.root import as_root, write_as_root
if os.geteuid() == 0:
    os.setuid(int(sys.argv[1]))
print(as_root("zapbench doctor --restore"))
print(as_root("sysctl vm.unprivileged_userfaultfd=1"))
print(write_as_root("1", "/a", "/b*"))
"""
NOBODY = 65534


def told(uid: int, path: str) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", ADVICE, str(uid)],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PATH": path},
    )
    return done.stdout.splitlines()


@pytest.mark.skipif(os.geteuid() != 0, reason="is for root")
def test_root_is_told_no_sudo() -> None:
    assert told(0, os.environ["PATH"]) == [
        "zapbench doctor --restore",
        "sysctl vm.unprivileged_userfaultfd=1",
        "echo 1 | tee /a /b*",
    ]


def test_others_are_told_a_path_where_sudo_would_not_find_the_program(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    (tmp_path / "a b").mkdir()
    program = tmp_path / "a b/zapbench"
    program.touch(mode=0o755)
    restore, sysctl, tee = told(NOBODY, f"{program.parent}:{os.environ['PATH']}")
    words = shlex.split(restore)
    assert words[0] == "sudo"
    assert Path(words[1]).name == "zapbench"
    assert Path(words[1]).is_file()
    assert words[2:] == ["doctor", "--restore"]
    assert sysctl.startswith("sudo ")
    assert tee == "echo 1 | sudo tee /a /b*"
