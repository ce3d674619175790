// SPDX-License-Identifier: GPL-2.0-only
/*
 * Mapped, trapping, resolved and mapped again: what an access meets in each state,
 * and that every page holds its own contents in the end.
 */
#include "../access.h"
#include "../mapped.h"
#include "../state.h"
#include "t.h"

static int met(const struct region *r, char *addr)
{
	return access_once(&r->uffd, r->granule, addr, false);
}

static void holds_its_contents(const struct region *r)
{
	for (unsigned int i = 0; i < r->nr_ops; i++)
		for (size_t at = 0; at < r->ops[i].len; at += base_page())
			CHECK(page_is(r, r->ops[i].addr + at, r->ops[i].addr + at));
}

/* Each slot has its part of the file. */
static void slots_are_apart(const struct region *r)
{
	for (unsigned int i = 0; i < r->slots; i++) {
		CHECK_EQ(region_offset(r, region_slot(r, i)), i * region_mapping(r));
		CHECK_EQ(region_offset(r, region_slot(r, i) + region_mapping(r) - 1),
			 (i + 1) * region_mapping(r) - 1);
	}
}

/* The access that meets the event ends when the page is put back. */
static void round_trip(struct region *r)
{
	struct op *last = &r->ops[r->nr_ops - 1];
	struct accessor *a = accessor_start(&r->uffd, r->granule);
	uint64_t ignored;
	int event;

	CHECK(a);
	for (unsigned int i = 0; i < r->nr_ops; i++)
		CHECK_EQ(r->method->drop(r->method, r, r->ops[i].addr, r->ops[i].len), 0);
	CHECK(!page_present(r->ops[0].addr));
	CHECK_EQ(access_begin(a, last->addr + last->len - 1, false, &event), 0);
	CHECK_EQ(event, region_expected_event(r));
	CHECK_EQ(region_put_back(r, &ignored), 0);
	CHECK_EQ(access_end(a), 0);
	accessor_stop(a);
	CHECK_EQ(region_restore(r), 0);
	CHECK(page_present(r->ops[0].addr));
	holds_its_contents(r);
}

int main(void)
{
	static const char *const names[] = {
		"zap/dontneed/shmem/4k/64k", "zap/remap/shmem/4k/4k",
		"zap/punch_hole/shmem/4k/64k", "zap/dontneed/shmem/4k/64k/position=middle"
	};
	struct options o = t_options(1);

	for (unsigned int i = 0; i < ARRAY_SIZE(names); i++) {
		struct zap_case c;
		struct region r;

		t_region(&r, &c, &o, names[i]);
		slots_are_apart(&r);
		holds_its_contents(&r);
		CHECK_EQ(met(&r, r.ops[0].addr), EVENT_NONE);
		for (unsigned int turn = 0; turn < 2; turn++) {
			round_trip(&r);
			CHECK_EQ(met(&r, r.ops[0].addr), EVENT_NONE);
		}
		region_destroy(&r);
	}
	free((char *)o.contents);
	return 0;
}
