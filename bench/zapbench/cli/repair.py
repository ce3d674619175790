# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench repair``: keep what can be read of damaged results."""

from pathlib import Path

import click

from zapbench.cli.output import say
from zapbench.record import Samples
from zapbench.result.store import Repaired, Results, repair, write_suite


@click.command()
@click.argument(
    "directories", nargs=-1, required=True, type=click.Path(path_type=Path), metavar="DIRECTORY..."
)
def command(*, directories: tuple[Path, ...]) -> int:
    """Take out of results what is damaged or cut in two, and keep the file as it was next to them.

    Kept is each record of a stream that can be vouched for, also where two runs wrote into one
    file; `zapbench run --resume` measures what is missing.
    """
    for directory in directories:
        repaired = repair(directory)
        results = Results(directory)
        write_suite(results)
        say(f"{directory}: {_found(results, repaired)}")
    return 0


def _found(results: Results, repaired: Repaired) -> str:
    cases = {record.case for record in results.recording.of(Samples)}
    missing = results.recording.truncated
    said = [f"figures of {len(cases)} cases in {results.boots} boots"]
    if repaired.cut:
        said[0] = f"cut off, kept {said[0]}"
    elif repaired.aside is not None:
        said[0] = f"kept {said[0]}"
    else:
        said[0] = f"{'not whole' if missing else 'not damaged'}, {said[0]}"
    said += [f"incomplete: {missing}"] if missing else []
    said += [f"as it was, the file is {repaired.aside}"] if repaired.aside is not None else []
    return "; ".join(said)
