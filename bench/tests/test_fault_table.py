# SPDX-License-Identifier: GPL-2.0-only
"""Rows of minor faults and of bulk mapping; all figures here are made up."""

from pathlib import Path

import pytest
import synthetic

from zapbench.cli.results import print_table
from zapbench.record import Faults, Histogram, Recording, Samples, decode
from zapbench.report import make
from zapbench.result.stats import fault_rate
from zapbench.result.store import Results, create
from zapbench.result.table import Row, Table

FAULT = "minor_fault/dontneed/shmem/4k/16m"
PROCESS = f"{FAULT}/topology=process"
CONTINUE = "continue/-/shmem/4k/64k"
COUNTED = Faults(1000, 1000, 0, 0, 0, 0, 4_000_000, oversubscribed=False)


def faults(boot: int, name: str, *, number: int = 1000, **counted: object) -> Samples:
    run = synthetic.run_of(boot)
    histogram = Histogram(7, 1, 200, 0, number, ((1, number - 20), (100, 19), (200, 1)))
    fields = {field: getattr(COUNTED, field) for field in COUNTED.__struct_fields__}
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


def rows(*samples: Samples) -> dict[str, Row]:
    (group,) = table(*samples).groups
    return {row.method: row for row in group.rows}


def test_threads_and_processes_stand_side_by_side_and_are_not_ranked():
    found = rows(faults(0, FAULT), faults(0, PROCESS))
    assert list(found) == ["dontneed", "dontneed topology=process"]
    assert [(row.best, row.ratio) for row in found.values()] == [(False, None)] * 2


def test_a_percentile_without_ten_samples_beyond_it_is_none():
    row = rows(faults(0, FAULT))["dontneed"]
    assert (row.p50, row.p90, row.p99, row.p999, row.p9999) == (1, 1, 100, None, None)
    assert row.maximum == 200
    more = rows(faults(0, FAULT, number=100_000))["dontneed"]
    assert more.p9999 is not None


def test_the_rate_is_the_median_of_the_boots():
    walls = (1_000_000, 2_000_000, 8_000_000)
    boots = [faults(boot, FAULT, wall=wall) for boot, wall in enumerate(walls)]
    assert fault_rate(boots) == pytest.approx(1000 / 2e-3)
    counted = synthetic.samples(
        synthetic.run_of(), FAULT, (1,), unit="instructions", faults=COUNTED
    )
    assert fault_rate([counted]) is None
    assert fault_rate([synthetic.samples(synthetic.run_of(), FAULT, (1,))]) is None


@pytest.mark.parametrize(
    ("counted", "note"),
    [
        ({}, ""),
        ({"oversubscribed": True}, "more threads than CPUs"),
        ({"strandings": 3, "eagain": 2}, "strandings: 3, eagain: 2"),
    ],
)
def test_what_was_counted_beside_the_faults_is_noted(counted, note):
    assert rows(faults(0, FAULT, **counted))["dontneed"].note == note


def test_mapping_in_bulk_is_set_against_populate():
    run = synthetic.run_of()
    found = rows(
        synthetic.samples(run, CONTINUE, (3200,) * 5),
        synthetic.samples(run, f"{CONTINUE}/by=populate", (1600,) * 5),
        synthetic.samples(run, f"{CONTINUE}/step=page", (6400,) * 5),
        synthetic.samples(run, f"{CONTINUE}/by=copy", (100,) * 5),
    )
    assert {name: row.of_populate for name, row in found.items()} == {
        "populate": 1,
        "continue": 0.5,
        "continue step=page": 0.25,
        "copy": 16,
    }
    assert found["continue"].pages_per_second == pytest.approx(16 / 3.2e-6)
    assert found["continue"].bytes_per_second == pytest.approx((64 << 10) / 3.2e-6)
    # It does more than the others, so that it is never the best of them.
    assert found["copy"].differs is not None
    assert found["populate"].best


def test_the_command_prints_them(capsys):
    """A line for each case; what cannot be said is a dash."""
    records = (faults(0, FAULT), synthetic.samples(synthetic.run_of(), CONTINUE, (3200,) * 5))
    print_table(table(*records), as_json=False)
    lines = capsys.readouterr().out.splitlines()
    fault = next(line for line in lines if line.startswith("dontneed"))
    assert fault.split()[-2:] == ["250,000", "1"]
    assert fault.split().count("—") == 2
    mapped = next(line for line in lines if line.startswith("continue "))
    assert "5,000,000" in mapped
    assert "19.1" in mapped


def test_a_report_gives_the_rate_of_all_threads_not_of_one(tmp_path):
    """Threads that fault side by side do more a second than 1 / latency says."""
    results = tmp_path / "results"
    with create(results) as writer:
        for boot in range(2):
            record = faults(boot, f"{FAULT}/threads=4", wall=500_000)
            for line in synthetic.stream(record.run, record):
                writer.write(line)
    page = make([results], tmp_path / "report") / "index.md"
    (line,) = (line for line in page.read_text().splitlines() if "16m/threads=4 |" in line)
    median, rate = (line.split(" | ")[column] for column in (1, 7))
    assert (median, rate) == ("1.000 ns", "2.000 M")  # 1000 faults in half a millisecond
