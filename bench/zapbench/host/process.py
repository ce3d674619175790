# SPDX-License-Identifier: GPL-2.0-only
"""Running the programs that fetch and build: a fixed environment, and none outlives zapbench."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from zapbench.error import EnvironmentMissing, ZapbenchError
from zapbench.host.packages import PROGRAMS, install

# What a caller's environment (a make, a git hook) would change in a build or a check-out.
_UNWANTED = {
    *("MAKEFLAGS", "MFLAGS", "MAKELEVEL", "MAKEOVERRIDES", "ARCH", "CROSS_COMPILE"),
    *("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX", "GIT_OBJECT_DIRECTORY"),
}
_UNWANTED_PREFIXES = ("KBUILD_", "KCONFIG_", "KCFLAGS", "KCPPFLAGS", "KAFLAGS", "LC_", "LANG")


def find(program: str) -> str:
    """The path of a program, also when /usr/sbin is not in PATH (mke2fs).

    Raises:
        EnvironmentMissing: it is not installed.
    """
    path = os.environ.get("PATH", os.defpath) + ":/usr/sbin:/sbin"
    found = shutil.which(program, path=path)
    if found is None:
        raise EnvironmentMissing(
            f"{program} is not installed: {install(PROGRAMS.get(program, program))}"
        )
    return found


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """This process's environment without what would change a build, in the C locale."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if name not in _UNWANTED and not name.startswith(_UNWANTED_PREFIXES)
    }
    return {**kept, "LC_ALL": "C", **(extra or {})}


def tied(argv: Sequence[str]) -> list[str]:
    """The command such that the kernel kills it when this process dies, even by SIGKILL."""
    program, *arguments = argv
    return [find("setpriv"), "--pdeathsig", "KILL", "--", find(program), *arguments]


@contextmanager
def running(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    stdin: int | IO[bytes] | None = subprocess.DEVNULL,
    stdout: int | IO[bytes] | None = subprocess.PIPE,
    stderr: int | IO[bytes] | None = subprocess.STDOUT,
) -> Iterator[subprocess.Popen[bytes]]:
    """A program in a process group of its own, ended with the block.

    Raises:
        EnvironmentMissing: it is not installed.
    """
    process = subprocess.Popen(
        tied(argv),
        cwd=cwd,
        env=environment(env),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
    )
    try:
        yield process
    except BaseException:
        end(process)
        raise
    finally:
        process.wait()
        end(process)  # what it left behind
        for stream in (process.stdout, process.stderr):
            if stream is not None:
                stream.close()


def end(process: subprocess.Popen[bytes]) -> None:
    """Kill a program that `running` started, with all that it started itself."""
    with suppress(ProcessLookupError):
        os.killpg(process.pid, signal.SIGKILL)


def output(
    argv: Sequence[str],
    *,
    cwd: Path | None = None,
    env: Mapping[str, str] | None = None,
    failure: type[ZapbenchError] = EnvironmentMissing,
    purpose: str = "",
) -> str:
    """What a program prints on standard output.

    Raises:
        EnvironmentMissing: it is not installed.
        failure: it failed; the message is ``purpose`` and the last line that it wrote.
    """
    with running(argv, cwd=cwd, env=env, stderr=subprocess.PIPE) as process:
        out, err = process.communicate()
    if process.returncode:
        lines = (err.decode(errors="replace").strip() or "no message").splitlines()
        raise failure(f"{purpose or argv[0]}: {lines[-1]}")
    return out.decode(errors="replace")
