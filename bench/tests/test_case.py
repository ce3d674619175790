# SPDX-License-Identifier: GPL-2.0-only
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zapbench import case
from zapbench.case import Case, Cell, grid, select, size_bytes, size_text
from zapbench.error import UsageError

WORDS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
SIZES = st.integers(1, 1 << 26).map(lambda kib: kib << 10)


@given(SIZES)
def test_sizes_survive_being_written(size):
    assert size_bytes(size_text(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(4096, "4k"), (2 << 20, "2m"), (1 << 30, "1g"), (1536 << 10, "1536k")]
)
def test_sizes_are_in_the_largest_unit_that_divides(size, text):
    assert size_text(size) == text


@pytest.mark.parametrize("text", ["", "k", "0k", "4", "4K", "-4k", "4kb", "4.5m", "1t"])
def test_what_is_no_size_is_refused(text):
    with pytest.raises(ValueError, match="is not a size"):
        size_bytes(text)


@pytest.mark.parametrize("size", [0, -4096, 1000])
def test_what_is_no_multiple_of_1k_has_no_text(size):
    with pytest.raises(ValueError, match="positive multiple"):
        size_text(size)


@given(
    st.builds(
        Case,
        WORDS,
        WORDS,
        WORDS,
        SIZES,
        SIZES,
        st.dictionaries(WORDS, WORDS, max_size=3).map(lambda axes: tuple(sorted(axes.items()))),
    )
)
def test_names_survive_being_written(each):
    assert Case.parse(str(each)) == each


def test_names_are_made_canonical():
    parsed = Case.parse("zap/remap/shmem/4k/2048k/state=fresh/events=on")
    assert str(parsed) == "zap/remap/shmem/4k/2m/events=on/state=fresh"


@pytest.mark.parametrize(
    "name", ["", "zap", "zap/remap/shmem/4k", "zap//shmem/4k/4k", "a/b/c/4/4k", "a/b/c/4k/4k/x"]
)
def test_what_is_no_name_is_refused_in_one_line(name):
    with pytest.raises(UsageError, match="is not a case") as caught:
        Case.parse(name)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("quick", [True, False])
def test_a_grid_holds_each_case_once_under_its_canonical_name(quick):
    names = [str(cell.case) for cell in grid(quick=quick)]
    assert len(names) == len(set(names))
    assert all(str(Case.parse(name)) == name for name in names)


@pytest.mark.parametrize("quick", [True, False])
def test_no_cell_of_a_grid_is_malformed(quick):
    """What is excluded is excluded by the tables, not by the grid's own mistake."""
    malformed = [cell for cell in grid(quick=quick) if cell.excluded == "not the name of a case"]
    assert malformed == []


def test_every_method_and_timed_workload_is_in_the_quick_grid():
    cases = [cell.case for cell in grid(quick=True)]
    assert {each.method for each in cases} == {*case.methods(), case.NO_METHOD}
    timed = {name for name, workload in case.workloads().items() if workload.timed}
    assert {each.workload for each in cases} == timed


def test_every_backing_is_in_the_full_grid_and_allowed_somewhere():
    allowed = {cell.case.backing for cell in grid(quick=False) if cell.excluded is None}
    assert allowed == set(case.backings())


def test_what_loses_data_is_not_measured_at_1g():
    cells = {str(cell.case): cell for cell in grid(quick=False)}
    assert cells["zap/punch_hole/shmem/4k/1g"].excluded
    assert cells["zap/dontneed/shmem/4k/1g"].excluded is None


def test_exclusions_say_why():
    assert Case.parse("zap/guard/hugetlb/2m/2m").excluded == "EINVAL: no guard regions on hugetlb"
    assert Case.parse("zap/dontneed/shmem/4k/4k").excluded is None
    assert Case.parse("zap/nonsense/shmem/4k/4k").excluded is not None


def test_memory_covers_the_range():
    assert Case.parse("zap/dontneed/shmem/4k/64m").memory >= 64 << 20
    assert Case.parse("zap/dontneed/shmem-private/4k/64m").memory >= 128 << 20
    with pytest.raises(UsageError, match="no such case"):
        _ = Case.parse("zap/nonsense/shmem/4k/4k").memory


def test_needs_are_those_of_the_greediest_case():
    cases = [Case.parse(f"zap/dontneed/hugetlb/2m/{size}") for size in ("2m", "64m")]
    assert case.hugetlb_need(cases) == {2 << 20: cases[1].memory}
    assert case.hugetlb_need([Case.parse("zap/dontneed/shmem/4k/4k")]) == {}
    thp = [Case.parse("zap/dontneed/shmem/2m/2m"), Case.parse("zap/dontneed/shmem/64k/64k")]
    assert case.mthp_need([*cases, *thp]) == {2 << 20, 64 << 10}


CELLS = [
    Cell(Case.parse(name), None)
    for name in ("zap/remap/shmem/4k/4k", "zap/dontneed/shmem/4k/4k", "cycle/remap/shmem/4k/4k")
]


def test_globs_select_in_the_order_of_the_grid():
    assert select(CELLS, ["cycle/*", "zap/r*"]) == [CELLS[0], CELLS[2]]
    assert select(CELLS, []) == CELLS
    assert select(CELLS, ["*/remap/*/4[km]/?k"]) == [CELLS[0], CELLS[2]]


def test_a_full_name_need_not_be_in_the_grid():
    (cell,) = select(CELLS, ["zap/remap/shmem/4k/8m"])
    assert str(cell.case) == "zap/remap/shmem/4k/8m"


@pytest.mark.parametrize(
    ("pattern", "said"),
    [
        ("zap/remapp/*", "no case matches 'zap/remapp/\\*'"),
        ("zap/remapp/shmem/4k/4k", "cannot be measured: .*near it: zap/remap/shmem/4k/4k"),
        ("zap/guard/hugetlb/2m/2m", "no guard regions on hugetlb"),
        ("zap", "is not a case: expected workload/method"),
        ("qqqqqq*", "`zapbench list` shows them all"),
    ],
)
def test_a_glob_that_matches_nothing_is_one_line_with_near_names(pattern, said):
    with pytest.raises(UsageError, match=said) as caught:
        select(CELLS, [pattern])
    assert "\n" not in str(caught.value)
