# SPDX-License-Identifier: GPL-2.0-only
"""Statistics, by hand and by what must hold for all figures."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import scipy.stats
import synthetic
from hypothesis import assume, given
from hypothesis import strategies as st

from zapbench.record import Histogram
from zapbench.result import stats
from zapbench.result.stats import Distribution, interval, prediction_factor, rank_correlation


def test_interval_is_student_s_on_the_logarithms() -> None:
    # ln 1, ln 4: mean ln 2, s = ln 4 / sqrt 2, s / sqrt 2 = ln 2, t(1) = 12.7062
    found = interval([1.0, 4.0])
    assert found is not None
    low, high = found
    assert low == pytest.approx(math.exp(math.log(2) * (1 - 12.7062)), rel=1e-4)
    assert high == pytest.approx(math.exp(math.log(2) * (1 + 12.7062)), rel=1e-4)
    assert interval([1.0]) is None
    assert interval([0.0, 1.0]) is None
    assert interval([7.0, 7.0]) == pytest.approx((7.0, 7.0))


def test_rank_correlation_shares_ranks_and_knows_when_there_is_none() -> None:
    assert rank_correlation([1, 2, 3], [30, 20, 10]) == pytest.approx(-1)
    # ranks 1.5, 1.5, 3 and 1, 2, 3: covariance 1.5 over sqrt(1.5 * 2)
    assert rank_correlation([1, 1, 2], [1, 2, 3]) == pytest.approx(1.5 / math.sqrt(3))
    assert rank_correlation([1, 2], [1, 2]) is None
    assert rank_correlation([1, 1, 1], [1, 2, 3]) is None


def test_a_bias_widens_the_factor() -> None:
    assert prediction_factor([1, 2, 3], [1, 2, 3]) == pytest.approx(1)
    biased = prediction_factor([1, 2, 3], [2, 4, 6])
    assert biased == pytest.approx(2**3.182446, rel=1e-4)
    assert prediction_factor([1, 2], [1, 2]) is None


CASE = "zap/dontneed/shmem/4k/64k"
MEDIANS = st.lists(st.floats(1.0, 1e6), min_size=2, max_size=10)


def distribution(values: Sequence[float]) -> Distribution:
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return Distribution(ordered, np.ones(len(ordered), dtype=np.int64))


def index_of(value: int, bits: int = 7) -> int:
    """The bucket of a value, as the record's description has it."""
    if value < 2 << bits:
        return value
    exponent = value.bit_length() - 1 - bits
    return (exponent << bits) + (value >> exponent)


def histogram_of(values: Sequence[int], bits: int = 7) -> Histogram:
    counts: dict[int, int] = {}
    for value in values:
        counts[index_of(value, bits)] = counts.get(index_of(value, bits), 0) + 1
    buckets = tuple(sorted(counts.items()))
    return Histogram(bits, min(values), max(values), sum(values), len(values), buckets)


def test_quantiles_by_hand() -> None:
    four = distribution([1, 2, 3, 4])
    assert four.quantile(0.5) == 2.5
    assert four.quantile(0) == 1
    assert four.quantile(1) == 4
    assert four.quantile(0.9) == pytest.approx(3.7)  # position 3 * 0.9 = 2.7


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values: list[int], q: float) -> None:
    assert distribution(values).quantile(q) == pytest.approx(np.quantile(values, q), abs=1e-6)


def test_a_percentile_needs_ten_samples_beyond_it() -> None:
    assert distribution(range(999)).tail(0.99) is None
    assert distribution(range(1000)).tail(0.99) == pytest.approx(989.01)
    assert distribution(range(1000)).tail(0.999) is None
    assert distribution(range(10_000)).tail(0.999) is not None
    assert distribution(range(19)).tail(0.5) is None


@given(st.integers(0, 1 << 40))
def test_a_bucket_s_middle_is_within_its_width(value: int) -> None:
    middle = stats.bucket_middle(index_of(value), 7)
    assert abs(middle - value) <= value / 128


def test_buckets_by_hand() -> None:
    assert stats.bucket_middle(255, 7) == 255  # the last one of width 1
    assert stats.bucket_middle(256, 7) == 256.5  # 256 and 257
    assert stats.bucket_middle(384, 7) == 513.5  # 512 to 515


@given(st.lists(st.integers(0, 1 << 30), min_size=1, max_size=60), st.floats(0, 1))
def test_a_histogram_has_the_quantiles_of_its_values(values: list[int], q: float) -> None:
    run = synthetic.run_of()
    raw = synthetic.samples(run, CASE, tuple(values))
    folded = synthetic.samples(run, CASE, None, histogram=histogram_of(values))
    expected = stats.per_operation(raw).quantile(q)
    assert stats.per_operation(folded).quantile(q) == pytest.approx(expected, rel=1 / 128, abs=0.5)


def test_one_operation_is_the_sample_without_the_harness_by_its_operations() -> None:
    run = synthetic.run_of()
    record = synthetic.samples(run, CASE, (110, 210), empty=10, ops_per_sample=4)
    assert list(stats.per_operation(record).values) == [25, 50]
    cheap = synthetic.samples(run, CASE, (5,), empty=10)
    assert list(stats.per_operation(cheap).values) == [0]
    empty = synthetic.samples(run, "empty/-/shmem/4k/4k", (10,), empty=10)
    assert list(stats.per_operation(empty).values) == [10]


def test_the_harness_s_share_is_the_greatest_of_all_cases() -> None:
    run = synthetic.run_of()
    records = [
        synthetic.samples(run, CASE, (100, 200, 300), empty=10),
        synthetic.samples(run, CASE, (50,), empty=10),
        synthetic.samples(run, "empty/-/shmem/4k/4k", (10,), empty=10),
    ]
    assert stats.harness_share(records) == 0.2
    assert stats.harness_share([]) == 0


