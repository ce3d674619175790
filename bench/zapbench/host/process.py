# SPDX-License-Identifier: GPL-2.0-only
"""Running other programs: in an environment that is listed, and none outlives zapbench."""

import os
import shutil
import signal
import subprocess
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import IO

from zapbench.error import EnvironmentMissing, ZapbenchError
from zapbench.host.file import held
from zapbench.host.packages import PROGRAMS, install

_EVERY = ("PATH", "TMPDIR", "TERM")
_USER = ("HOME", "USER", "LOGNAME", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")
_NETWORK = (
    *(f"{kind}_proxy" for kind in ("http", "https", "ftp", "all", "no")),
    *(f"{kind}_PROXY" for kind in ("HTTP", "HTTPS", "FTP", "ALL", "NO")),
    *("SSL_CERT_FILE", "SSL_CERT_DIR"),
)
_APT = (*_NETWORK, "APT_CONFIG")
_GIT = (
    *(*_USER, *_NETWORK),
    *("SSH_AUTH_SOCK", "SSH_ASKPASS", "DBUS_SESSION_BUS_ADDRESS", "KRB5CCNAME"),
    *("GIT_SSH*", "GIT_SSL_*", "GIT_ASKPASS", "GIT_PROXY_COMMAND"),
    *("ZAPBENCH_*", "PYTHONPATH"),  # git-bisect(1) runs zapbench
)
ALLOWED: Mapping[str, tuple[str, ...]] = {
    "apt-cache": _APT,
    "apt-get": _APT,
    "git": _GIT,
    # Where ccache keeps what it has compiled, and how much: it trims a directory to its limit.
    "make": ("CCACHE_DIR", "CCACHE_MAXSIZE", "CCACHE_MAXFILES"),
    "npm": (*_USER, *_NETWORK, "npm_config_*", "NPM_CONFIG_*", "NODE_EXTRA_CA_CERTS"),
}
"""The variables that a program gets of the caller's, as patterns, beyond those that all get.

All others are left out: what is not known cannot change a build, a check-out or a machine.
"""

_FAMILIES = ("git", "make")  # they start programs of their own
# Not git as an ordinary user: in a user namespace ssh takes root's files for nobody's.
_IN_USER_NAMESPACE = ("make",)
# The signal of setpriv is set too late if the parent has died by then.
_UNLESS_ORPHANED = 'test "$PPID" = "$0" && exec "$@"'


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


def environment(program: str, extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """What a program gets to see: what `ALLOWED` lets through, the C locale, and ``extra``."""
    patterns = (*_EVERY, *ALLOWED.get(Path(program).name, ()))
    kept = {
        name: value
        for name, value in os.environ.items()
        if any(fnmatchcase(name, pattern) for pattern in patterns)
    }
    return {**kept, "LC_ALL": "C", **(extra or {})}


def tied(argv: Sequence[str]) -> list[str]:
    """The command such that the kernel kills it when this process dies, even by SIGKILL.

    With it die all that it started, where a pid namespace can be made; elsewhere they hold the
    locks of this process for as long as they live (see `running`).
    """
    program, *arguments = argv
    watched = [find("setpriv"), "--pdeathsig", "KILL", "--", "/bin/sh", "-c", _UNLESS_ORPHANED]
    return [*watched, str(os.getpid()), *_enclosed(program), find(program), *arguments]


def _enclosed(program: str) -> Sequence[str]:
    """The words before a program that make its end that of all its descendants."""
    name = Path(program).name
    if name not in _FAMILIES or (os.geteuid() and name not in _IN_USER_NAMESPACE):
        return ()
    return namespace()


def namespace() -> tuple[str, ...]:
    """The command that makes a program the first of a pid namespace; empty if none can be made.

    When the first process of a pid namespace dies, the kernel kills all others: no process
    group or session that they made helps them.  /proc stays the machine's, as programs look
    there for themselves only.
    """
    unshare = shutil.which("unshare")
    user = ("--user", "--map-current-user") if os.geteuid() else ()
    words = (str(unshare), *user, "--pid", "--fork", "--kill-child", "--")
    return words if unshare and _works(words) else ()


@cache
def _works(words: tuple[str, ...]) -> bool:
    tried = subprocess.run([*words, "/bin/sh", "-c", ":"], check=False, capture_output=True)
    return tried.returncode == 0


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

    It inherits the locks that are held: one is free again when nothing that was started under
    it lives, whatever became of this process.

    Raises:
        EnvironmentMissing: it is not installed.
    """
    process = subprocess.Popen(
        tied(argv),
        cwd=cwd,
        env=environment(argv[0], env),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        start_new_session=True,
        pass_fds=held(),
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
