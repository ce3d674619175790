// SPDX-License-Identifier: GPL-2.0-only
/* Names of cases: every word of every axis, and every reason why a name is none. */
#include "t.h"

static void refused(const char *name, int err, const char *said)
{
	struct reason why = { "" };
	struct zap_case c;

	if (case_parse(name, &c, &why) != err)
		t_end(T_FAILED, "%s is not refused by %d", name, err);
	if (!strstr(why.text, said))
		t_end(T_FAILED, "%s: \"%s\" does not say \"%s\"", name, why.text, said);
}

static unsigned int value_of(const struct zapbench_axis *axis, const char *value)
{
	struct reason why = { "" };
	struct zap_case c;
	char name[128];

	snprintf(name, sizeof(name), "zap/dontneed/shmem/4k/64m/%s=%s", axis->name,
		 value);
	if (case_parse(name, &c, &why))
		t_end(T_FAILED, "%s: %s", name, why.text);
	return *(unsigned int *)((char *)&c + axis->offset);
}

/* The number of a word is its place in the row, of a number itself; 0 is no word's. */
static void axis_holds(const struct zapbench_axis *axis)
{
	char most[16], name[128];

	snprintf(name, sizeof(name), "zap/dontneed/shmem/4k/64m/%s=nonsense", axis->name);
	if (!axis->max) {
		refused(name, -EINVAL, "takes one of: ");
		CHECK(!axis->words[0]);
		for (unsigned int n = 1; n < ARRAY_SIZE(axis->words); n++)
			if (axis->words[n])
				CHECK_EQ(value_of(axis, axis->words[n]), n);
		return;
	}
	refused(name, -ERANGE, "takes a number from 1 to ");
	snprintf(most, sizeof(most), "%u", MIN(axis->max, 16384u)); /* pages of 64m */
	CHECK_EQ(value_of(axis, "1"), 1);
	CHECK_EQ(value_of(axis, most), atoi(most));
	snprintf(name, sizeof(name), "zap/dontneed/shmem/4k/64m/%s=%u", axis->name,
		 axis->max + 1);
	refused(name, -ERANGE, axis->name);
}

static void fields(void)
{
	struct reason why;
	struct zap_case c;

	CHECK_EQ(case_parse("cycle/remap/hugetlb/2m/64m/scatter=3/state=fresh", &c, &why),
		 0);
	CHECK_STR(c.workload->name, "cycle");
	CHECK_STR(c.method->name, "remap");
	CHECK_STR(c.backing->name, "hugetlb");
	CHECK_EQ(c.page, 2 * MIB);
	CHECK_EQ(c.range, 64 * MIB);
	CHECK_EQ(c.scatter, 3);
	CHECK_EQ(c.fresh, 1);
	CHECK_EQ(c.threads, 0);
	CHECK_EQ(case_parse("empty/-/anon/4k/4k", &c, &why), 0);
	CHECK(!c.method);
}

int main(void)
{
	char name[400];

	fields();
	refused("", -EINVAL, "not workload/method/backing/pagesize/rangesize");
	refused("zap/remap/shmem/4k", -EINVAL, "not workload/method/");
	refused("zip/remap/shmem/4k/4k", -EINVAL, "no such workload: zip");
	refused("zap/remapp/shmem/4k/4k", -EINVAL, "no such method: remapp");
	refused("zap/remap/shm/4k/4k", -EINVAL, "no such backing: shm");
	refused("zap/remap/shmem/5k/5k", -EINVAL, "no such page size: 5k");
	refused("zap/remap/shmem/4k/0k", -EINVAL, "not a range size (4k to 64g): 0k");
	refused("zap/remap/shmem/4k/65g", -EINVAL, "not a range size");
	refused("zap/remap/shmem/64k/4k", -EINVAL, "not a multiple of the page size");
	refused("zap/-/shmem/4k/4k", -EINVAL, "the workload needs a method");
	refused("empty/remap/shmem/4k/4k", -EINVAL, "has no method: write -");
	refused("zap/remap/shmem/4k/4k/", -EINVAL, "no such axis: ");
	refused("zap/remap/shmem/4k/4k/x=1", -EINVAL, "no such axis: x");
	refused("zap/remap/shmem/4k/4k/scatter", -EINVAL, "no such axis: scatter");
	refused("zap/remap/shmem/4k/4k/scatter=2", -EINVAL, "more scattered pages");
	refused("zap/remap/shmem/4k/4k/scatter=1x", -ERANGE, "takes a number");
	refused("zap/remap/shmem/4k/4k/scatter=", -ERANGE, "takes a number");
	memset(name, 'x', sizeof(name) - 1);
	name[sizeof(name) - 1] = '\0';
	refused(name, -EINVAL, "name too long");
	for (unsigned int i = 0; i < zapbench_nr_axes; i++)
		axis_holds(&zapbench_axes[i]);
	return 0;
}
