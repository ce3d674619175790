# SPDX-License-Identifier: GPL-2.0-only
import math

import numpy as np
import pytest
import scipy.stats
import synthetic
from hypothesis import assume, given
from hypothesis import strategies as st

from zapbench.case import Case
from zapbench.record import Histogram
from zapbench.result import stats
from zapbench.result.stats import Distribution
from zapbench.result.timings import by_case, compare

CASE = "zap/dontneed/shmem/4k/64k"
MEDIANS = st.lists(st.floats(1.0, 1e6), min_size=2, max_size=10)


def distribution(values) -> Distribution:
    ordered = np.sort(np.asarray(values, dtype=np.float64))
    return Distribution(ordered, np.ones(len(ordered), dtype=np.int64))


def index_of(value: int, bits: int = 7) -> int:
    """The bucket of a value, as the record's description has it."""
    if value < 2 << bits:
        return value
    exponent = value.bit_length() - 1 - bits
    return (exponent << bits) + (value >> exponent)


def histogram_of(values, bits: int = 7) -> Histogram:
    counts: dict[int, int] = {}
    for value in values:
        counts[index_of(value, bits)] = counts.get(index_of(value, bits), 0) + 1
    buckets = tuple(sorted(counts.items()))
    return Histogram(bits, min(values), max(values), sum(values), len(values), buckets)


def test_quantiles_by_hand():
    four = distribution([1, 2, 3, 4])
    assert four.quantile(0.5) == 2.5
    assert four.quantile(0) == 1
    assert four.quantile(1) == 4
    assert four.quantile(0.9) == pytest.approx(3.7)  # position 3 * 0.9 = 2.7


@given(st.lists(st.floats(0, 1e9), min_size=1, max_size=50), st.floats(0, 1))
def test_quantiles_are_those_of_numpy(values, q):
    assert distribution(values).quantile(q) == pytest.approx(np.quantile(values, q), abs=1e-6)


def test_a_percentile_needs_ten_samples_beyond_it():
    assert distribution(range(999)).tail(0.99) is None
    assert distribution(range(1000)).tail(0.99) == pytest.approx(989.01)
    assert distribution(range(1000)).tail(0.999) is None
    assert distribution(range(10_000)).tail(0.999) is not None
    assert distribution(range(19)).tail(0.5) is None


@given(st.integers(0, 1 << 40))
def test_a_bucket_s_middle_is_within_its_width(value):
    middle = stats.bucket_middle(index_of(value), 7)
    assert abs(middle - value) <= value / 128


def test_buckets_by_hand():
    assert stats.bucket_middle(255, 7) == 255  # the last one of width 1
    assert stats.bucket_middle(256, 7) == 256.5  # 256 and 257
    assert stats.bucket_middle(384, 7) == 513.5  # 512 to 515


@given(st.lists(st.integers(0, 1 << 30), min_size=1, max_size=60), st.floats(0, 1))
def test_a_histogram_has_the_quantiles_of_its_values(values, q):
    run = synthetic.run_of()
    raw = synthetic.samples(run, CASE, tuple(values))
    folded = synthetic.samples(run, CASE, None, histogram=histogram_of(values))
    expected = stats.per_operation(raw).quantile(q)
    assert stats.per_operation(folded).quantile(q) == pytest.approx(expected, rel=1 / 128, abs=0.5)


def test_one_operation_is_the_sample_without_the_harness_by_its_operations():
    run = synthetic.run_of()
    record = synthetic.samples(run, CASE, (110, 210), empty=10, ops_per_sample=4)
    assert list(stats.per_operation(record).values) == [25, 50]
    cheap = synthetic.samples(run, CASE, (5,), empty=10)
    assert list(stats.per_operation(cheap).values) == [0]
    empty = synthetic.samples(run, "empty/-/shmem/4k/4k", (10,), empty=10)
    assert list(stats.per_operation(empty).values) == [10]


def test_the_harness_s_share_is_the_greatest_of_all_cases():
    run = synthetic.run_of()
    records = [
        synthetic.samples(run, CASE, (100, 200, 300), empty=10),
        synthetic.samples(run, CASE, (50,), empty=10),
        synthetic.samples(run, "empty/-/shmem/4k/4k", (10,), empty=10),
    ]
    assert stats.harness_share(records) == 0.2
    assert stats.harness_share([]) == 0


def test_timings_have_one_median_a_boot_and_all_samples_in_its_tail():
    records = [
        synthetic.samples(synthetic.run_of(0), CASE, (1, 2, 9)),
        synthetic.samples(synthetic.run_of(1), CASE, (4, 5)),
        synthetic.samples(synthetic.run_of(1), CASE, (6,), rep=1),
    ]
    timings = by_case(records)[Case.parse(CASE)]
    assert timings.medians == [2, 5]
    assert timings.median == 3.5
    assert timings.pooled.size == 6
    assert timings.pages_per_op == 16


def test_welch_by_hand():
    """Logarithms 0, 2 and 1, 3, 5: means 1 and 3, variances 2 and 4, SE sqrt(1 + 4/3)."""
    base, head = [math.exp(x) for x in (0, 2)], [math.exp(x) for x in (1, 3, 5)]
    found = stats.ratio(base, head)
    error = math.sqrt(1 + 4 / 3)
    freedom = (1 + 4 / 3) ** 2 / (1**2 / 1 + (4 / 3) ** 2 / 2)  # = 2.8824
    assert found.value == pytest.approx(math.exp(2))
    reach = 3.2572  # the 0.975 quantile of t with so many degrees of freedom
    assert freedom == pytest.approx(2.8824, abs=1e-4)
    assert math.log(found.high) == pytest.approx(2 + reach * error, rel=1e-4)
    assert math.log(found.low) == pytest.approx(2 - reach * error, rel=1e-4)


