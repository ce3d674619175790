# SPDX-License-Identifier: GPL-2.0-only
"""Each dependency has one owner, so that it can be replaced in one place.

The order of the layers is checked by import-linter; this is what it cannot say.
"""

import ast
import sys
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from places import ROOT

PACKAGE = ROOT / "bench/zapbench"

OWNERS = {
    "asv": {"asv_kernel"},
    "asv_runner": {"asv_kernel"},
    "cffi": set(),
    "click": {"cli"},
    "jinja2": {"report"},
    "matplotlib": {"chart"},
    # Records, and what a person or another run has written.
    "msgspec": {"campaign", "gate", "kernel", "record", "result"},
    "numpy": {"chart", "result"},
    "pyperf": {"result"},
    "rich": {"cli"},
    "ruptures": {"result"},
    "scipy": {"result"},
    "zapbench._zapbench": {"case", "target", "uffd", "vm"},
}


def imported(source: Path) -> Iterator[str]:
    """The absolute names of the modules that a file imports, at any depth of nesting."""
    for node in ast.walk(ast.parse(source.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def outside(name: str) -> str | None:
    """The dependency that a module name belongs to; None for our own and Python's."""
    if name == "zapbench._zapbench" or name.startswith("zapbench._zapbench."):
        return "zapbench._zapbench"
    top = name.partition(".")[0]
    return None if top == "zapbench" or top in sys.stdlib_module_names else top


@pytest.mark.parametrize("source", sorted(PACKAGE.rglob("*.py")), ids=lambda path: path.stem)
def test_modules_import_only_what_they_own(source: Path) -> None:
    module = source.relative_to(PACKAGE).parts[0].removesuffix(".py")
    used = {dependency for name in imported(source) if (dependency := outside(name))}
    assert used <= OWNERS.keys()
    assert {name for name in used if module not in OWNERS[name]} == set()


def test_table_names_the_declared_dependencies() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    declared = {line.split(">")[0] for line in project["dependencies"]}
    assert OWNERS.keys() - {"asv_runner", "zapbench._zapbench"} == declared


def test_an_import_hidden_in_a_function_is_seen(tmp_path: Path) -> None:
    source = tmp_path / "sample.py"
    source.write_text("def f():\n    import numpy.linalg\n    from zapbench import _zapbench\n")
    assert {outside(name) for name in imported(source)} == {None, "numpy", "zapbench._zapbench"}
