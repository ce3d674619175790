# SPDX-License-Identifier: GPL-2.0-only
"""Charts are read back from what was drawn; all figures here are made up."""

import itertools
import os
import subprocess
import sys
import xml.etree.ElementTree as ET
from collections.abc import Mapping, Sequence
from pathlib import Path

import matplotlib as mpl
import pytest
import synthetic
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

from zapbench import chart, cli
from zapbench.chart.cost import CUT
from zapbench.chart.labels import spread
from zapbench.chart.palette import TIER_NOTES
from zapbench.error import UsageError
from zapbench.result.stats import interval
from zapbench.result.store import RECORDS, Results

SMALL = "shmem/4k/4k"
HUGE = "hugetlb/2m/2m"
FIGURES = {
    f"cycle/dontneed/{SMALL}": (1000, 1010, 990),
    f"cycle/madv_zap/{SMALL}": (950, 960, 940),
    f"cycle/remap/{SMALL}": (2500, 2600, 2400),
    f"cycle/mprotect/{SMALL}": (500, 510, 490),
    f"cycle/punch_hole/{SMALL}": (90_000, 91_000, 89_000),
    f"cycle/dontneed/{HUGE}": (4000, 4010, 3990),
    f"cycle/remap/{HUGE}": (8000, 8100, 7900),
}


def written(
    directory: Path,
    figures: Mapping[str, Sequence[int]] = FIGURES,
    *more: object,
    tier: str = "native",
    unit: str = "ns",
    kernel: str = synthetic.KERNEL,
) -> Path:
    """A result directory with one median a boot for each case; ``more`` goes into boot 0."""
    directory.mkdir(parents=True, exist_ok=True)
    lines: list[bytes] = []
    for boot in range(max(map(len, figures.values()), default=1)):
        run = synthetic.run_of(boot, kernel, tier)
        records = [
            synthetic.samples(run, case, (medians[boot],) * 3, unit=unit)
            for case, medians in figures.items()
        ]
        extra = more if boot == 0 else ()
        lines += synthetic.stream(run, *records, *extra, unit=unit)
    (directory / RECORDS).write_bytes(b"".join(lines))
    return directory


@pytest.fixture
def results(tmp_path: Path) -> Results:
    run = synthetic.run_of()
    skip = synthetic.skip(run, f"cycle/rwp/{SMALL}")
    pool = synthetic.skip(run, f"cycle/madv_zap/{HUGE}", "pool too small")
    error = synthetic.error(run, f"cycle/overmap/{SMALL}")
    overmap = {f"cycle/overmap/{HUGE}": (7000, 7000, 7000)}
    return Results(written(tmp_path / "r", FIGURES | overmap, skip, pool, error))


def panels(figure: Figure) -> dict[str, Axes]:
    return {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_title(loc="left")}


def methods_of(axes: Axes) -> list[str]:
    return [label.get_text() for label in axes.get_yticklabels()]


def row(axes: Axes, name: str) -> int:
    return methods_of(axes).index(name)


def widths(axes: Axes) -> dict[str, float]:
    names = methods_of(axes.figure.axes[0])  # the names stand on the left only
    return {
        names[round(bar.get_y() + bar.get_height() / 2)]: bar.get_width() for bar in axes.patches
    }


def texts(figure: Figure) -> list[str]:
    return [text.get_text() for text in figure.findobj(Text) if text.get_text().strip()]


def small(figure: Figure) -> Axes:
    return panels(figure)["shmem, 4k pages, 4k range"]


