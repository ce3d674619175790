# SPDX-License-Identifier: GPL-2.0-only
"""One boot: QEMU from its start to its end, the records as they come, and what went wrong."""

import re
import signal
import subprocess
import time
from collections.abc import Callable, Generator, Iterator
from dataclasses import dataclass

from zapbench.error import Cause, EnvironmentMissing, Interrupted, LostVm
from zapbench.host.process import end, running
from zapbench.vm.qemu import VirtualMachine, arguments

POLL_SECONDS = 0.01
LEAVE_SECONDS = 10.0  # from the `end` record to the machine's end
END = re.compile(rb'"kind": ?"end"')
LONGEST_LINE = 64 << 20  # bytes; a record is at most a few megabytes
TAIL_LINES = 4

# What the console says when a kernel dies, the most telling first.
CAUSES = (
    (re.compile(r"Kernel panic - not syncing: (?P<what>Out of memory.*)"), "out of memory"),
    (re.compile(r"(Out of memory: Killed .*|oom-kill:.*)"), "out of memory"),
    (re.compile(r"(watchdog: )?BUG: (soft|hard) lockup.*"), "lockup"),
    (re.compile(r"rcu: INFO: .*(detected|self-detected) stall.*"), "lockup"),
    (re.compile(r"INFO: task .* blocked for more than.*"), "lockup"),
    (re.compile(r"(BUG: .*|Oops: .*|general protection fault.*|kernel BUG at .*)"), "oops"),
    (re.compile(r"Kernel panic - not syncing: (?P<what>.*)"), "kernel panic"),
)
# Up to 6.17 "WARNING: CPU: 0 PID: 1 at FILE:LINE", then "WARNING: FILE:LINE at FUNCTION".
COMPLAINT = re.compile(r"WARNING: (CPU: |[\w/.-]+:\d+ at |possible |suspicious ).*|BUG: .*")
_CONTROL = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]|[^\x20-\x7e\n\t]")


@dataclass(frozen=True, slots=True)
class Timeouts:
    """Seconds after which a machine is taken for hung: to its first record, and between two."""

    first: float = 60.0
    silence: float = 300.0


def text(console: bytes) -> str:
    """A console's output without what would move the cursor of a terminal."""
    return _CONTROL.sub("", console.decode(errors="replace").replace("\r", ""))


def cause(console: str) -> str | None:
    """The line that says why a kernel died, with the kind of death; None if there is none."""
    for pattern, kind in CAUSES:
        if match := pattern.search(console):
            what = match.groupdict().get("what") or match[0]
            return f"{kind}: {what.strip()}"
    return None


def complaint(console: str) -> str | None:
    """The first warning of a kernel that went on all the same."""
    match = COMPLAINT.search(console)
    return match[0].strip() if match else None


def tail(console: str) -> str:
    """The last lines of a console, on one line."""
    lines = [line.strip() for line in console.splitlines() if line.strip()]
    return " | ".join(lines[-TAIL_LINES:]) or "empty"


class Boot:
    """A machine that runs; iterating yields the lines it writes, each with its newline."""

    def __init__(
        self, machine: VirtualMachine, timeouts: Timeouts, stopped: Callable[[], bool]
    ) -> None:
        assert machine.console is not None
        assert machine.records is not None
        self._machine = machine
        self._console, self._records = machine.console, machine.records
        self._timeouts = timeouts
        self._stopped = stopped
        self._complete = False

    def __iter__(self) -> Iterator[bytes]:
        """Yield the lines as they come.

        Raises:
            EnvironmentMissing: QEMU is not installed, or refused to start the machine.
            LostVm: the machine ended, hung or wrote garbage before its ``end`` record.
            Interrupted: it was ended because that was asked for.
        """
        for path in (self._console, self._records):
            path.write_bytes(b"")
        messages = self._console.with_name("messages")
        with (
            messages.open("wb") as said,
            running(arguments(self._machine), stdout=said) as qemu,
        ):
            try:
                hung = yield from self._lines(qemu)
            finally:
                if qemu.poll() is None:
                    end(qemu)
        if self._stopped() and not self._complete:
            raise Interrupted("the virtual machine was ended; what it had finished is kept")
        self._check(qemu.returncode, text(messages.read_bytes()).strip(), hung)

    def _lines(self, qemu: subprocess.Popen[bytes]) -> Generator[bytes, None, str | None]:
        """Yield lines until the machine ends; return what it was killed for, if it was."""
        pending, patience, reason = bytearray(), self._timeouts.first, None
        heard = time.monotonic()
        with self._records.open("rb", buffering=0) as records:
            while reason is None:
                alive = qemu.poll() is None
                chunk = records.read(1 << 20)
                if chunk:
                    heard, patience = time.monotonic(), self._timeouts.silence
                    pending += chunk
                    *lines, rest = pending.split(b"\n")
                    pending = bytearray(rest)
                    for line in lines:
                        yield self._accepted(bytes(line) + b"\n")
                    if self._complete:
                        patience = LEAVE_SECONDS
                    if len(pending) > LONGEST_LINE:
                        raise self._lost(f"a line longer than {LONGEST_LINE >> 20} MiB")
                elif not alive or self._stopped():
                    break
                elif time.monotonic() - heard > patience:
                    reason = f"it wrote nothing for {patience:g} s"
                else:
                    time.sleep(POLL_SECONDS)
        if pending and not self._complete:
            yield bytes(pending)  # half a record: its reader says so
        return reason

    def _accepted(self, line: bytes) -> bytes:
        if not (line.startswith(b"{") and line.endswith(b"}\n")):
            shown = line[:60].decode(errors="backslashreplace").strip()
            raise self._lost(f"the guest wrote garbage instead of a record: {shown!r}")
        self._complete = self._complete or END.search(line) is not None
        return line

    def _check(self, status: int, said: str, hung: str | None) -> None:
        console = text(self._console.read_bytes())
        if self._complete:
            if warned := complaint(console):
                raise self._lost(f"the kernel complained: {warned}", Cause.CRASH)
            return
        if status > 0 and not console:
            raise EnvironmentMissing(
                f"QEMU did not start: {(said or 'no message').splitlines()[-1]}"
            )
        if status < 0 and not hung:
            raise self._lost(f"QEMU was killed by {signal.Signals(-status).name}")
        if found := cause(console):
            raise self._lost(found, Cause.CRASH)
        if hung:
            raise self._lost(f"hung: {hung}", Cause.SILENCE)
        raise self._lost("it ended without an end record", Cause.CRASH)

    def _lost(self, why: str, cause: Cause = Cause.HOST) -> LostVm:
        console = text(self._console.read_bytes())
        return LostVm(f"virtual machine lost: {why} (console: {tail(console)})", cause)
