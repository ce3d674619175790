# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench asv``: what asv does not do itself with its results over kernel commits."""

from pathlib import Path

import click

from zapbench.cli import steps
from zapbench.cli.output import json_option, note, print_json, say

_config_option = click.option(
    "--config",
    "path",
    type=click.Path(path_type=Path),
    default=Path("asv.conf.json"),
    show_default=True,
    help="The asv project.",
)


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Steps in asv's results, and results moved to and from result directories.

    The history itself is asv's: `asv run`, `asv publish`, `asv find`.
    """


command.add_command(steps.command, "steps")


@command.command()
def setup() -> int:
    """Make asv know the machine ``icount``, for `asv run --machine icount`.

    Counted instructions are the same whatever computer QEMU runs on.
    """
    from zapbench.asv_kernel import results

    say(results.set_machine())
    return 0


@command.command("import")
@click.argument("directories", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--commit", help="What was measured.  [default: told by the kernel's build id]")
@click.option("--machine", required=True, help="The name of the machine in asv's results.")
@_config_option
@json_option
def import_(
    *,
    directories: tuple[Path, ...],
    commit: str | None,
    machine: str,
    path: Path,
    as_json: bool,
) -> int:
    """Bring result DIRECTORIES of `zapbench run` into asv's results."""
    from zapbench.asv_kernel import results

    absolute = [directory.absolute() for directory in directories]
    project = results.Project(path)
    found = [results.import_directory(project, each, commit, machine) for each in absolute]
    if as_json:
        print_json(
            [{"directory": str(d), "commit": c} for d, c in zip(absolute, found, strict=True)]
        )
    else:
        for directory, each in zip(directories, found, strict=True):
            say(f"{directory}: commit {each[:12]} on {machine}")
    return 0


@command.command()
@_config_option
@json_option
def rebuild(*, path: Path, as_json: bool) -> int:
    """Make asv's results again from the records of the boots."""
    from zapbench.asv_kernel import results

    made = list(results.rebuild(results.Project(path)))
    if as_json:
        print_json([{"commit": c, "accel": accel, "boots": n} for c, accel, n in made])
        return 0
    for commit, accel, boots in made:
        say(f"{commit[:12]} {accel}: {boots} boots")
    if not made:
        note("no boots are kept: `asv run` makes them")
    return 0


@command.command()
@click.argument("commit")
@click.option("--accel", default="icount", show_default=True, help="Of which boots.")
@click.option("-o", "directory", required=True, type=click.Path(path_type=Path), help="New.")
@_config_option
def export(*, commit: str, accel: str, directory: Path, path: Path) -> int:
    """Write the boots of a COMMIT as a result directory, for compare, gate and report."""
    from zapbench.asv_kernel import results

    target = directory.absolute()
    boots = results.export(results.Project(path), commit, accel, target)
    note(f"{boots} boots are in {directory}")
    return 0
