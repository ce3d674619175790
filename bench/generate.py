# SPDX-License-Identifier: GPL-2.0-only
"""Rewrite what is generated (``make generate``); ``--check`` only names what is old.

It is made from the code, and from the records of published reports.

A row of `GENERATED` is a file and the function that makes its text from the text that is there.
The expected outputs of tests are not here: their tests write them, see the Makefile.
"""

import ast
import json
import sys
import tomllib
from collections.abc import Callable, Iterable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from zapbench import case
from zapbench import text as shown
from zapbench._zapbench import ffi, lib
from zapbench.record import json_schema
from zapbench.report.source import read
from zapbench.report.study import Group, Place, study

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


def promises() -> str:
    """The promises, with what a method does that loses one."""
    body = [(f"`{row.name}`", row.summary, row.loss) for row in case.promises().values()]
    return table(("promise", "what is checked", "lost: the method"), body)


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


KERNELS, LOCKS = "reports/2026-11-28-kernels", "reports/2026-11-28-equal-locks"
PAGE, HUGE = 4096, 2 << 20
ONE, SOME, MANY = (("shmem", PAGE, size) for size in (PAGE, 16 * PAGE, HUGE))
THP, HUGETLB = (("shmem", HUGE, HUGE), ("hugetlb", HUGE, HUGE))


@cache
def measured(report: str, kernel: str) -> Group:
    """The boots of one kernel, from the records of a published report."""
    groups = study(read([ROOT / report], "")).groups
    (found,) = (group for group in groups if group.kernel == kernel)
    return found


COSTS: Mapping[str, tuple[str, Place]] = {
    "4K, one page: drop alone": ("zap", ONE),
    "4K, one page: cycle": ("cycle", ONE),
    "4K, 2 MiB: cycle": ("cycle", MANY),
    "THP: cycle": ("cycle", THP),
    "hugetlb 2M: cycle": ("cycle", HUGETLB),
}


def costs() -> str:
    """What the methods of the same end state cost on the kernel that has all of them."""
    group = measured(KERNELS, "7.3+madv-zap")
    known = {
        name: each.median
        for name in case.methods()
        if group.equivalent("cycle", name, ONE) and (each := group.cost("cycle", name, ONE))
    }
    body = [
        (f"`{name}`", *(cost(group, name, *where) for where in COSTS.values()))
        for name in sorted(known, key=lambda name: known[name])
    ]
    said = (
        "On Linux 7.3 with the series, the only kernel that has all of them, one operation in\n"
        f"thousands of instructions (`icount`, {group.boots_text}; × the cheapest in brackets),\n"
        f"made from [these records]({KERNELS}/index.md):\n\n"
    )
    return said + table(("", *COSTS), body)


def cost(group: Group, method: str, workload: str, place: Place) -> str:
    """Thousands of instructions, and how many times what the cheapest at that place costs."""
    each, best = group.cost(workload, method, place), group.cheapest(workload, place)
    if each is None or best is None or not group.equivalent(workload, method, place):
        return shown.NONE
    found = group.ratio(workload, method, place, best)
    assert found is not None
    return f"{shown.bar(each.median / 1000)} ({shown.ratio(found.value)})"


LEADS = {
    "7.3 as posted": (LOCKS, "7.3+madv-zap"),
    "7.3 at equal locks": (LOCKS, "7.3+dontneed-vma-lock"),
    "6.12 as posted": (KERNELS, "6.12+madv-zap"),
}


def leads() -> str:
    """MADV_ZAP over MADV_DONTNEED: one call, then a cycle."""
    places = {"4K, one page": ONE, "4K, 64 KiB": SOME, "4K, 2 MiB": MANY, "hugetlb 2M": HUGETLB}
    body = []
    for name, (report, kernel) in LEADS.items():
        group = measured(report, kernel)
        cells = [
            ", ".join(lead(group, work, at) for work in ("zap", "cycle")) for at in places.values()
        ]
        body.append((f"{name}, [{group.boots_text}](../{report}/index.md)", *cells))
    return table(("", *places), body)


def lead(group: Group, workload: str, place: Place) -> str:
    """What MADV_ZAP costs there as a part of what MADV_DONTNEED does."""
    found = group.ratio(workload, "madv_zap", place, "dontneed")
    assert found is not None
    return shown.ratio(found.value)


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
            "costs": costs,
            "methods": methods,
            "backings": lambda: named("backing", "what is behind the mapping", "backings"),
            "promises": promises,
            "axes": axes,
        }
    ),
    "kernel/README.md": filled({"leads": leads}),
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
