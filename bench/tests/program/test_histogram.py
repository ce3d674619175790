# SPDX-License-Identifier: GPL-2.0-only
"""The histogram of the C core against HdrHistogram and against the values themselves."""

import json
import random
import subprocess
from collections.abc import Callable, Sequence

import numpy as np
import pytest
from hdrh.histogram import HdrHistogram
from limits import seconds
from places import ROOT

from zapbench.record import Histogram
from zapbench.result import stats
from zapbench.target import guest_path

QUANTILES = (0.5, 0.9, 0.99, 0.999, 0.9999)
HOUR = 3600 * 10**9

# Values from standard input into a series, and what it holds as the record has it.
DRIVER = r"""
#include <inttypes.h>
#include <stdio.h>
#include "timing.h"

int main(void)
{
	struct series s;
	uint64_t value;

	if (series_init(&s, "test"))
		return 1;
	while (scanf("%" SCNu64, &value) == 1)
		if (series_add(&s, value))
			return 1;
	if (series_count(&s))
		return 1;
	printf("{\"bits\":%d,\"min\":%" PRIu64 ",\"max\":%" PRIu64 ",\"sum\":%" PRIu64
			",\"count\":%" PRIu64 ",\"buckets\":[",
			HIST_BITS, s.min, s.max, s.sum, s.n);
	for (unsigned int i = 0, first = 1; i < HIST_BUCKETS; i++)
		if (s.buckets[i])
			printf("%s[%u,%" PRIu64 "]", first ? "" : ",", i, s.buckets[i]), first = 0;
	printf("]}\n");
	series_free(&s);
	return 0;
}
"""


Count = Callable[[Sequence[int]], Histogram]


@pytest.fixture(scope="module")
def count(
    tmp_path_factory: pytest.TempPathFactory, require: Callable[[object, str], None]
) -> Count:
    """The C core's histogram of values."""
    core = guest_path().parent / "libzapbench_core.a"
    require(core.exists(), "the C library is next to its program in a build tree only")
    directory = tmp_path_factory.mktemp("histogram")
    (directory / "driver.c").write_text(DRIVER)
    header = ROOT / "cbench"
    command = ["gcc", "-D_GNU_SOURCE", f"-I{header}", "-o", "driver", "driver.c", str(core)]
    done = subprocess.run([*command, "-lpthread"], cwd=directory, capture_output=True, check=False)
    require(done.returncode == 0, f"no C compiler: {done.stderr.decode()[-200:]}")

    def run(values: Sequence[int]) -> Histogram:
        told = subprocess.run(
            [directory / "driver"],
            input="\n".join(map(str, values)),
            capture_output=True,
            text=True,
            check=True,
            timeout=seconds(60),
        )
        fields = json.loads(told.stdout)
        buckets = tuple(map(tuple, fields.pop("buckets")))
        return Histogram(**fields, buckets=buckets)

    return run


def faults(seed: int, number: int) -> list[int]:
    """Latencies as they are: two humps and a long tail."""
    dice = random.Random(seed)
    return [
        min(HOUR, int(dice.lognormvariate(*dice.choice(((8, 0.1), (8, 0.1), (9, 0.3), (12, 2))))))
        for _ in range(number)
    ]


@pytest.mark.parametrize("number", [200, 4096, 4097, 200_000])
def test_quantiles_are_those_of_hdrhistogram_within_one_percent(count: Count, number: int) -> None:
    values = faults(number, number)
    ours = stats.of_histogram(count(values))
    oracle = HdrHistogram(1, HOUR, 3)
    for value in values:
        oracle.record_value(value)
    assert ours.size == oracle.get_total_count() == number
    exact = np.sort(values)
    for q in QUANTILES:
        # the order statistic of this rank is what HdrHistogram gives
        rank = max(1, int(q * number + 0.5))
        got = ours.quantile((rank - 1) / (number - 1))
        assert got == pytest.approx(oracle.get_value_at_percentile(q * 100), rel=0.01)
        assert got == pytest.approx(exact[rank - 1], rel=0.01)
    assert ours.quantile(1) == max(values)


def test_every_bucket_holds_what_it_says(count: Count) -> None:
    """Values on both sides of each power of two, up to the largest there is."""
    edges = {1 << n for n in range(64)} | {(1 << n) - 1 for n in range(1, 65)} | {0}
    for value in sorted(edges):
        (bucket,) = count([value]).buckets
        middle = stats.bucket_middle(bucket[0], 7)
        assert middle == pytest.approx(value, rel=1 / 128), value
        assert bucket[1] == 1


def test_a_merged_histogram_is_that_of_all_values(count: Count) -> None:
    parts = [faults(seed, 5000) for seed in (1, 2, 3)]
    together = stats.of_histogram(count([value for part in parts for value in part]))
    merged = stats.pool(stats.of_histogram(count(part)) for part in parts)
    assert merged.size == together.size
    for q in (*QUANTILES, 1):
        assert merged.quantile(q) == pytest.approx(together.quantile(q), rel=0.01)
