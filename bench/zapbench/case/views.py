# SPDX-License-Identifier: GPL-2.0-only
"""How the cases of each workload are laid out, related and shown: a row a workload.

A workload without a row here has the default, which suits one that is timed at every place of
the grid by every method.
"""

from collections.abc import Mapping
from typing import NamedTuple

CONTINUE = "continue"
MINOR_FAULT = "minor_fault"


class View(NamedTuple):
    """A row, of what differs from the default.

    In the grid: where not ``everywhere``, only `zapbench.case.depth` names cases; ``ways`` are
    the axes that take the place of methods in a workload that has none.

    In a table: with ``along_axes`` the ways along further axes are rows of one group, which
    ``ranked`` relates to their best; ``differs`` says which do more or less than the others, and
    why.  ``columns`` are figures of `zapbench.result.table.Row`, between the name below
    ``heading`` and the remarks.

    In a chart ``title`` is above its costs; of a history those of the least ``rank`` are
    drawn first.
    """

    everywhere: bool = True
    ways: tuple[str, ...] = ("",)
    along_axes: bool = False
    ranked: bool = True
    differs: Mapping[str, str] = {}
    heading: str = "method"
    columns: tuple[str, ...] = ("p50", "p99", "per_page", "ratio", "boots")
    title: str = ""
    rank: int = 2


VIEWS = {
    "zap": View(title="Cost of dropping the entries: the calls alone", rank=1),
    "cycle": View(
        title="Cost of a cycle: drop the entries, trap, resolve, touch every page", rank=0
    ),
    CONTINUE: View(
        ways=("", "by=populate", "by=populate-single"),
        along_axes=True,
        differs={"copy": "fills an empty file: its contents are copied too"},
        heading="mapped by",
        columns=(
            *("p50", "p99", "per_page"),
            *("pages_per_second", "bytes_per_second", "of_populate", "boots"),
        ),
        rank=1,
    ),
    MINOR_FAULT: View(
        everywhere=False,
        along_axes=True,
        ranked=False,
        columns=("p50", "p90", "p99", "p999", "p9999", "maximum", "rate", "boots"),
        rank=0,
    ),
}
_DEFAULT = View()


def view(workload: str) -> View:
    """The row of a workload, or the default."""
    return VIEWS.get(workload, _DEFAULT)
