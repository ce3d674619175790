# SPDX-License-Identifier: GPL-2.0-only
"""Options that several commands have: where cases run; and how one ends under git-bisect(1)."""

from collections.abc import Callable
from typing import Any, TypeVar

import click

from zapbench.error import UsageError
from zapbench.where import ACCELERATORS, KINDS

BISECT_ABORT = 255
"""What ends `git bisect run`; 1 to 127, but for 125, would be taken for a bad commit."""


class _Ending(click.UsageError):
    exit_code = BISECT_ABORT


class Bisecting(click.Command):
    """A command that `git bisect run` may call: one that it cannot read is no bad commit.

    It is called so if its options are ``always`` for that, or with ``--bisect``.
    """

    always = False

    def make_context(
        self,
        info_name: str | None,
        args: list[str],
        parent: click.Context | None = None,
        **extra: Any,
    ) -> click.Context:
        """As click's."""
        bisecting = self.always or "--bisect" in args
        try:
            return super().make_context(info_name, args, parent, **extra)
        except click.UsageError as error:
            if bisecting:
                raise _Ending(error.format_message(), error.ctx) from error
            raise

    def invoke(self, ctx: click.Context) -> Any:
        """As click's."""
        try:
            return super().invoke(ctx)
        except UsageError as error:
            if self.always:
                error.exit_code = BISECT_ABORT
            raise


class Judging(Bisecting):
    """A command that is for nothing else."""

    always = True


F = TypeVar("F", bound=Callable[..., object])


def where_options(command: F) -> F:
    """Add --target, --kernel and --accel to a command."""
    options = (
        click.option(
            "--target",
            type=click.Choice(KINDS),
            help="The running kernel, or a virtual machine.  [default: vm if --kernel is given]",
        ),
        click.option(
            "--kernel",
            metavar="NAME|IMAGE",
            help="Kernel that the machine boots, '?boot=WORD,WORD' for its command line behind it.",
        ),
        click.option(
            "--accel",
            type=click.Choice(ACCELERATORS),
            help="How the machine runs; icount counts instructions.  [default: auto]",
        ),
    )
    for option in reversed(options):
        command = option(command)
    return command
