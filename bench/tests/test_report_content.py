# SPDX-License-Identifier: GPL-2.0-only
"""What reports say: rules over made-up data, histories, verdicts, and other forms of output."""

import csv
import io
import json
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec
import pytest
import synthetic
from test_chart import FIGURES, written
from test_report import SHMEM, answer, contract, made, sample

from zapbench import chart, report
from zapbench.record import Run
from zapbench.report.method import title_of
from zapbench.report.source import parameters, words
from zapbench.report.study import version
from zapbench.result.store import SUITE
from zapbench.text import full_cost


@pytest.fixture
def results(tmp_path: Path) -> Path:
    return sample(tmp_path)


def zap_costs(tmp_path: Path, *medians: int) -> str:
    figures = {
        f"cycle/dontneed/{SHMEM}": (1000, 1001, 999),
        f"cycle/madv_zap/{SHMEM}": medians,
    }
    return answer(made(tmp_path, written(tmp_path / "results", figures)))


def test_the_answer_follows_the_data_when_zap_is_cheaper(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 500, 501, 499)
    assert "it costs 0.50×: cheaper at 1 of 1 place" in said
    assert "(native) madv_zap at 1 of 1 place" in said


def test_the_answer_follows_the_data_when_zap_is_dearer(tmp_path: Path) -> None:
    said = zap_costs(tmp_path, 2000, 2001, 1999)
    assert "it costs 2.00×: dearer at 1 of 1 place" in said
    assert "(native) dontneed at 1 of 1 place" in said


@pytest.mark.parametrize("medians", [(1005, 1006, 1004), (700, 1000, 1500)], ids=["near", "noisy"])
def test_the_answer_says_equal_within_noise(tmp_path: Path, medians: tuple[int, ...]) -> None:
    said = zap_costs(tmp_path, *medians)
    assert "equal within noise or 2% at 1 of 1 place" in said
    assert "dontneed at 1 and madv_zap at 1" in said or "madv_zap at 1 and dontneed at 1" in said


def test_a_cheap_method_of_another_end_state_never_wins(tmp_path: Path, results: Path) -> None:
    said = answer(made(tmp_path, results))  # mprotect costs half of madv_zap there
    assert "mprotect" not in said


def test_without_zap_the_answer_says_so_and_why(tmp_path: Path) -> None:
    figures = {case: medians for case, medians in FIGURES.items() if "madv_zap" not in case}
    skip = synthetic.skip(synthetic.run_of(), f"cycle/madv_zap/{SHMEM}", "not on this kernel")
    where = made(tmp_path, written(tmp_path / "results", figures, skip))
    assert "MADV_ZAP was not measured" in answer(where)
    assert "skipped (not on this kernel); ratios are to dontneed instead" in answer(where)
    assert "madv_zap was not measured here" in (where / "index.md").read_text().replace("\\", "")


def test_the_nearest_workaround_is_named_with_what_it_loses(tmp_path: Path, results: Path) -> None:
    said = answer(made(tmp_path, results))
    assert "nearest is dontneed, which loses poison markers and sends an event" in said


def test_a_workaround_that_keeps_all_makes_zap_needless(tmp_path: Path) -> None:
    contracts = [contract("madv_zap"), contract("dontneed")]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps" in said
    assert "there MADV_ZAP is not needed" in said


def test_what_zap_itself_loses_is_held_against_nobody(tmp_path: Path) -> None:
    contracts = [contract("madv_zap", lost=["cow"]), contract("dontneed", lost=["cow"])]
    said = answer(made(tmp_path, written(tmp_path / "results", FIGURES, *contracts)))
    assert "dontneed kept all that madv_zap keeps" in said


def test_the_answer_counts_only_kernels_that_have_zap(tmp_path: Path, results: Path) -> None:
    figures = {case: medians for case, medians in FIGURES.items() if "madv_zap" not in case}
    without = written(tmp_path / "without", figures, kernel="6.1")
    assert "6.1 " not in answer(made(tmp_path, results, without))


def test_words_leave_case_names_alone() -> None:
    case = "cycle/dontneed/shmem/4k/4k/state=fresh"
    assert words(f"{case}: /a/b.c failed") == f"{case}: b.c failed"
    assert words(words("/a/b/c")) == words("/a/b/c") == "c"


def test_boot_parameters_of_a_virtual_machine_are_ours(tmp_path: Path) -> None:
    context = synthetic.context(Run("6.12", "icount", 0))
    context = msgspec.structs.replace(context, cmdline="console=ttyS0 odd=1 -- init")
    assert parameters(context) == "console=ttyS0 odd=1"


def over_kernels(tmp_path: Path, costs: Mapping[str, int]) -> list[Path]:
    return [
        written(
            tmp_path / kernel,
            {f"cycle/dontneed/{SHMEM}": (cost, cost, cost)},
            kernel=kernel,
            tier="icount",
            unit="instructions",
        )
        for kernel, cost in costs.items()
    ]