def test_bars_start_at_zero_and_are_as_long_as_the_medians(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    axes = small(figure)
    assert axes.get_xlim()[0] == 0
    assert axes.get_xlabel() == "µs"
    lengths = widths(axes)
    assert lengths["dontneed"] == pytest.approx(1.0)
    assert lengths["madv_zap"] == pytest.approx(0.95)
    assert lengths["remap"] == pytest.approx(2.5)
    assert lengths["≠ mprotect"] == pytest.approx(0.5)
    assert widths(panels(figure)["hugetlb, 2m pages, 2m range"])["remap"] == pytest.approx(8)


def test_a_bar_beyond_the_axis_is_torn_and_says_its_figure(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    high = interval([2500.0, 2600.0, 2400.0])[1] / 1000
    assert widths(axes)["≠ punch_hole"] == pytest.approx(CUT * high)
    labels = [text.get_text() for text in axes.texts]
    assert "90.0  90.0×" in labels
    white = [line for line in axes.lines if line.get_color() == "white"]
    assert {round(sum(line.get_ydata()) / 2) for line in white} == {row(axes, "≠ punch_hole")}


def test_intervals_are_those_of_the_boot_medians(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    drawn = [line for line in axes.lines if line.get_marker() == "|"]
    (remap,) = (line for line in drawn if line.get_ydata()[0] == row(axes, "remap"))
    low, high = interval([2500.0, 2600.0, 2400.0])
    assert list(remap.get_xdata()) == pytest.approx([low / 1000, high / 1000])
    assert low < 2500 < high


def test_one_boot_has_no_interval(tmp_path: Path) -> None:
    once = Results(written(tmp_path, {case: medians[:1] for case, medians in FIGURES.items()}))
    axes = small(chart.draw(once, "cycle"))
    assert not [line for line in axes.lines if line.get_marker() == "|"]


def test_what_is_not_equivalent_is_hatched_and_never_first(results: Results) -> None:
    axes = small(chart.draw(results, "cycle"))
    names = methods_of(axes)
    marked = [name.startswith("≠ ") for name in names]
    assert marked == sorted(marked)
    assert "≠ mprotect" in names  # the cheapest of all
    hatched = {bar.get_hatch() is not None for bar in axes.patches if bar.get_width() < 0.9}
    assert hatched == {True}
    assert {bar.get_hatch() for bar in axes.patches if 0.9 < bar.get_width() < 3} == {None}
    assert any("loses the data" in text for text in texts(axes.figure))


def test_a_broken_contract_takes_a_method_out_of_the_ranking(tmp_path: Path) -> None:
    broken = synthetic.contract(synthetic.run_of(), f"contract/remap/{SMALL}", broken="cache")
    overmap = {f"cycle/overmap/{SMALL}": (9000, 9000, 9000)}  # behind remap in the C table
    drawn = chart.draw(Results(written(tmp_path, FIGURES | overmap, broken)), "cycle")
    names = methods_of(small(drawn))
    assert names[:3] == ["madv_zap", "dontneed", "overmap"]
    assert "≠ remap" in names[3:]
    assert "≠ remap: promise cache broken" in "\n".join(texts(drawn))


def test_a_missing_figure_says_why(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    words = {text.get_position()[1]: text.get_text() for text in small(figure).texts}
    assert words[row(small(figure), "overmap")] == "failed, see the table"
    huge = panels(figure)["hugetlb, 2m pages, 2m range"]
    words = {text.get_position()[1]: text.get_text() for text in huge.texts}
    assert words[row(small(figure), "madv_zap")] == "skipped, see the table"
    assert "No figure of rwp: skipped, the" in "\n".join(texts(figure))


@pytest.mark.parametrize("tier", TIER_NOTES)
def test_the_title_says_kernel_tier_and_boots(tmp_path: Path, tier: str) -> None:
    unit = "instructions" if tier == "icount" else "ns"
    figure = chart.draw(Results(written(tmp_path, tier=tier, unit=unit)), "cycle")
    said = " ".join("\n".join(texts(figure)).split())
    assert f"Linux synthetic; {tier}: {TIER_NOTES[tier]}; 3 " in said
    assert ("virtual machine" in said or "emulated" in said) == (tier != "native")
    assert small(figure).get_xlabel() == ("thousand instructions" if tier == "icount" else "µs")


def test_no_text_leaves_the_figure_or_lies_on_another(results: Results) -> None:
    figure = chart.draw(results, "cycle")
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw(renderer)
    seen = [t for t in figure.findobj(Text) if t.get_text().strip() and t.get_visible()]
    boxes = {text: text.get_window_extent(renderer) for text in seen}
    for text, box in boxes.items():
        assert figure.bbox.x0 <= box.x0, text
        assert box.x1 <= figure.bbox.x1, text
        assert figure.bbox.y0 <= box.y0, text
    for (one, left), (two, right) in itertools.combinations(boxes.items(), 2):
        over = min(left.x1, right.x1) - max(left.x0, right.x0)
        beside = min(left.y1, right.y1) - max(left.y0, right.y0)
        assert over < 1 or beside < 1, (one, two)


def test_places_beyond_the_quick_grid_are_drawn_if_there_are_no_others(tmp_path: Path) -> None:
    figures = {"cycle/dontneed/anon/4k/64k": (5000, 5000), "cycle/remap/anon/4k/64k": (6000, 6000)}
    figure = chart.draw(Results(written(tmp_path, figures)), "cycle")
    assert list(panels(figure)) == ["anon, 4k pages, 64k range"]


@pytest.mark.parametrize("kind", ["cycle", "zap"])
def test_bars_are_drawn_of_either_workload(tmp_path: Path, kind: str) -> None:
    figures = {case.replace("cycle/", f"{kind}/"): medians for case, medians in FIGURES.items()}
    figure = chart.draw(Results(written(tmp_path, figures)), kind)
    assert widths(small(figure))["dontneed"] == pytest.approx(1.0)


def test_figures_of_zero_are_drawn_without_a_ratio(tmp_path: Path) -> None:
    figures = {f"cycle/dontneed/{SMALL}": (0, 0), f"cycle/remap/{SMALL}": (0, 0)}
    axes = small(chart.draw(Results(written(tmp_path, figures)), "cycle"))
    assert set(widths(axes).values()) == {0}


def test_a_file_made_twice_is_the_same_whatever_the_user_s_style(
    results: Results, tmp_path: Path
) -> None:
    for name in ("a", "b"):
        for suffix in chart.SUFFIXES:
            with mpl.rc_context({"font.size": 20 if name == "b" else 10, "svg.fonttype": "path"}):
                chart.save(chart.draw(results, "cycle"), tmp_path / f"{name}{suffix}")
    for suffix in chart.SUFFIXES:
        first, second = ((tmp_path / f"{name}{suffix}").read_bytes() for name in "ab")
        assert first == second
        assert b"2026" not in first


def test_another_process_makes_the_same_bytes(tmp_path: Path) -> None:
    written(tmp_path / "r")
    for seed in ("1", "2"):
        command = ["-m", "zapbench", "chart", "r", "-o", f"{seed}.svg", "-o", f"{seed}.png"]
        environment = os.environ | {"PYTHONHASHSEED": seed}
        subprocess.run([sys.executable, *command], cwd=tmp_path, env=environment, check=True)
    for suffix in chart.SUFFIXES:
        assert (tmp_path / f"1{suffix}").read_bytes() == (tmp_path / f"2{suffix}").read_bytes()


def test_text_stays_text_and_names_cannot_be_markup(tmp_path: Path) -> None:
    kernel = "<script>alert(1)</script>$x^2$"
    drawn = chart.draw(Results(written(tmp_path / "r", kernel=kernel)), "cycle")
    chart.save(drawn, tmp_path / "c.svg")
    root = ET.fromstring((tmp_path / "c.svg").read_text())
    words = "\n".join("".join(node.itertext()) for node in root.iter() if node.tag.endswith("text"))
    assert ["<script>alert(1)<", "script>$x^2$"][-1] in words
    assert not [node for node in root.iter() if node.tag.endswith("script")]
    for said in ("madv_zap", "≠ punch_hole", "µs", "shmem, 4k pages, 4k range"):
        assert said in words


def test_labels_move_apart_as_little_as_needed() -> None:
    assert spread([0.1, 0.5, 0.9], 0.05, 0, 1) == pytest.approx([0.1, 0.5, 0.9])
    assert spread([0.5, 0.5], 0.1, 0, 1) == pytest.approx([0.45, 0.55])
    assert spread([0.0, 0.01, 0.9], 0.1, 0, 1) == pytest.approx([0.0, 0.1, 0.9])
    assert spread([0.99, 1.0], 0.1, 0, 1) == pytest.approx([0.9, 1.0])
    crowd = spread([0.5] * 30, 0.1, 0, 1)
    assert crowd[0] == 0
    assert {round(b - a, 9) for a, b in itertools.pairwise(crowd)} == {0.1}


def fail(capsys: pytest.CaptureFixture[str], *arguments: object) -> str:
    """Run a command that must fail with status 2, and return its only line."""
    with pytest.raises(SystemExit) as caught:
        cli.main([str(argument) for argument in arguments])
    assert caught.value.code == 2
    err = capsys.readouterr().err
    assert err.startswith("zapbench: ")
    assert err.count("\n") == 1
    return err


def test_without_figures_there_is_one_line(tmp_path: Path, capsys) -> None:
    run = synthetic.run_of()
    skips = [synthetic.skip(run, f"cycle/{name}/{SMALL}", "no such call") for name in ("rwp", "r")]
    skipped = written(tmp_path / "skipped", {}, *skips)
    broken = written(tmp_path / "broken", {}, synthetic.error(run, f"cycle/remap/{SMALL}"))
    other = written(tmp_path / "other", {f"zap/remap/{SMALL}": (1,)})
    for directory, said in (
        (skipped, "no cycle figures: 2 cases skipped (no such call)"),
        (broken, "no cycle figures: 1 cases failed (contract broken)"),
        (other, "no cycle figures: no such case was run"),
        (tmp_path / "absent", "does not exist"),
        (tmp_path, f"holds no {RECORDS}"),
    ):
        assert said in fail(capsys, "chart", directory, "-o", tmp_path / "c.svg")
    assert not (tmp_path / "c.svg").exists()


def test_mixed_units_are_refused(tmp_path: Path, capsys) -> None:
    timed = (written(tmp_path / "a") / RECORDS).read_bytes()
    counted = written(tmp_path / "b", tier="icount", unit="instructions")
    (counted / RECORDS).write_bytes(timed + (counted / RECORDS).read_bytes())
    line = fail(capsys, "chart", counted, "-o", tmp_path / "c.svg")
    assert "mixes synthetic (icount, instructions) and synthetic (native, ns)" in line


@pytest.mark.parametrize(
    ("file", "said"),
    [
        ("c.pdf", "must end in .svg or .png"),
        ("c", "must end in .svg or .png"),
        ("absent/c.svg", "there is no directory absent"),
        ("/proc/c.svg", "cannot write /proc/c.svg"),
    ],
)
def test_a_file_that_cannot_be_is_one_line(tmp_path, capsys, monkeypatch, file, said) -> None:
    monkeypatch.chdir(written(tmp_path))
    assert said in fail(capsys, "chart", ".", "-o", file)


def test_a_full_disk_leaves_the_chart_of_before(results: Results, small_disk: Path) -> None:
    file = small_disk / "c.svg"
    file.write_text("before")
    (small_disk / "ballast").write_bytes(bytes(248 << 10))
    with pytest.raises(Exception, match="No space left on device") as caught:
        chart.save(chart.draw(results, "cycle"), file)
    assert caught.value.exit_code == 2
    assert file.read_text() == "before"
    assert sorted(path.name for path in small_disk.iterdir()) == ["ballast", "c.svg"]


def test_a_cut_off_measurement_is_said_to_be_incomplete(tmp_path: Path) -> None:
    lines = (written(tmp_path) / RECORDS).read_bytes().splitlines(keepends=True)
    (tmp_path / RECORDS).write_bytes(b"".join(lines[:-1]))
    assert incomplete(Results(tmp_path))
    resumed = synthetic.stream(synthetic.run_of(2))
    (tmp_path / RECORDS).write_bytes(b"".join([*lines[:-1], *resumed]))
    assert Results(tmp_path).recording.truncated
    assert not incomplete(Results(tmp_path))


def incomplete(results: Results) -> bool:
    said = " ".join(" ".join(texts(chart.draw(results, "cycle"))).split())
    return "incomplete: the measurement was cut off" in said


def test_an_unknown_suffix_is_refused_by_save_too(results: Results, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"must end in \.svg or \.png"):
        chart.save(chart.draw(results, "cycle"), tmp_path / "c.jpeg")
