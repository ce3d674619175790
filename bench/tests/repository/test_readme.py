# SPDX-License-Identifier: GPL-2.0-only
"""The tables of README.md are those of the C core: no name stands there by hand.

``python bench/tests/test_readme.py`` writes them anew.
"""

import re
from collections.abc import Iterable

import pytest
from places import ROOT

from zapbench._zapbench import ffi, lib

README = ROOT / "README.md"


def text(pointer) -> str:
    return ffi.string(pointer).decode() if pointer else ""


def rows(table: str) -> list:
    found = getattr(lib, f"zapbench_{table}")
    return [found[i] for i in range(getattr(lib, f"zapbench_nr_{table}"))]


def table(head: tuple[str, ...], body: Iterable[tuple[str, ...]]) -> str:
    lines = [head, ("---",) * len(head), *body]
    return "\n".join(
        "| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in lines
    )


def named(title: str, what: str, name: str) -> str:
    return table((title, what), [(f"`{text(row.name)}`", text(row.summary)) for row in rows(name)])


def methods() -> str:
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
    body = [(f"`/{text(row.name)}=`", text(row.values), text(row.summary)) for row in rows("axes")]
    return table(("axis", "values", "meaning"), body)


TABLES = {
    "methods": methods,
    "backings": lambda: named("backing", "what stands behind the mapping", "backings"),
    "promises": lambda: named("promise", "what is checked", "promises"),
    "axes": axes,
}


def place(name: str) -> re.Pattern[str]:
    return re.compile(rf"(<!-- {name} -->\n).*?(<!-- /{name} -->)", re.DOTALL)


@pytest.mark.parametrize("name", TABLES)
def test_table_is_that_of_the_core(name: str) -> None:
    found = place(name).search(README.read_text(encoding="utf-8"))
    assert found, f"README.md has no place for the {name}"
    assert found[0] == f"{found[1]}{TABLES[name]()}\n{found[2]}"


def write() -> None:
    content = README.read_text(encoding="utf-8")
    for name, make in TABLES.items():
        before, _, rest = content.partition(f"<!-- {name} -->\n")
        after = rest[rest.index(f"<!-- /{name} -->") :]
        content = f"{before}<!-- {name} -->\n{make()}\n{after}"
    README.write_text(content, encoding="utf-8")


if __name__ == "__main__":
    write()
