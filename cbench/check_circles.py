# SPDX-License-Identifier: GPL-2.0-only
"""Fail if files or folders of the C core need each other in a circle: ``check_circles.py BUILD``.

Who needs whom is read from the symbols of the object files, data included, not from the headers.
BUILD is a build directory of meson.
"""

import itertools
import json
import subprocess
import sys
from graphlib import CycleError, TopologicalSorter
from pathlib import Path
from typing import NamedTuple

SOURCES = "cbench"
TESTS = "tests"  # programs of their own, which the core does not need


class Need(NamedTuple):
    """One file uses a symbol that another one defines; paths below `SOURCES`."""

    user: Path
    owner: Path
    symbol: str


def objects(build: Path) -> dict[Path, Path]:
    """The object files of the core, and the source of each."""
    found = {}
    for command in json.loads((build / "compile_commands.json").read_text(encoding="utf-8")):
        parts = Path(command["file"]).parts
        if SOURCES in parts:
            below = len(parts) - parts[::-1].index(SOURCES)
            source = Path(*parts[below:])
            if source.parts[0] != TESTS:
                found[build / command["output"]] = source
    return found


def needs(sources: dict[Path, Path]) -> list[Need]:
    """What the files use of each other."""
    words = [
        (source, line.split()[:2])
        for path, source in sources.items()
        for line in subprocess.run(
            ["nm", "--extern-only", "--format=posix", str(path)],
            check=True,
            capture_output=True,
            text=True,
        ).stdout.splitlines()
    ]
    undefined = ("U", "w", "v")
    owners = {name: source for source, (name, kind) in words if kind not in undefined}
    return [
        Need(source, owners[name], name)
        for source, (name, kind) in words
        if kind in undefined and name in owners
    ]


def circle(among: list[Need], depth: int | None) -> list[str]:
    """One circle, a line a step; ``depth`` 1 takes each folder for one, None looks at files."""
    reasons = {
        (Path(*need.user.parts[:depth]), Path(*need.owner.parts[:depth])): need
        for need in reversed(among)
    }
    graph: dict[Path, set[Path]] = {}
    for user, owner in reasons:
        if user != owner:
            graph.setdefault(user, set()).add(owner)
    try:
        TopologicalSorter(graph).prepare()
    except CycleError as error:
        ring = error.args[1][::-1]
        steps = [reasons[step] for step in itertools.pairwise(ring)]
        return [f"  {step.user} needs {step.symbol} of {step.owner}" for step in steps]
    return []


def main(build: str) -> None:
    """Exit with the circle, if there is one."""
    among = needs(objects(Path(build)))
    if not among:
        sys.exit(f"{build} holds no object files of {SOURCES}")
    for what, depth in (("files", None), ("folders", 1)):
        if lines := circle(among, depth):
            sys.exit("\n".join([f"{what} of {SOURCES} need each other:", *lines]))


if __name__ == "__main__":
    main(*sys.argv[1:])
