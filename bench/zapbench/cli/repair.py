# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench repair``: keep what can be read of damaged results."""

from pathlib import Path

import click

from zapbench.cli.output import say
from zapbench.record import Samples
from zapbench.result.store import Results, repair, write_suite


@click.command()
@click.argument(
    "directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIRECTORY..."
)
def command(*, directories: tuple[Path, ...]) -> int:
    """Take out of results what is damaged in them, and keep the file as it was next to them.

    Kept is each record of a stream that can be vouched for, also where two runs wrote into one
    file; `zapbench run --resume` measures what is missing.
    """
    for directory in directories:
        damaged = repair(directory)
        results = Results(directory)
        write_suite(results)
        say(f"{directory}: {_found(results, damaged)}")
    return 0


def _found(results: Results, damaged: Path | None) -> str:
    cases = {record.case for record in results.recording.of(Samples)}
    kept = f"figures of {len(cases)} cases in {results.boots} boots"
    missing = "; a stream was cut off" if results.recording.truncated else ""
    if damaged is None:
        return f"not damaged, {kept}{missing}"
    return f"kept {kept}{missing}; as it was, the file is {damaged}"
