# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench doctor``: what is missing or noisy on this machine, and what fixes it."""

import click
from rich.text import Text

from zapbench.cli.output import console, grid, json_option, print_json, say
from zapbench.host import settings
from zapbench.host.doctor import State, examine

STYLES = {State.OK: "green", State.WARN: "yellow", State.MISSING: "bold red"}
EXIT_MISSING = 2


@click.command()
@click.option("--restore", is_flag=True, help="Put back settings that a killed run has left.")
@json_option
def command(*, restore: bool, as_json: bool) -> int:
    """Examine this machine; exit with 2 if some command cannot work on it."""
    if restore:
        _print_restored(settings.restore(), as_json=as_json)
        return 0
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


def _print_restored(restored: settings.Restored, *, as_json: bool) -> None:
    if as_json:
        print_json(restored)
        return
    for change in restored.put_back:
        say(f"put back: {settings.label(change.setting, change.size)}: {change.old}")
    for change in restored.left_alone:
        what = settings.label(change.setting, change.size)
        say(f"left alone: {what}: somebody else has set it since, it was {change.old}")
    if restored == settings.Restored():
        say("nothing to restore")
