# SPDX-License-Identifier: GPL-2.0-only
"""The command line, in this process and as a process."""

import os
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

import pytest
from places import TESTS

from zapbench import cli
from zapbench.case import Case


def fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail with status 2, and return its only line."""
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    err: str = capsys.readouterr().err
    assert err.startswith("zapbench: ")
    assert err.count("\n") == 1
    return err


DATA = TESTS / "data"
SMALL = DATA / "small.jsonl"
PLACE = "*/shmem/4k/64k*"
REMAP = Case.parse("zap/remap/shmem/4k/64k")


class Outcome:
    """How a command ended."""

    def __init__(self, capsys: pytest.CaptureFixture[str], arguments: Iterable[object]) -> None:
        with pytest.raises(SystemExit) as caught:
            cli.main([str(argument) for argument in arguments])
        assert isinstance(caught.value.code, int)
        self.status = caught.value.code
        self.out: str
        self.err: str
        self.out, self.err = capsys.readouterr()

    @property
    def line(self) -> str:
        """The only line on standard error."""
        assert self.err.startswith("zapbench: ")
        assert self.err.count("\n") == 1, self.err
        return self.err


Command = Callable[..., Outcome]
Replay = Callable[..., None]


def run_small(zapbench: Command, *more: object) -> Outcome:
    return zapbench("run", "--quick", PLACE, "zap/dontneed/hugetlb/2m/2m", "--boots", 3, *more)


def golden(name: str, text: str) -> None:
    """Compare with a committed file; ZAPBENCH_GOLDEN=write makes it anew."""
    path = DATA / name
    if os.environ.get("ZAPBENCH_GOLDEN") == "write":
        path.write_text(text)
    assert text == path.read_text()


def trimmed(text: str) -> str:
    return "".join(f"{line.rstrip()}\n" for line in text.splitlines())


def start(*arguments: object, cwd: Path | None = None) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "zapbench", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=cwd,
    )
