# SPDX-License-Identifier: GPL-2.0-only
"""Names of cases and sizes."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from zapbench.case import Case, size_bytes, size_text
from zapbench.error import UsageError

WORDS = st.text("abcdefghijklmnopqrstuvwxyz_", min_size=1, max_size=12)
SIZES = st.integers(1, 1 << 26).map(lambda kib: kib << 10)


@given(SIZES)
def test_sizes_survive_being_written(size: int) -> None:
    assert size_bytes(size_text(size)) == size


@pytest.mark.parametrize(
    ("size", "text"), [(4096, "4k"), (2 << 20, "2m"), (1 << 30, "1g"), (1536 << 10, "1536k")]
)
def test_sizes_are_in_the_largest_unit_that_divides(size: int, text: str) -> None:
    assert size_text(size) == text


@pytest.mark.parametrize("text", ["", "k", "0k", "4", "4K", "-4k", "4kb", "4.5m", "1t"])
def test_what_is_no_size_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="is not a size"):
        size_bytes(text)


@pytest.mark.parametrize("size", [0, -4096, 1000])
def test_what_is_no_multiple_of_1k_has_no_text(size: int) -> None:
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
def test_names_survive_being_written(each: Case) -> None:
    assert Case.parse(str(each)) == each


def test_names_are_made_canonical() -> None:
    parsed = Case.parse("zap/remap/shmem/4k/2048k/state=fresh/events=on")
    assert str(parsed) == "zap/remap/shmem/4k/2m/events=on/state=fresh"


@pytest.mark.parametrize(
    "name", ["", "zap", "zap/remap/shmem/4k", "zap//shmem/4k/4k", "a/b/c/4/4k", "a/b/c/4k/4k/x"]
)
def test_what_is_no_name_is_refused_in_one_line(name: str) -> None:
    with pytest.raises(UsageError, match="is not a case") as caught:
        Case.parse(name)
    assert "\n" not in str(caught.value)


def test_exclusions_say_why() -> None:
    assert Case.parse("zap/guard/hugetlb/2m/2m").excluded == "EINVAL: no guard regions on hugetlb"
    assert Case.parse("zap/dontneed/shmem/4k/4k").excluded is None
    assert Case.parse("zap/nonsense/shmem/4k/4k").excluded is not None


def test_memory_covers_the_range() -> None:
    assert Case.parse("zap/dontneed/shmem/4k/64m").memory >= 64 << 20
    assert Case.parse("zap/dontneed/shmem-private/4k/64m").memory >= 128 << 20
    with pytest.raises(UsageError, match="no such case"):
        _ = Case.parse("zap/nonsense/shmem/4k/4k").memory


@pytest.mark.parametrize(
    ("name", "refused"),
    [
        ("contract/madv_zap/anon/4k/4k", True),
        ("contract/madv_zap/hugetlb-private/2m/2m", True),
        ("contract/madv_zap/shmem/4k/4k", False),  # it is taken
        ("contract/punch_hole/anon/4k/4k", False),  # there is nothing to try
        ("contract/madv_zap/anon/2m/2m", False),  # excluded for another reason
        ("zap/madv_zap/anon/4k/4k", False),  # only contracts ask
    ],
)
def test_the_kernel_is_asked_what_the_tables_say_that_it_refuses(name: str, refused: bool) -> None:
    assert Case.parse(name).refused == refused


@pytest.mark.parametrize(
    ("name", "promise", "lacks"),
    [
        ("contract/dontneed/file/4k/64k", "registration", True),  # userfaultfd takes none
        ("contract/dontneed/shmem/4k/64k", "registration", False),
        ("contract/dontneed/shmem/4k/64k", "swap", True),  # a shared mapping has no private pages
        ("contract/dontneed/shmem-private/4k/64k", "swap", False),  # though only where it may
        ("contract/dontneed/shmem/2m/2m", "dirty", False),  # there, but not tried
        ("contract/punch_hole/shmem/4k/64k", "dirty", True),
        ("contract/dontneed/hugetlb/2m/2m", "cache", True),
        ("contract/dontneed/shmem/4k/64k", "of tomorrow", False),
        ("contract/of tomorrow/shmem/4k/64k", "swap", False),
    ],
)
def test_what_is_not_there_is_known_from_the_tables(name: str, promise: str, lacks: bool) -> None:
    assert Case.parse(name).lacks(promise) == lacks
