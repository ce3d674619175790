# SPDX-License-Identifier: GPL-2.0-only
"""Where cases run.  A target runs the cases of one boot and yields record lines as they come.

`Native` is what figures come from; `InProcess` is for tests and call overhead (signals and
threads of CPython disturb timing); `Replay` reads a record file, so that all that follows a
measurement can be exercised without one.  The virtual machine is in `zapbench.vm`.
"""

import contextlib
import importlib.util
import os
import selectors
import signal
import subprocess
import tempfile
import threading
import time
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Protocol

from zapbench.case import Case
from zapbench.error import Cause, EnvironmentMissing, LostProcess, UsageError
from zapbench.host.doctor import State, reclaim
from zapbench.host.file import held
from zapbench.host.machine import Machine
from zapbench.host.process import tied
from zapbench.host.scratch import scratch
from zapbench.host.signals import held_back
from zapbench.record import VERSION, Context, Contract, End, Error, Samples, Skip, encode, load

GUEST = "zapbench-guest"
SILENCE_SECONDS = 120.0  # no line for so long: the program hangs
EXIT_USAGE = 2
BY_HAND = (signal.SIGKILL, signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals by which somebody, or the kernel for want of memory, ends a program."""


@dataclass(frozen=True, slots=True)
class Job:
    """What one boot is to do: the names of its cases in the order to run them, and how.

    ``samples`` is the number of timed samples per case, ``max_seconds`` the time after which
    the sampling of a case stops, ``directory`` where the `file` backing makes its file.
    ``room`` are the cases that a virtual machine is made large enough for, if more than those.
    """

    cases: tuple[str, ...]
    kernel: str
    tier: str
    boot: int = 0
    seed: int = 0
    samples: int = 100
    max_seconds: float = 2.0
    contract_only: bool = False
    directory: Path | None = None
    room: tuple[str, ...] = ()

    def arguments(self) -> list[str]:
        """The options of the C program that say the same, cases left out; its boot begins now."""
        options = {
            "--kernel": self.kernel,
            "--tier": self.tier,
            "--boot": self.boot,
            "--seed": self.seed,
            "--samples": self.samples,
            "--max-seconds": self.max_seconds,
            "--start": now(),
        }
        words = [word for key, value in options.items() for word in (key, str(value))]
        if self.directory is not None:
            words += ["--dir", str(self.directory)]
        return words + (["--contract-only"] if self.contract_only else [])


def now() -> str:
    """The time to the nanosecond, which two boots do not share; always as long.

    A longer word would cost a machine that counts instructions some more of them.
    """
    seconds, nanoseconds = divmod(time.time_ns(), 10**9)
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}.{nanoseconds:09}Z"


class Target(Protocol):
    """Runs one boot at a time; ``kernel`` names what runs there."""

    kernel: str
    tier: str

    def run(self, job: Job) -> Iterator[bytes]:
        """Yield the lines of one stream, each with its newline, as they come.

        Raises:
            ZapbenchError: after the lines that came, when the stream's writer was lost.
        """
        ...

    def interrupt(self) -> None:
        """Ask the running boot to finish early and cleanly; safe in a signal handler."""
        ...


def guest_path() -> Path:
    """The `zapbench-guest` executable that came with the package.

    Raises:
        EnvironmentMissing: there is none.
    """
    spec = importlib.util.find_spec("zapbench._zapbench")
    places = [Path(__file__).parent]
    if spec is not None and spec.origin is not None:
        build = Path(spec.origin).parent  # an editable install: the build directory
        places += [build, build / "cbench"]
    for place in places:
        if os.access(place / GUEST, os.X_OK):
            return place / GUEST
    raise EnvironmentMissing(f"the package holds no {GUEST}: install it again with `make setup`")


class Native:
    """A process of its own on the running kernel, one per boot."""

    tier = "native"

    def __init__(
        self,
        executable: Path | None = None,
        *,
        silence_seconds: float = SILENCE_SECONDS,
        machine: Machine | None = None,
    ) -> None:
        self.kernel = os.uname().release
        self._executable = executable or guest_path()
        self._silence = silence_seconds
        self._machine = machine or Machine()
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, job: Job) -> Iterator[bytes]:
        """See `Target.run`.

        Raises:
            LostProcess: the process died or hung before its ``end`` record.
            UsageError: it refused its arguments.
        """
        with tempfile.TemporaryFile() as complaints, _case_file(job.cases) as cases:
            command = [str(self._executable), *job.arguments(), "--cases", cases]
            with self._started(command, complaints) as process:
                hung = yield from _lines(process, self._silence)
            complaints.seek(0)
            words = complaints.read().decode(errors="replace").split("\n")
        if hung:
            why = f"{_silent(self._silence, self._machine)}{_last(words)}"
            raise LostProcess(why, Cause.SILENCE)
        _check_end(process.returncode, _last(words))

    @contextlib.contextmanager
    def _started(self, command: list[str], stderr: IO[bytes]) -> Iterator[subprocess.Popen[bytes]]:
        process: subprocess.Popen[bytes] | None = None
        try:
            # It looks for these signals itself, and so do we, once it can be told of them.
            with held_back(signal.SIGINT, signal.SIGTERM):
                process = self._process = self._popen(command, stderr)
            yield process
        finally:
            self._process = None
            if process is not None:
                if process.poll() is None:
                    process.kill()
                process.wait()
                if process.stdout is not None:
                    process.stdout.close()

    def _popen(self, command: list[str], stderr: IO[bytes]) -> subprocess.Popen[bytes]:
        """Start it such that it dies with us; for as long as it lives it holds our locks.

        It gets a process group of its own: Ctrl-C at the terminal reaches us alone, we pass it
        on.  A session or a namespace would change how it is scheduled and what its calls cost.
        """
        try:
            self._executable.stat()  # or a shell would miss it
            return subprocess.Popen(
                tied(command),
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=stderr,
                process_group=0,
                pass_fds=held(),
            )
        except OSError as error:
            raise EnvironmentMissing(
                f"cannot start {command[0]}: {error.strerror}; install it again with `make setup`"
            ) from error

    def interrupt(self) -> None:
        """Let the program finish its sample and write its ``end``; see `Target.interrupt`."""
        process = self._process
        if process is not None and process.poll() is None:
            process.send_signal(signal.SIGINT)


@contextlib.contextmanager
def _case_file(cases: tuple[str, ...]) -> Iterator[str]:
    """A file with the names: a command line holds too few of them in a virtual machine."""
    with scratch("cases") as root:
        path = root / "cases"
        path.write_text("".join(f"{case}\n" for case in cases))
        yield str(path)


def _lines(process: subprocess.Popen[bytes], silence: float) -> Generator[bytes, None, bool]:
    """Yield lines until the end of the output; return whether it was killed for its silence."""
    assert process.stdout is not None
    pending = bytearray()
    hung = False
    with selectors.DefaultSelector() as selector:
        selector.register(process.stdout, selectors.EVENT_READ)
        while True:
            if not selector.select(silence):
                process.kill()
                hung = True
                break
            chunk = os.read(process.stdout.fileno(), 1 << 16)
            if not chunk:
                break
            pending += chunk
            *whole, pending = pending.splitlines(keepends=True) or [bytearray()]
            if pending.endswith(b"\n"):
                whole, pending = [*whole, pending], bytearray()
            yield from map(bytes, whole)
    if pending:
        yield bytes(pending)
    process.wait()
    return hung


def _silent(seconds: float, machine: Machine) -> str:
    """What there is to say of a process that wrote nothing for so long.

    A page that the kernel unmaps by itself makes an access wait that nobody expects to.
    """
    seen = f"{GUEST} wrote nothing for {seconds:g} s and was killed"
    found = reclaim(machine)
    return seen if found.state is State.OK else f"{seen} ({found.seen}: {found.fix})"


def _last(words: list[str]) -> str:
    """The last line of the complaints, as the end of a message."""
    said = [word for word in words if word]
    return f": {said[-1]}" if said else ""


def _check_end(status: int, said: str) -> None:
    """Turn the way a process ended into the error that says so; 0, 1 and 130 are its own."""
    if status < 0:
        number = signal.Signals(-status)
        why = f"{GUEST} was killed by {number.name}{said}; what it finished is kept"
        raise LostProcess(why, Cause.HOST if number in BY_HAND else Cause.CRASH)
    if status == EXIT_USAGE:
        raise UsageError(said.removeprefix(": ") or f"{GUEST} refused its arguments")
    if status not in (0, 1, 130):
        raise LostProcess(f"{GUEST} ended with status {status}{said}", Cause.CRASH)


class InProcess:
    """Inside this Python process, through cffi: for tests, and to measure call overhead."""

    tier = "native"

    def __init__(self) -> None:
        self.kernel = os.uname().release

    def run(self, job: Job) -> Iterator[bytes]:
        """See `Target.run`.

        Raises:
            UsageError: the C program refused its arguments.
        """
        from zapbench._zapbench import ffi, lib

        words = [GUEST, *job.arguments(), *job.cases]
        owned = [ffi.new("char[]", word.encode()) for word in words]
        argv = ffi.new("char *[]", [*owned, ffi.NULL])
        reader, writer = os.pipe()
        status: list[int] = []

        def call() -> None:
            try:
                status.append(lib.zapbench_main(len(words), argv, writer))
            finally:
                os.close(writer)

        thread = threading.Thread(target=call, name="zapbench")
        thread.start()
        with open(reader, "rb") as lines:
            yield from lines
        thread.join()
        if status == [EXIT_USAGE]:
            raise UsageError(f"zapbench_main refused: {' '.join(words)}")

    def interrupt(self) -> None:
        """Send the signal that the C program watches; see `Target.interrupt`."""
        os.kill(os.getpid(), signal.SIGINT)


class Replay:
    """A record file as a target: boot N of a job is every record of that boot in the file.

    Lines of cases that the job does not ask for are left out, contracts of methods and
    mappings that none of its cases has too; ``end`` counts what is left.
    """

    def __init__(self, path: Path) -> None:
        self._recording = load(path)
        contexts = self._recording.of(Context)
        if not contexts:
            raise UsageError(f"{path} holds no stream to replay")
        self.tier = contexts[0].run.tier
        self.kernel = contexts[0].run.kernel
        self.boots = 1 + max(context.run.boot for context in contexts)

    def run(self, job: Job) -> Iterator[bytes]:
        """See `Target.run`.

        Raises:
            UsageError: the file has no such boot.
        """
        records = [record for record in self._recording.records if record.run.boot == job.boot]
        if not records:
            raise UsageError(f"{self._recording.source} has no boot {job.boot}")
        contracts = {_subject(Case.parse(name)) for name in job.cases}
        kept = [
            record
            for record in records
            if (isinstance(record, Contract) and _subject(record) in contracts)
            or (isinstance(record, Samples | Skip | Error) and record.case in job.cases)
        ]
        if job.contract_only:
            kept = [record for record in kept if not isinstance(record, Samples)]
        kinds = (Samples, Contract, Skip, Error)
        counts = (sum(isinstance(record, kind) for record in kept) for kind in kinds)
        end = End(*counts, v=VERSION, run=records[0].run)
        yield from map(encode, [records[0], *kept, end])

    def interrupt(self) -> None:
        """Nothing runs that could be interrupted."""


def _subject(of: Case | Contract) -> tuple[str, str, int]:
    """What a contract is about."""
    return (of.method, of.backing, of.page_size)
