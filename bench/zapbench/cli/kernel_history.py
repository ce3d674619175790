# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel history``: a git repository of kernels, for asv to walk over."""

from pathlib import Path

import click

from zapbench.cli.output import json_option, note, print_json, say
from zapbench.cli.progress import stages
from zapbench.error import UsageError
from zapbench.kernel.history import borrow, releases
from zapbench.kernel.history.releases import Made

GIT = "git:"


@click.command("history")
@click.option(
    "-o",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    required=True,
    help="The bare repository to make, or to bring up to date.",
)
@click.option(
    "--from",
    "origin",
    metavar="git:PATH|URL",
    help="A clone to follow instead of Debian's packages; it is only read.",
)
@click.option(
    "--kernels",
    metavar="GLOB,...",
    help="Which releases, such as 6.1.*,6.12.117.  [default: all that apt offers]",
)
@json_option
def command(*, directory: Path, origin: str | None, kernels: str | None, as_json: bool) -> int:
    """Make a git repository of kernel releases, and of the series on top.

    From Debian's source packages: a commit a release, a branch a line, and `releases`
    through all of them.  Run again, it adds what is new.
    """
    globs = [glob.strip() for glob in (kernels or "").split(",") if glob.strip()]
    if origin is not None and globs:
        raise UsageError("--kernels chooses Debian's packages: leave it out with --from")
    if origin is not None and not origin.removeprefix(GIT):
        raise UsageError("--from needs git:PATH or git:URL")
    with stages() as progress:
        if origin is not None:
            made = borrow.make(directory, origin.removeprefix(GIT), progress)
        else:
            made = releases.make(directory, globs, progress)
    for reason in made.skipped:
        note(f"left out {reason}")
    for odd in made.notes:
        note(odd)
    if as_json:
        print_json(
            {
                "path": str(made.path),
                "releases": made.releases,
                "new": made.new,
                "refs": made.refs,
                "skipped": made.skipped,
            }
        )
    else:
        note(_summary(made))
        say(made.path)
    return 0


def _summary(made: Made) -> str:
    """What is there, and what of it is new."""
    branches = [name.removeprefix("refs/heads/") for name in made.refs if "/heads/" in name]
    listed = f"branches {', '.join(sorted(branches))}" if branches else "no series applies"
    if not made.releases:
        return listed
    new = ", ".join(made.new) or "none"
    return f"{len(made.releases)} releases, new: {new}; {listed}"
