# SPDX-License-Identifier: GPL-2.0-only
"""Rewrite what is generated from the code (``make generate``); ``--check`` only names what is old.

A row of `GENERATED` is a file and the function that makes its text from the text that is there.
The expected outputs of tests are not here: their tests write them, see the Makefile.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from zapbench import case
from zapbench._zapbench import ffi, lib
from zapbench.record import json_schema

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "bench/zapbench"


def text(pointer: Any) -> str:
    """A C string; empty for NULL."""
    return str(ffi.string(pointer).decode()) if pointer else ""


def rows(table: str) -> list[Any]:
    """The rows of a table of the C core."""
    found = getattr(lib, f"zapbench_{table}")
    return [found[i] for i in range(getattr(lib, f"zapbench_nr_{table}"))]


def table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    """A Markdown table."""
    lines = [head, ("---",) * len(head), *body]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def named(title: str, what: str, name: str) -> str:
    """The names and summaries of one C table."""
    return table((title, what), [(f"`{text(row.name)}`", text(row.summary)) for row in rows(name)])


def methods() -> str:
    """The methods, with what the next access meets and what sets them apart."""
    body = [
        (
            f"`{text(row.name)}`",
            text(row.summary),
            text(lib.zapbench_event_name(row.event)),
            text(row.differs) or "—",
        )
        for row in rows("methods")
    ]
    return table(("method", "what it does", "event", "what differs from MADV_ZAP"), body)


def axes() -> str:
    """The further axes of a case."""
    body = [(f"`/{row.name}=`", " ".join(row.values), row.summary) for row in case.axes().values()]
    return table(("axis", "values", "meaning"), body)


def layers() -> str:
    """The layers of the Python package, the topmost first, from import-linter's contract."""
    with (ROOT / "pyproject.toml").open("rb") as file:
        (contract,) = tomllib.load(file)["tool"]["importlinter"]["contracts"]
    lines = ["```"]
    for number, layer in enumerate(contract["layers"]):
        lines += ["  ↓"] * bool(number)
        names = layer.replace("(", "").replace(")", "").split(" | ")
        lines += [f"{name:<14}{subject(name)}" for name in names]
    return "\n".join([*lines, "```"])


def subject(name: str) -> str:
    """What a module or package is about: the first line of its docstring, without the full stop."""
    plain = PACKAGE / f"{name}.py"
    source = plain if plain.exists() else PACKAGE / name / "__init__.py"
    said = ast.get_docstring(ast.parse(source.read_text(encoding="utf-8"))) or ""
    return said.partition("\n")[0].partition(". ")[0].rstrip(".")


def filled(parts: Mapping[str, Callable[[], str]]) -> Callable[[str], str]:
    """Fill what is between ``<!-- NAME -->`` and ``<!-- /NAME -->``.

    Raises:
        ValueError: there is no such place.
    """

    def fill(content: str) -> str:
        for name, make in parts.items():
            before, start, rest = content.partition(f"<!-- {name} -->\n")
            _, end, after = rest.partition(f"<!-- /{name} -->")
            if not end:
                raise ValueError(f"there is no place for the {name}")
            content = f"{before}{start}{make()}\n{end}{after}"
        return content

    return fill


GENERATED: Mapping[str, Callable[[str], str]] = {
    "README.md": filled(
        {
            "methods": methods,
            "backings": lambda: named("backing", "what is behind the mapping", "backings"),
            "promises": lambda: named("promise", "what is checked", "promises"),
            "axes": axes,
        }
    ),
    "CONTRIBUTING.md": filled({"layers": layers}),
    "bench/zapbench/schema/record-v1.json": lambda _: json.dumps(json_schema(), indent=1) + "\n",
}


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` name, each file that is not as the code makes it."""
    old = 0
    for name, make in GENERATED.items():
        path = ROOT / name
        content = path.read_text(encoding="utf-8")
        made = make(content)
        if made == content:
            continue
        if "--check" in arguments:
            print(f"{name} is old: run `make generate`", file=sys.stderr)
            old += 1
        else:
            path.write_text(made, encoding="utf-8")
            print(f"{name} rewritten")
    return 1 if old else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
