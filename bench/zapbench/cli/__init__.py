# SPDX-License-Identifier: GPL-2.0-only
"""The command line.  The only user of click and rich.

A command is a module of this package with a click command named ``command`` that returns the
exit status; `COMMANDS` lists the modules.  Errors that a user can cause are caught here and
nowhere else.
"""

import errno
import importlib
import os
import sys
from typing import NoReturn

import click

from zapbench.error import ZapbenchError
from zapbench.host.scratch import sweep

COMMANDS = {
    "run": "measure cases and compare the methods",
    "list": "cases there are, and which this kernel supports",
    "contract": "what each method keeps and loses, measured",
    "doctor": "what is missing or noisy on this machine",
    "compare": "two results, case by case",
    "calibrate": "this machine's noise floor, from A/A runs",
    "gate": "accept or refuse a kernel under latency budgets",
    "chart": "a result as a picture",
    "bridge": "counted against timed, and what was only counted estimated",
    "report": "results as a page that can be made again",
    "repair": "keep what can be read of damaged results",
    "survey": "all that this machine can say, in one go, with charts",
    "kernel": "fetch, build, boot and bisect kernels",
    "asv": "results over kernel commits, from records and back",
}
INTERRUPTED = 130
BROKEN_PIPE = 141


class _Commands(click.Group):
    """Imports a command's module when the command is asked for: --help stays quick."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click's
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        command = importlib.import_module(f"zapbench.cli.{cmd_name}").command
        assert isinstance(command, click.Command)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="zapbench")
def group() -> None:
    """Benchmark the ways of dropping page-table entries while keeping the pages."""


def main(arguments: list[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0, 1 (a case failed), 2 (usage), 4, 130 or 141."""
    sys.exit(_status(arguments))


def _status(arguments: list[str] | None) -> int:
    sweep()
    try:
        status = group.main(arguments, prog_name="zapbench", standalone_mode=False)
        sys.stdout.flush()
    except ZapbenchError as error:
        return _fail(str(error), error.exit_code)
    except click.ClickException as error:
        return _fail(error.format_message(), error.exit_code)
    except (KeyboardInterrupt, click.Abort):
        return _fail("interrupted", INTERRUPTED)
    except OSError as error:
        return _output_failed(error)
    except SystemExit:
        return BROKEN_PIPE  # click's answer when the reader of the output has gone
    return int(status or 0)


def _fail(message: str, status: int) -> int:
    print(f"zapbench: {' '.join(message.split())}", file=sys.stderr)  # noqa: T201
    return status


def _output_failed(error: OSError) -> int:
    """Writing to standard output failed: the reader has gone, or the disk is full."""
    if error.errno not in (errno.EPIPE, errno.ENOSPC):
        raise error
    # What is still buffered would fail again when Python exits.
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if error.errno == errno.EPIPE:
        return BROKEN_PIPE
    return _fail(f"cannot write the output: {error.strerror}; make room and try again", 2)
