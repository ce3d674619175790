# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench doctor``: what is missing or noisy on this machine, and what fixes it."""

import click
from rich.text import Text

from zapbench.cli.output import console, grid, json_option, print_json
from zapbench.host.doctor import State, examine

STYLES = {State.OK: "green", State.WARN: "yellow", State.MISSING: "bold red"}
EXIT_MISSING = 2


@click.command()
@json_option
def command(*, as_json: bool) -> int:
    """Examine this machine; exit with 2 if some command cannot work on it."""
    findings = examine()
    if as_json:
        print_json(findings)
    else:
        rows = (
            (what, Text(found.state, style=STYLES[found.state]), found.seen, found.fix)
            for what, found in findings.items()
        )
        grid(("", "state", "seen", "fix"), rows, console())
    missing = any(found.state is State.MISSING for found in findings.values())
    return EXIT_MISSING if missing else 0