def test_history_finds_the_step_between_kernels(tmp_path: Path) -> None:
    kernels = over_kernels(tmp_path, {"7.2": 1141, "6.1": 1000, "6.12": 1001, "6.12+x": 5000})
    where = made(tmp_path, *kernels)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Linux 6.1, 6.12 and 7.2 (icount)" in page  # oldest first, no patched ones
    assert "+14.0%" in page
    assert "1 step of 2% or more in 1 case; the greatest is +14.0%" in answer(where)
    assert report.check(where) is None


def test_given_history_is_shown_and_kept(tmp_path: Path, results: Path) -> None:
    given = {
        "measured": "nightly",
        "histories": [
            {
                "case": "zap/dontneed/shmem/4k/4k",
                "unit": "instructions",
                "points": [{"label": "aaa", "value": 100}, {"label": "bbb", "value": 120}],
                "steps": [{"label": "bbb", "ratio": 1.2}],
            }
        ],
    }
    (results / "steps.json").write_text(json.dumps(given))
    where = made(tmp_path, results)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "nightly" in page
    assert "+20.0%" in page
    assert report.check(where) is None
    given["histories"] = [{"case": "x"}]
    (results / "steps.json").write_text(json.dumps(given))
    with pytest.raises(Exception, match="no history"):
        made(tmp_path, results)


def test_verdicts_of_a_gate_are_shown_and_kept(tmp_path: Path, results: Path) -> None:
    check = {
        "verdict": "FAIL", "case": f"zap/madv_zap/{SHMEM}", "statistic": "p50", "limit": "+2 %",
        "head": 1234.56789, "change": None, "why": "slower by 3 %",
    }  # fmt: skip
    gate = {"v": 1, "status": "FAIL", "budgets": "/home/x/budgets.toml", "checks": [check]}
    (results / "verdict.json").write_text(json.dumps(gate))
    where = made(tmp_path, results)
    page = (where / "index.html").read_text(encoding="utf-8")
    assert "Verdicts of the gate" in page
    assert "slower by 3 %" in page
    assert "1235" in page
    assert "/home/x" not in (where / "gate-1.json").read_text()
    assert report.check(where) is None


def test_whatever_chart_there_is_is_shown(
    tmp_path: Path, results: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    row = chart.Chart("a chart of another kind", chart.CHARTS["cycle"].draw)
    monkeypatch.setitem(chart.CHARTS, "later", row)
    page = (made(tmp_path, results) / "index.html").read_text(encoding="utf-8")
    assert "a chart of another kind" in page


def test_csv_has_every_case_of_every_kernel(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "c", FIGURES, tier="icount", unit="instructions", kernel="=1+1")
    rows = list(csv.DictReader(io.StringIO(report.csv_text([results, counted]))))
    assert len(rows) == 2 * len(FIGURES)
    assert {row["case"] for row in rows} == set(FIGURES)
    assert {row["kernel"] for row in rows} == {synthetic.KERNEL, "'=1+1"}
    (row,) = (r for r in rows if r["case"] == f"cycle/remap/{SHMEM}" and r["unit"] == "ns")
    assert float(row["median"]) == 2500
    assert float(row["low"]) < 2500 < float(row["high"])
    assert int(row["page_size"]) == 4096


def test_pyperf_reads_the_suite_of_several_kernels(tmp_path: Path, results: Path) -> None:
    counted = written(tmp_path / "c", FIGURES, tier="icount", unit="instructions")
    where = made(tmp_path, results, counted)
    for command in ("show", "stats"):
        done = subprocess.run(
            [sys.executable, "-m", "pyperf", command, str(where / SUITE)],
            capture_output=True, text=True, check=True, timeout=60,
        )  # fmt: skip
        assert f"Linux synthetic (icount): cycle/remap/{SHMEM}" in done.stdout
        assert f"Linux synthetic (native): cycle/remap/{SHMEM}" in done.stdout


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (1234567.0, "ns", "1.235 ms"),
        (999.96, "ns", "1.000 µs"),
        (31.4159, "ns", "31.42 ns"),
        (0.0, "ns", "0 ns"),
        (2023.0, "instructions", "2.023 k"),
        (540123.0, "instructions", "540.1 k"),
        (None, "ns", "—"),
    ],
)
def test_figures_have_four_digits(value: float | None, unit: str, text: str) -> None:
    assert full_cost(value, unit) == text


def test_kernels_are_ordered_by_their_numbers() -> None:
    names = ["7.3", "6.12.117", "6.1", "6.12"]
    assert sorted(names, key=version) == ["6.1", "6.12", "6.12.117", "7.3"]


@pytest.mark.parametrize(
    ("slug", "title"),
    [("2026-11-22-all-methods", "All methods, 2026-11-22"), ("duel", "Duel"), ("x-1", "X 1")],
)
def test_titles_come_from_names(slug: str, title: str) -> None:
    assert title_of(slug) == title
