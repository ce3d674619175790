# SPDX-License-Identifier: GPL-2.0-only
"""Cases: their names, the matrix that the C tables span, and what a case needs."""

from zapbench.case.grids import FULL, QUICK, Cell, Shape, contract_grid, depth, grid
from zapbench.case.names import NO_METHOD, Case, size_bytes, size_text
from zapbench.case.needs import hugetlb_need, mthp_need
from zapbench.case.selection import choose, select
from zapbench.case.tables import (
    Axis,
    Backing,
    Method,
    Promise,
    Workload,
    axes,
    axis_values,
    backings,
    is_harness,
    methods,
    page_sizes,
    promises,
    workloads,
)
from zapbench.case.views import CONTINUE, MINOR_FAULT, view

__all__ = [
    "CONTINUE",
    "FULL",
    "MINOR_FAULT",
    "NO_METHOD",
    "QUICK",
    "Axis",
    "Backing",
    "Case",
    "Cell",
    "Method",
    "Promise",
    "Shape",
    "Workload",
    "axes",
    "axis_values",
    "backings",
    "choose",
    "contract_grid",
    "depth",
    "grid",
    "hugetlb_need",
    "is_harness",
    "methods",
    "mthp_need",
    "page_sizes",
    "promises",
    "select",
    "size_bytes",
    "size_text",
    "view",
    "workloads",
]
