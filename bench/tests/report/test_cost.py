# SPDX-License-Identifier: GPL-2.0-only
"""What the methods cost."""

from pathlib import Path

import synthetic
from made_faults import FAULT, faults

from zapbench.report import make
from zapbench.result.store import create


def test_a_report_gives_the_rate_of_all_threads_not_of_one(tmp_path: Path) -> None:
    """Threads that fault side by side do more a second than 1 / latency says."""
    results = tmp_path / "results"
    with create(results) as writer:
        for boot in range(2):
            record = faults(boot, f"{FAULT}/threads=4", wall=500_000)
            for line in synthetic.stream(record.run, record):
                writer.write(line)
    page = make([results], tmp_path / "report") / "index.md"
    (row,) = (line for line in page.read_text().splitlines() if "16m/threads=4 |" in line)
    median, rate = (row.split(" | ")[column] for column in (1, 7))
    assert (median, rate) == ("1.000 ns", "2.000 M")  # 1000 faults in half a millisecond
