# SPDX-License-Identifier: GPL-2.0-only
"""Tables as printed and as JSON."""

import json
from dataclasses import replace

import pytest
import synthetic
from command import Command, Replay, golden, run_small, trimmed
from made_faults import CONTINUE, FAULT, faults, table

from zapbench.cli.results import print_table
from zapbench.result.table import Remark
from zapbench.text import MOST_NAMES


def test_the_command_prints_them(capsys: pytest.CaptureFixture[str]) -> None:
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


@pytest.mark.parametrize("tier", ["tcg", "kvm"])
def test_times_of_an_emulated_machine_are_for_screening_only(
    capsys: pytest.CaptureFixture[str], tier: str
) -> None:
    print_table(replace(table(faults(0, FAULT)), tier=tier), as_json=False)
    assert ("for screening only" in capsys.readouterr().out) == (tier == "tcg")


def test_of_many_names_the_first_are_listed_and_the_others_counted(
    capsys: pytest.CaptureFixture[str],
) -> None:
    names = tuple(f"zap/rwp/shmem/4k/{size}k" for size in range(MOST_NAMES + 31))
    made = replace(table(faults(0, FAULT)), skipped=(Remark("no such feature", names),))
    print_table(made, as_json=False)
    out = " ".join(capsys.readouterr().out.split())
    assert f"{names[MOST_NAMES - 1]}, … and 31 more (--json has all)" in out
    assert names[MOST_NAMES] not in out
    print_table(made, as_json=True)
    assert json.loads(capsys.readouterr().out)["skipped"][0]["cases"] == list(names)


def test_the_table_is_as_committed(zapbench: Command, replay: Replay) -> None:
    done = run_small(zapbench, "-o", "r")
    golden("small.table.txt", trimmed(done.out))
    assert done.status == 1  # one case gave an error


def test_the_json_says_the_same(zapbench: Command, replay: Replay) -> None:
    table = json.loads(run_small(zapbench, "--json", "-o", "r").out)
    rows = {row["case"]: row for group in table["groups"] for row in group["rows"]}
    assert rows["zap/dontneed/shmem/4k/64k"]["best"]
    assert rows["zap/dontneed/shmem/4k/64k"]["p99"] is not None
    assert rows["zap/remap/shmem/4k/64k"]["ratio"]["value"] == pytest.approx(3, rel=0.05)
    assert rows["zap/remap/shmem/4k/64k"]["p99"] is None
    assert rows["zap/punch_hole/shmem/4k/64k"]["differs"] == "loses the data"
    assert table["errors"] == [
        {"reason": "promise cache broken", "cases": ["zap/overmap/shmem/4k/64k"]}
    ]
    listed = {case for remark in table["skipped"] for case in remark["cases"]}
    assert listed == {"zap/rwp/shmem/4k/64k", "zap/dontneed/hugetlb/2m/2m"}
    assert "cycle/poison/shmem/4k/64k" in table["excluded"][0]["cases"]
