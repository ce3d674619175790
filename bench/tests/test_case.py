# SPDX-License-Identifier: GPL-2.0-only
import pytest
from hypothesis import given
from hypothesis import strategies as st

from zapbench import case
from zapbench.case import Case, Cell, choose, depth, grid, select, size_bytes, size_text
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


def test_every_method_and_timed_workload_is_in_the_quick_grids():
    cases = [cell.case for cell in grid(quick=True)]
    assert {each.method for each in cases} == {*case.methods(), case.NO_METHOD}
    assert {each.workload for each in cases} == {"empty", "zap", "cycle", "continue"}
    timed = {name for name, workload in case.workloads().items() if workload.timed}
    deeper = {cell.case.workload for cell in depth(quick=True)}
    assert {each.workload for each in cases} | deeper == timed


@pytest.mark.parametrize("quick", [True, False])
def test_a_sweep_holds_each_case_once_and_no_mistake(quick):
    cells = depth(quick=quick)
    names = [str(cell.case) for cell in cells]
    assert len(names) == len(set(names))
    wrong = [cell for cell in cells if cell.excluded == "not the name of a case"]
    assert wrong == []


def test_every_axis_of_the_sweeps_workloads_is_in_them():
    seen = {pair for cell in depth(quick=False) for pair in cell.case.axes}
    named = {
        "delivery",
        "topology",
        "place",
        "order",
        "access",
        "stamps",
        "uffd",
        "step",
        "wp",
        "wake",
        "by",
    }
    for axis in named:
        values = {value for key, value in seen if key == axis}
        assert values == set(case.axis_values(axis))
    assert {"threads", "handlers", "batch"} <= {key for key, _ in seen}


def test_a_glob_reaches_a_sweep_by_naming_its_workload():
    swept = {str(cell.case) for cell in depth(quick=True)}
    quick = {str(cell.case) for cell in grid(quick=True)}

    def chosen(*globs: str) -> set[str]:
        return {str(cell.case) for cell in choose(globs, quick=True)}

    assert chosen() == quick
    assert chosen("*/dontneed/*") <= quick
    assert chosen("minor_fault/*") == {name for name in swept if name.startswith("minor_fault/")}
    both = {name for name in quick | swept if name.startswith("continue/")}
    assert chosen("continue/*") == both
    assert both - quick
    assert chosen("minor_fault/*/topology=process") < swept
    assert swept <= {str(cell.case) for cell in choose((), quick=False)}


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("minor_fault/dontneed/shmem/4k/64k/threads=0", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/handlers=65", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/batch=0", "take 1 to 64"),
        ("minor_fault/dontneed/shmem/4k/64k/topology=threads", "not the name of a case"),
        ("minor_fault/punch_hole/shmem/4k/64k", "the data is gone"),
        ("minor_fault/madv_remove/shmem/4k/64k", "the data is gone"),
        ("minor_fault/uffd_wp/shmem/4k/64k", "traps writes only"),
        ("minor_fault/mprotect/shmem/4k/64k", "a signal, not a userfaultfd event"),
        ("minor_fault/guard/shmem/4k/64k", "a signal, not a userfaultfd event"),
        ("minor_fault/poison/shmem/4k/64k", "a signal, and no way back"),
        ("minor_fault/dontneed/anon/4k/64k", "no minor mode for anonymous memory"),
        ("minor_fault/dontneed/file/4k/64k", "no minor mode for plain files"),
        ("minor_fault/dontneed/shmem/4k/4k/threads=2", "fewer pages than threads"),
        ("minor_fault/dontneed/shmem/4k/64k/uffd=each", "needs handlers=2"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/handlers=2", "has no handler"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/topology=process", "has no handler"),
        ("minor_fault/rwp/shmem/4k/64k/delivery=sigbus", "which event it was"),
        ("minor_fault/dontneed/shmem/4k/64k/delivery=sigbus/place=apart", "needs two threads"),
        ("minor_fault/dontneed/shmem/4k/64k/place=here", "not the name of a case"),
        ("continue/-/shmem/4k/64k/threads=2/place=same", "place= belongs to minor_fault"),
        ("minor_fault/dontneed/shmem-private/4k/64k/access=write", "not the file's any more"),
        ("minor_fault/dontneed/shmem/4k/64k/check=sleep", "check= of minor_fault is"),
        ("minor_fault/dontneed/shmem/4k/64k/state=fresh", "state= belongs to zap and cycle"),
        ("empty/-/shmem/4k/4k/check=strand", "check= of empty is"),
        ("zap/dontneed/shmem/4k/64k/threads=2", "threads= belongs to minor_fault and continue"),
        ("cycle/dontneed/shmem/4k/64k/by=copy", "by= belongs to the workload continue"),
        ("continue/-/shmem/4k/64k/step=2m", "step=2m needs"),
        ("continue/-/shmem/4k/4k/step=page", "step=page needs"),
        ("continue/-/shmem/4k/64k/by=copy/wp=on", "are UFFDIO_CONTINUE's"),
        ("continue/-/shmem-private/4k/64k/by=copy", "pages of its own in a private mapping"),
        ("continue/-/shmem/4k/64k/threads=17", "fewer pages than threads"),
    ],
)
def test_impossible_combinations_are_refused_in_a_line(name, reason):
    with pytest.raises(UsageError, match=reason) as caught:
        choose([name], quick=True)
    assert "\n" not in str(caught.value)


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
