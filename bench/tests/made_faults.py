# SPDX-License-Identifier: GPL-2.0-only
"""Made-up records of minor faults."""

from pathlib import Path
from typing import Any

import synthetic

from zapbench.record import Faults, Histogram, Recording, Samples, decode
from zapbench.result.store import Results
from zapbench.result.table import Table

FAULT = "minor_fault/dontneed/shmem/4k/16m"
CONTINUE = "continue/-/shmem/4k/64k"
COUNTED = Faults(1000, 1000, 0, 0, 0, 0, 4_000_000, oversubscribed=False)


def faults(boot: int, name: str, *, number: int = 1000, **counted: object) -> Samples:
    run = synthetic.run_of(boot)
    histogram = Histogram(7, 1, 200, 0, number, ((1, number - 20), (100, 19), (200, 1)))
    fields: dict[str, Any] = {field: getattr(COUNTED, field) for field in COUNTED.__struct_fields__}
    return synthetic.samples(
        run,
        name,
        None,
        histogram=histogram,
        pages_per_op=1,
        faults=Faults(**{**fields, **counted}),
    )


def recording(*samples: Samples) -> Recording:
    return Recording("made up", tuple(map(decode, synthetic.stream(samples[0].run, *samples))))


def table(*samples: Samples) -> Table:
    return Results(Path("made up"), recording(*samples)).table
