# SPDX-License-Identifier: GPL-2.0-only
"""The command line.  The only user of click and rich.

A command is a module of this package with a click command named ``command`` that returns the
exit status; `COMMANDS` lists the modules.  Errors that a user can cause are caught here and
nowhere else.
"""

import errno
import importlib
import sys
from collections.abc import Mapping, Sequence
from typing import NoReturn

import click

from zapbench.cli.output import Kept
from zapbench.cli.streams import take_streams
from zapbench.error import ZapbenchError
from zapbench.host.scratch import sweep

COMMANDS = {
    "run": "measure cases and compare the methods",
    "list": "cases there are, and which this kernel supports",
    "contract": "what each method keeps and loses, measured",
    "doctor": "what is missing or noisy on this machine",
    "compare": "two results, case by case",
    "explain": "which functions the instructions of an operation go to",
    "calibrate": "this machine's noise floor, from A/A runs",
    "campaign": "two installed kernels by turns, over reboots",
    "gate": "accept or refuse a kernel under latency budgets",
    "chart": "a result as a picture",
    "bridge": "counted against timed, and what was only counted estimated",
    "report": "results as a page that can be made again",
    "repair": "keep what can be read of damaged results",
    "survey": "all that this machine can say, in one go, with charts",
    "kernel": "fetch, build, boot and bisect kernels",
    "asv": "results over kernel commits, from records and back",
}
FAILED = 2
INTERRUPTED = 130
BROKEN_PIPE = 141
CURES: Mapping[int | None, str] = {
    errno.ENOSPC: "make room",
    errno.EDQUOT: "make room",
    errno.ENOMEM: "end what uses the memory",
    errno.EMFILE: "raise `ulimit -n`",
}
"""What helps against what the system refuses; where it was done, the file says."""


class _Commands(click.Group):
    """Imports a command's module when the command is asked for: --help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return [*COMMANDS]  # `list` is a module of this package

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"zapbench.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([*COMMANDS.items()])


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zapbench")
def group() -> None:
    """Benchmark the ways of dropping page-table entries while keeping the pages."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 (a case failed), 2 (usage), 4, 130, 141 or 255."""
    out = take_streams()
    kept = Kept()
    status = _status(arguments, kept)
    if out.failure is not None:
        lost = _output_failed(out.failure, kept.shown_by)
        status = status or lost
    sys.exit(status)


def _status(arguments: list[str] | None, kept: Kept) -> int:
    try:
        sweep()
        status = group.main(arguments, prog_name="zapbench", standalone_mode=False, obj=kept)
        sys.stdout.flush()
    except ZapbenchError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        said = _refused(error, sys.argv[1:] if arguments is None else arguments)
        return _fail(said, max(FAILED, error.exit_code))
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except OSError as error:
        return _fail(_met(error), FAILED)
    except SystemExit as stop:  # click's: of shell completion, or for a pipe, never the output's
        return _fail("a pipe to another program broke; try again", FAILED) if stop.code else 0
    return int(status or 0)


def _fail(message: str, status: int) -> int:
    sys.stderr.write(f"zapbench: {' '.join(message.split())}\n")
    return status


def _refused(error: click.ClickException, arguments: Sequence[str]) -> str:
    """What is wrong with the words of a command, and where they are explained."""
    said = error.format_message()
    return f"{said if said.endswith(('.', '?')) else f'{said}.'} See `{_named(arguments)} --help`"


def _named(arguments: Sequence[str]) -> str:
    """The command that was named; not every error of click's knows it."""
    words = ["zapbench"]
    command: click.Command | None = group
    for word in arguments:
        if not isinstance(command, click.Group):
            break
        command = command.get_command(click.Context(command), word)
        if command is None:
            break
        words.append(word)
    return " ".join(words)


def _met(error: OSError) -> str:
    """What the system has refused, where nobody expected it to."""
    where = f"{error.filename}: " if error.filename is not None else ""
    return f"{where}{error.strerror or error}; {CURES.get(error.errno, 'see to it')} and try again"


def _output_failed(error: OSError, shown_by: str) -> int:
    """Standard output could not be written: the reader has gone, or the disk is full."""
    if error.errno == errno.EPIPE:
        return BROKEN_PIPE
    cure = CURES.get(error.errno, "send it elsewhere")
    then = f"what was measured is kept, and shown by: {shown_by}" if shown_by else "try again"
    return _fail(f"cannot write the output: {error.strerror}; {cure}; {then}", FAILED)
