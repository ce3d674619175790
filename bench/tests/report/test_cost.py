# SPDX-License-Identifier: GPL-2.0-only
"""What the methods cost."""

import re
from pathlib import Path

import synthetic
from drawn import written
from made_faults import FAULT, faults
from made_report import SHMEM, contract, made

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


def test_without_a_cycle_no_heading_or_table_speaks_of_its_cost(tmp_path: Path) -> None:
    kept = [contract("madv_zap"), contract("dontneed", lost=["poison"])]
    figures = {f"zap/{method}/{SHMEM}": (1000, 1001) for method in ("madv_zap", "dontneed")}
    page = (made(tmp_path, written(tmp_path / "r", figures, *kept)) / "index.md").read_text()
    assert "## Contract\n" in page
    assert "| dontneed | poison |" in page
    for word in ("cost of a cycle", "Medians of one cycle", "cost in"):
        assert word not in page
    tables = page.split("\n\n")
    assert not [each for each in tables if each.startswith("| ") and each.count("\n") < 2]


def test_what_is_lost_is_explained_and_an_old_list_is_said_to_be_short(tmp_path: Path) -> None:
    figures = {f"cycle/{method}/{SHMEM}": (1000, 1001) for method in ("madv_zap", "dontneed")}
    new = [contract("madv_zap"), contract("dontneed", lost=["no-locked"])]
    page = (made(tmp_path, written(tmp_path / "new", figures, *new)) / "index.md").read_text()
    assert "- no-locked lost: it takes locked memory (locked memory is refused)" in page
    assert "Not looked at" not in page
    old = [synthetic.contract(synthetic.run_of(), f"contract/dontneed/{SHMEM}")]
    page = (made(tmp_path, written(tmp_path / "old", figures, *old)) / "index.md").read_text()
    contract_section = page.partition("## Contract")[2].partition("## What a workaround")[0]
    said = re.search(r"Not looked at in these records: on .* (\d+) of the", contract_section)
    assert said
    assert "What is listed as lost may not be all." in contract_section
    solid = page.partition("## Where a workaround works")[2]
    assert "| loses something |" in solid
    assert f"| {said[1]} not looked at |" in solid
