# SPDX-License-Identifier: GPL-2.0-only
"""Call paths as folded stacks, the form of B. Gregg's flamegraph.pl and difffolded.pl.

A line is a path, its functions joined by ``;``, the outermost first, and a figure: the base's
and the head's where there are two.  https://github.com/brendangregg/FlameGraph
"""

from collections.abc import Mapping

from zapbench.explain.difference import Cost
from zapbench.explain.trace import CallPath


def folded(paths: Mapping[CallPath, Cost]) -> str:
    """The lines in the order of the paths; figures are over all operations, so that none is cut."""
    return "".join(f"{_stack(path)} {_figures(cost)}\n" for path, cost in sorted(paths.items()))


def safe(name: str, besides: str = "") -> str:
    r"""A name from a foreign kernel; what a terminal obeys, and any of ``besides``, as ``\x1b``."""
    return "".join(
        each if each.isprintable() and each not in besides else _escaped(each) for each in name
    )


def _escaped(letter: str) -> str:
    code = ord(letter)
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def _stack(path: CallPath) -> str:
    return ";".join(safe(name, "; ") for name in path)


def _figures(cost: Cost) -> str:
    return f"{cost.head}" if cost.base is None else f"{cost.base} {cost.head}"
