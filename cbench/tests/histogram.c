// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every value has a bucket whose other values differ by less than one in 128, and
 * nothing is lost when raw values become a histogram.
 */
#include "../timing.h"
#include "t.h"

/* Is value the least of its bucket, or the next after a bucket's greatest? */
static void at_edge(uint64_t value)
{
	unsigned int index = hist_index(value);
	uint64_t greatest = value;

	CHECK(index < HIST_BUCKETS);
	CHECK_EQ(hist_index(value - 1), index - 1);
	for (uint64_t step = UINT64_C(1) << 63; step; step >>= 1)
		if (greatest + step > greatest && hist_index(greatest + step) == index)
			greatest += step;
	CHECK(greatest - value <= value >> HIST_BITS);
	if (greatest != UINT64_MAX)
		CHECK_EQ(hist_index(greatest + 1), index + 1);
}

static void indices(void)
{
	CHECK_EQ(hist_index(0), 0);
	for (unsigned int bit = 0; bit < 64; bit++)
		at_edge(UINT64_C(1) << bit);
	for (uint64_t value = 1; value < 2u << HIST_BITS; value++)
		CHECK_EQ(hist_index(value), value);
	CHECK_EQ(hist_index(UINT64_MAX), HIST_BUCKETS - 1);
}

static void series(void)
{
	struct series s;
	uint64_t sum = 0, counted = 0;

	CHECK_EQ(series_init(&s, "s"), 0);
	for (uint64_t i = 1; i <= RAW_SAMPLES; i++) {
		CHECK_EQ(series_add(&s, 1000 * i), 0);
		sum += 1000 * i;
	}
	CHECK(!s.buckets);
	CHECK_EQ(s.raw[RAW_SAMPLES - 1], 1000 * RAW_SAMPLES);
	CHECK_EQ(series_add(&s, 7), 0);
	CHECK(s.buckets);
	CHECK_EQ(s.buckets[hist_index(7)], 1);
	for (unsigned int i = 0; i < HIST_BUCKETS; i++)
		counted += s.buckets[i];
	CHECK_EQ(counted, RAW_SAMPLES + 1);
	CHECK_EQ(s.n, RAW_SAMPLES + 1);
	CHECK_EQ(s.min, 7);
	CHECK_EQ(s.max, 1000 * RAW_SAMPLES);
	CHECK_EQ(s.sum, sum + 7);
	series_free(&s);
}

int main(void)
{
	indices();
	series();
	return 0;
}
