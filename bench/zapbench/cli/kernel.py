# SPDX-License-Identifier: GPL-2.0-only
"""``zapbench kernel``: the kernels there are, and from a name to sources, an image, a shell."""

import os
from pathlib import Path

import click

from zapbench.cli import kernel_history
from zapbench.cli.bisect import bisect, judge
from zapbench.cli.output import console, grid, json_option, print_json, say
from zapbench.cli.progress import stages
from zapbench.kernel import inventory, source, words
from zapbench.kernel.build import build
from zapbench.kernel.catalogue import parse
from zapbench.kernel.make import GCC, TOOLCHAINS
from zapbench.kernel.package import build_packages
from zapbench.target import guest_path
from zapbench.vm import VmTarget, image_of, shell
from zapbench.where import ACCELERATORS

NAMES = (
    "as `kernel list` shows them, or git:PATH-or-URL@REF, tar:PATH-or-URL@SHA256, with +SERIES and "
    "'?boot=WORD,WORD' for its command line, which changes nothing in the image"
)
NONE = "-"


@click.group(no_args_is_help=False, context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Fetch, build and boot kernels, by name."""


for _each in (kernel_history.command, bisect, judge):
    command.add_command(_each)

_config_option = click.option(
    "--config",
    "configuration",
    metavar="NAME|FILE",
    help="A fragment on top of kernel/config/bench.config, such as debug.",
)


@command.command("list")
@json_option
def list_(*, as_json: bool) -> int:
    """List the kernels that have a name, and what the cache holds of them."""
    known = inventory.known()
    if as_json:
        print_json(known)
        return 0
    columns = ("kernel", "source", "patches>", "fetched", "built")
    rows = (
        (
            each.name,
            each.source,
            str(each.patches) if each.patches else NONE,
            ", ".join(each.fetched) or NONE,
            ", ".join(each.images) or NONE,
        )
        for each in known
    )
    out = console()
    grid(columns, rows, out)
    fetched = (release for each in known for release in each.releases)
    point = next(fetched, "BASE.NUMBER")
    out.print(f"\na base stands for its newest point release; {point} is that one")
    return 0


@command.command(help=f"Fetch the source of a kernel; print where it is.\n\nNAME is {NAMES}.")
@click.argument("name")
@json_option
def fetch(*, name: str, as_json: bool) -> int:
    """Fetch a source into the cache."""
    kernel = parse(name)
    with stages() as progress, source.checked_out(kernel.source, progress) as tree:
        place, identity = tree.source, tree.source_id
    if as_json:
        print_json({"name": name, "source": identity, "path": str(place)})
    else:
        say(place)
    return 0


@command.command("build", help=f"Build a kernel; print the path of its image.\n\nNAME is {NAMES}.")
@click.argument("name", metavar="NAME|REF")
@_config_option
@click.option(
    "--toolchain",
    type=click.Choice(list(TOOLCHAINS)),
    default=GCC,
    show_default=True,
    help="What compiles and links. Commands that take a kernel's name use gcc; for another, "
    "give them the path that this prints.",
)
@click.option("--retry", is_flag=True, help="Build again what failed last time.")
@click.option(
    "--deb", is_flag=True, help="Debian packages to install, with a whole --config FILE instead."
)
@click.option(
    "-o",
    "directory",
    type=click.Path(path_type=Path, file_okay=False),
    default=".",
    help="Where packages go.  [default: here]",
)
@json_option
def build_(
    *,
    name: str,
    configuration: str | None,
    toolchain: str,
    retry: bool,
    deb: bool,
    directory: Path,
    as_json: bool,
) -> int:
    """Build an image into the cache, or packages into a directory."""
    kernel = parse(name)
    if deb:
        base = Path(configuration or f"/boot/config-{os.uname().release}").expanduser()
        with stages() as progress:
            packages = build_packages(
                kernel, base, directory, toolchain=toolchain, progress=progress
            )
        _say([str(path) for path in packages], {"name": name}, as_json=as_json)
        return 0
    with stages() as progress:
        image = build(
            kernel,
            configuration=configuration,
            toolchain=toolchain,
            progress=progress,
            retry=retry,
        )
    # An image may have been built under another name of the same inputs.
    described = {**image.meta, "name": name, "build_id": image.build_id}
    _say([str(image.bzimage)], described, as_json=as_json)
    return 0


def _say(paths: list[str], described: dict[str, object], *, as_json: bool) -> None:
    """Paths one a line, or everything as JSON."""
    if as_json:
        print_json({**described, "paths": paths})
    else:
        say("\n".join(paths))


@command.command(help=f"Boot a kernel to a shell.\n\nNAME is an image file, or {NAMES}.")
@click.argument("name", metavar="NAME|IMAGE")
@_config_option
@click.option(
    "--accel", type=click.Choice(ACCELERATORS), default="auto", show_default=True, help="As in run."
)
@click.option(
    "--memory",
    type=click.IntRange(min=256),
    default=1024,
    show_default=True,
    help="MiB of the machine.",
)
@click.option(
    "-c",
    "commands",
    multiple=True,
    metavar="COMMAND",
    help="Run it instead of a shell; repeatable.",
)
def boot(
    *,
    name: str,
    configuration: str | None,
    accel: str,
    memory: int,
    commands: tuple[str, ...],
) -> int:
    """Boot an image to busybox."""
    shell.check(commands)
    with stages() as progress:
        image = image_of(name, configuration, progress)
    shell.boot(
        image,
        guest_path(),
        accelerator=VmTarget(str(image), accel).tier,
        memory=memory,
        commands=commands,
        words=words.split(name)[1],
    )
    return 0
