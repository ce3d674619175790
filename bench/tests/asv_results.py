# SPDX-License-Identifier: GPL-2.0-only
"""asv's result files, read without asv."""

import itertools
import json
from pathlib import Path

Figures = dict[tuple[str, ...], float | None]


def figures(project: Path, commit: str, benchmark: str, machine: str = "icount") -> Figures:
    """A benchmark of a commit, by parameters; NaN is "n/a" to asv, and None "failed"."""
    (file,) = (project / "results" / machine).glob(f"{commit[:8]}-*.json")
    kept = json.loads(file.read_text())
    row = dict(zip(kept["result_columns"], kept["results"][benchmark], strict=False))
    keys = list(
        itertools.product(*([name.strip("'") for name in names] for names in row["params"]))
    )
    values = row["result"] or [None] * len(keys)  # asv has one null for all that failed
    return dict(zip(keys, values, strict=True))