@given(MEDIANS, MEDIANS)
def test_p_is_that_of_scipy(base, head):
    assume(min(np.std(np.log(base)), np.std(np.log(head))) > 1e-6)
    expected = scipy.stats.ttest_ind(np.log(head), np.log(base), equal_var=False).pvalue
    assert stats.ratio(base, head).p == pytest.approx(expected, abs=1e-9)


@given(MEDIANS, MEDIANS)
def test_interval_and_p_are_of_the_same_test(base, head):
    found = stats.ratio(base, head)
    assert found.low <= found.value * (1 + 1e-9)
    assert found.value <= found.high * (1 + 1e-9)
    if abs(found.p - 0.05) > 1e-6:
        assert (found.low <= 1 <= found.high) == (found.p > 0.05)


@given(MEDIANS, MEDIANS)
def test_swapping_the_sides_inverts_the_ratio(base, head):
    there, back = stats.ratio(base, head), stats.ratio(head, base)
    assert back.value == pytest.approx(1 / there.value)
    assert back.p == pytest.approx(there.p, abs=1e-9)


@given(MEDIANS, MEDIANS, st.floats(0.001, 1000))
def test_the_unit_does_not_matter(base, head, factor):
    one = stats.ratio(base, head)
    other = stats.ratio([x * factor for x in base], [x * factor for x in head])
    assert other.value == pytest.approx(one.value)


def test_one_boot_gives_a_ratio_and_nothing_more():
    found = stats.ratio([2.0], [3.0])
    assert found == stats.Ratio(pytest.approx(1.5))


def test_a_machine_without_noise():
    same, other = stats.ratio([5.0, 5.0], [5.0, 5.0]), stats.ratio([5.0, 5.0], [6.0, 6.0])
    assert (same.p, same.low, same.high) == (1.0, 1.0, 1.0)
    assert (other.p, other.low) == (0.0, pytest.approx(1.2))


@pytest.mark.parametrize(("base", "head"), [([], [1.0]), ([1.0], []), ([0.0], [1.0])])
def test_a_ratio_needs_positive_medians(base, head):
    with pytest.raises(ValueError, match="positive median"):
        stats.ratio(base, head)


def test_false_alarms_are_as_many_as_announced():
    """Boots of a true null, 2 % apart: 5 % of the tests may call it a difference."""
    random = np.random.default_rng(1)
    medians = np.exp(random.normal(0, 0.02, (2000, 10)))
    alarms = sum(stats.ratio(row[:5], row[5:]).p < 0.05 for row in medians.tolist())
    assert 0.03 < alarms / 2000 < 0.07


def test_the_detectable_effect_is_found_four_times_in_five():
    random = np.random.default_rng(2)
    spread, boots = 0.05, 6
    noise = random.normal(0, spread, (2000, 2 * boots))
    effect = np.median(
        [stats.ratio(*np.exp(row).reshape(2, boots).tolist()).detectable for row in noise[:200]]
    )
    shifted = np.exp(noise + np.repeat([0, math.log1p(effect)], boots))
    found = sum(stats.ratio(row[:boots], row[boots:]).p < 0.05 for row in shifted.tolist())
    assert 0.72 < found / 2000 < 0.88


def test_adjusting_by_hand():
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
def test_adjusted_p_values_are_no_smaller_and_keep_their_order(p_values):
    adjusted = stats.adjust(p_values)
    assert all(after >= before - 1e-12 for before, after in zip(p_values, adjusted, strict=True))
    order = np.argsort(p_values, kind="stable")
    assert all(np.diff(np.asarray(adjusted)[order]) >= -1e-12)


def timings_of(name: str, medians, unit: str = "ns"):
    records = [
        synthetic.samples(synthetic.run_of(boot), name, (value,), unit=unit)
        for boot, value in enumerate(medians)
    ]
    return by_case(records)


def test_compare_gives_a_verdict_for_each_common_case():
    base = timings_of(CASE, [100, 101, 99]) | timings_of("zap/remap/shmem/4k/4k", [10, 11, 12])
    head = timings_of(CASE, [150, 151, 149]) | timings_of("zap/remap/shmem/4k/4k", [11, 12, 10])
    slower, same = compare(base, head)
    assert (str(slower.case), slower.verdict) == (CASE, "slower")
    assert slower.ratio.value == pytest.approx(1.5, rel=0.01)
    assert same.verdict == "no difference seen"
    assert compare(head, base)[0].verdict == "faster"
    assert compare(base, {}) == []


def test_compare_refuses_different_units_and_leaves_out_what_cost_nothing():
    with pytest.raises(ValueError, match="one side is in ns"):
        compare(timings_of(CASE, [1]), timings_of(CASE, [1], "instructions"))
    assert compare(timings_of(CASE, [0, 0]), timings_of(CASE, [1, 1])) == []


def test_compare_says_when_there_are_too_few_boots():
    (difference,) = compare(timings_of(CASE, [1]), timings_of(CASE, [2]))
    assert difference.verdict == "too few boots"