def test_welch_by_hand() -> None:
    """Logarithms 0, 2 and 1, 3, 5: means 1 and 3, variances 2 and 4, SE sqrt(1 + 4/3)."""
    base, head = [math.exp(x) for x in (0, 2)], [math.exp(x) for x in (1, 3, 5)]
    found = stats.ratio(base, head)
    error = math.sqrt(1 + 4 / 3)
    freedom = (1 + 4 / 3) ** 2 / (1**2 / 1 + (4 / 3) ** 2 / 2)  # = 2.8824
    assert found.value == pytest.approx(math.exp(2))
    reach = 3.2572  # the 0.975 quantile of t with so many degrees of freedom
    assert freedom == pytest.approx(2.8824, abs=1e-4)
    assert found.low is not None
    assert found.high is not None
    assert math.log(found.high) == pytest.approx(2 + reach * error, rel=1e-4)
    assert math.log(found.low) == pytest.approx(2 - reach * error, rel=1e-4)


@given(MEDIANS, MEDIANS)
def test_p_is_that_of_scipy(base: list[float], head: list[float]) -> None:
    assume(min(np.std(np.log(base)), np.std(np.log(head))) > 1e-6)
    expected = scipy.stats.ttest_ind(np.log(head), np.log(base), equal_var=False).pvalue
    assert stats.ratio(base, head).p == pytest.approx(expected, abs=1e-9)


@given(MEDIANS, MEDIANS)
def test_interval_and_p_are_of_the_same_test(base: list[float], head: list[float]) -> None:
    found = stats.ratio(base, head)
    assert found.low is not None
    assert found.high is not None
    assert found.p is not None
    assert found.low <= found.value * (1 + 1e-9)
    assert found.value <= found.high * (1 + 1e-9)
    if abs(found.p - 0.05) > 1e-6 and found.high > found.low * (1 + 1e-9):
        assert (found.low <= 1 <= found.high) == (found.p > 0.05)


@given(MEDIANS, MEDIANS)
def test_swapping_the_sides_inverts_the_ratio(base: list[float], head: list[float]) -> None:
    there, back = stats.ratio(base, head), stats.ratio(head, base)
    assert back.value == pytest.approx(1 / there.value)
    assert back.p == pytest.approx(there.p, abs=1e-9)


@given(MEDIANS, MEDIANS, st.floats(0.001, 1000))
def test_the_unit_does_not_matter(base: list[float], head: list[float], factor: float) -> None:
    one = stats.ratio(base, head)
    other = stats.ratio([x * factor for x in base], [x * factor for x in head])
    assert other.value == pytest.approx(one.value)


def test_one_boot_gives_a_ratio_and_nothing_more() -> None:
    found = stats.ratio([2.0], [3.0])
    assert found.value == pytest.approx(1.5)
    assert found == stats.Ratio(found.value)


def test_a_machine_without_noise() -> None:
    same, other = stats.ratio([5.0, 5.0], [5.0, 5.0]), stats.ratio([5.0, 5.0], [6.0, 6.0])
    assert (same.p, same.low, same.high) == (1.0, 1.0, 1.0)
    assert other.p == 0.0
    assert other.low == pytest.approx(1.2)


@pytest.mark.parametrize(("base", "head"), [([], [1.0]), ([1.0], []), ([0.0], [1.0])])
def test_a_ratio_needs_positive_medians(base: list[float], head: list[float]) -> None:
    with pytest.raises(ValueError, match="positive median"):
        stats.ratio(base, head)


def p_of(base: Sequence[float], head: Sequence[float]) -> float:
    found = stats.ratio(base, head).p
    assert found is not None
    return found


def test_false_alarms_are_as_many_as_announced() -> None:
    """Boots of a true null, 2 % apart: 5 % of the tests may call it a difference."""
    random = np.random.default_rng(1)
    medians = np.exp(random.normal(0, 0.02, (2000, 10)))
    alarms = sum(p_of(row[:5], row[5:]) < 0.05 for row in medians.tolist())
    assert 0.03 < alarms / 2000 < 0.07


def test_the_detectable_effect_is_found_four_times_in_five() -> None:
    random = np.random.default_rng(2)
    spread, boots = 0.05, 6
    noise = random.normal(0, spread, (2000, 2 * boots))
    effect = np.median(
        [stats.ratio(*np.exp(row).reshape(2, boots).tolist()).detectable for row in noise[:200]]
    )
    shifted = np.exp(noise + np.repeat([0, math.log1p(effect)], boots))
    found = sum(p_of(row[:boots], row[boots:]) < 0.05 for row in shifted.tolist())
    assert 0.72 < found / 2000 < 0.88


def test_adjusting_by_hand() -> None:
    """Benjamini and Hochberg: p(i) n / i, made monotone from the greatest down."""
    assert stats.adjust([0.01, 0.04, 0.03, None]) == [
        pytest.approx(0.03),  # 0.01 * 3 / 1
        pytest.approx(0.04),  # 0.04 * 3 / 3
        pytest.approx(0.04),  # 0.03 * 3 / 2 = 0.045, not more than the next
        None,
    ]
    assert stats.adjust([None]) == [None]
    assert stats.adjust([]) == []


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_adjusted_p_values_are_no_smaller_and_keep_their_order(p_values: list[float]) -> None:
    adjusted = [p for p in stats.adjust(p_values) if p is not None]
    assert all(after >= before - 1e-12 for before, after in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.asarray(adjusted)[order]) >= -1e-12)
