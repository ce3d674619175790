# SPDX-License-Identifier: GPL-2.0-only
"""Charts of minor faults, read back from what was drawn; all figures here are made up."""

from pathlib import Path

import pytest
import synthetic
from drawn import bars, xs, ys

from zapbench import chart
from zapbench.error import UsageError
from zapbench.record import Faults, Histogram, Samples
from zapbench.result.store import RECORDS, Results

PLACES = ("shmem/4k/16m", "hugetlb/2m/64m")
STAGES = ("deliver", "queue", "resolve", "resume")


def histogram(value: int, count: int) -> Histogram:
    """``count`` times the value, an exact one of a bucket, and ten slow ones."""
    return Histogram(7, value, 255, 0, count, ((value, count - 10), (255, 10)))


def fault(name: str, value: int, wall: int, count: int = 10_000) -> Samples:
    counted = Faults(count, count, 0, 0, 0, 0, wall, oversubscribed=False)
    stages = {stage: histogram(10 * (i + 1), 100) for i, stage in enumerate(STAGES)}
    return synthetic.samples(
        synthetic.run_of(),
        name,
        None,
        histogram=histogram(value, count),
        pages_per_op=1,
        faults=counted,
        stage_histograms=stages,
    )


@pytest.fixture
def results(tmp_path: Path) -> Results:
    lines = [
        fault(f"minor_fault/dontneed/{place}{axes}", 100 + 10 * i, 10**9 // (i + 1))
        for place in PLACES
        for i, axes in enumerate(("", "/topology=process", "/threads=2", "/delivery=sigbus"))
    ]
    (tmp_path / RECORDS).write_bytes(b"".join(synthetic.stream(synthetic.run_of(), *lines)))
    return Results(tmp_path)


def test_latency_has_a_curve_for_each_page_size_as_far_as_it_is_known(results: Results) -> None:
    figure = chart.draw(results, "latency")
    thread, process = figure.axes
    for axes, value in ((thread, 100), (process, 110)):
        assert len(axes.lines) == len(PLACES)
        for line in axes.lines:
            assert ys(line)[0] == value
            # ten of 10,000 lie beyond the last quantile that is drawn
            assert xs(line)[-1] == pytest.approx(1000)
    assert {text.get_text() for text in thread.texts} == {"shmem 4k", "hugetlb 2m"}


def test_throughput_has_a_curve_where_threads_were_varied(results: Results) -> None:
    (axes,) = chart.draw(results, "throughput").axes
    (line,) = axes.lines
    assert xs(line) == [1, 2]
    assert ys(line) == pytest.approx([10_000, 30_000])
    assert [text.get_text() for text in axes.texts] == ["one handler, blocking read"]


def test_stages_are_stacked_in_their_order(results: Results) -> None:
    figure = chart.draw(results, "stages")
    assert len(figure.axes) == len(PLACES)
    axes = figure.axes[1]
    assert [label.get_text() for label in axes.get_yticklabels()] == [
        *("blocking read", "sigbus", "process"),
    ]
    first = bars(axes)[: len(STAGES)]
    assert [bar.get_width() * 1000 for bar in first] == pytest.approx([10, 20, 30, 40])
    assert [bar.get_x() * 1000 for bar in first] == pytest.approx([0, 10, 30, 60])


PLACED = ("place=same", "place=apart", "place=same/threads=2", "place=apart/threads=2")


@pytest.fixture
def placed(tmp_path: Path) -> Results:
    lines = [
        fault(f"minor_fault/dontneed/{PLACES[0]}{axes}", 100 + 10 * i, 10**9 // (i + 1))
        for i, axes in enumerate(("", *(f"/{each}" for each in PLACED)))
    ]
    (tmp_path / RECORDS).write_bytes(b"".join(synthetic.stream(synthetic.run_of(), *lines)))
    return Results(tmp_path)


def test_curves_of_both_placements_are_drawn_and_name_them(placed: Results) -> None:
    (axes,) = chart.draw(placed, "latency").axes
    assert [ys(line)[0] for line in axes.lines] == [100, 120, 110]
    assert len({line.get_linestyle() for line in axes.lines}) == 3
    named = {"shmem 4k", "shmem 4k place=same", "shmem 4k place=apart"}
    assert {text.get_text() for text in axes.texts} == named
    (axes,) = chart.draw(placed, "throughput").axes
    rates = {tuple(ys(line)) for line in axes.lines}
    assert {tuple(map(round, each)) for each in rates} == {(20_000, 40_000), (30_000, 50_000)}
    named = {f"one handler, blocking read, place={place}" for place in ("same", "apart")}
    assert {text.get_text() for text in axes.texts} == named
    labels = chart.draw(placed, "stages").axes[0].get_yticklabels()
    assert {text.get_text() for text in labels} == {"blocking read", "place=same", "place=apart"}


@pytest.mark.parametrize("kind", ["latency", "throughput", "stages"])
def test_a_result_without_faults_is_told_so_in_a_line(tmp_path: Path, kind: str) -> None:
    record = synthetic.samples(synthetic.run_of(), "zap/dontneed/shmem/4k/4k", (1, 2))
    (tmp_path / RECORDS).write_bytes(b"".join(synthetic.stream(synthetic.run_of(), record)))
    with pytest.raises(UsageError, match="has no minor faults to show") as caught:
        chart.draw(Results(tmp_path), kind)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("kind", ["latency", "throughput", "stages"])
def test_a_chart_made_again_has_the_same_bytes(tmp_path: Path, results: Results, kind: str) -> None:
    files = [tmp_path / f"{n}.svg" for n in (1, 2)]
    for file in files:
        chart.save(chart.draw(results, kind), file)
    assert files[0].read_bytes() == files[1].read_bytes()
