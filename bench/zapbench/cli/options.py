# SPDX-License-Identifier: GPL-2.0-only
"""The options that say where cases run."""

from collections.abc import Callable
from typing import TypeVar

import click

from zapbench.where import ACCELERATORS, KINDS

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
