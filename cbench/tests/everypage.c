// SPDX-License-Identifier: GPL-2.0-only
/*
 * Every method leaves every page as its row says, each time; and whatever leaves one
 * page otherwise, be it late, is caught where it does so.
 */
#include <sys/mman.h>

#include "../endstate.h"
#include "../timing.h"
#include "../workload.h"
#include "t.h"

enum { GOOD_ROUNDS = 5 }; /* two to warm up, samples 0 to 2 */

static unsigned int calls;
static bool halve;

/* ---- drops and ways back that work at first ---- */

static int drop_some_rounds(const struct zapbench_method *m, struct region *r, char *addr,
			    size_t len)
{
	return calls++ < GOOD_ROUNDS && madvise(addr, len, MADV_DONTNEED) ? -errno : 0;
}

static int drop_all_but_page_17(const struct zapbench_method *m, struct region *r,
				char *addr, size_t len)
{
	size_t before = 17 * base_page(), after = before + base_page();

	if (calls++ < GOOD_ROUNDS)
		return madvise(addr, len, MADV_DONTNEED) ? -errno : 0;
	if (madvise(addr, before, MADV_DONTNEED) ||
	    madvise(addr + after, len - after, MADV_DONTNEED))
		return -errno;
	return 0;
}

static int protect_some_rounds(const struct zapbench_method *m, struct region *r,
			       char *addr, size_t len)
{
	return calls++ < GOOD_ROUNDS && mprotect(addr, len, PROT_NONE) ? -errno : 0;
}

static int uffd_protect_some_rounds(const struct zapbench_method *m, struct region *r,
				    char *addr, size_t len)
{
	return calls++ < GOOD_ROUNDS ? uffd_protect(&r->uffd, addr, len, true) : 0;
}

static int resolve_to_other_bytes(const struct zapbench_method *m, struct region *r,
				  char *addr, size_t len)
{
	if (calls++ >= GOOD_ROUNDS)
		r->alias[region_offset(r, addr) + 3 * base_page()] ^= 2;
	return uffd_continue(&r->uffd, addr, len, r->granule);
}

static int resolve_nothing(const struct zapbench_method *m, struct region *r, char *addr,
			   size_t len)
{
	return 0;
}

/* UFFDIO_CONTINUE, see meson.build: of the whole range, or of its first half. */
int __real_uffd_continue_mode(const struct uffd *u, void *addr, size_t len,
			      size_t granule, uint64_t mode);
int __wrap_uffd_continue_mode(const struct uffd *u, void *addr, size_t len,
			      size_t granule, uint64_t mode);

int __wrap_uffd_continue_mode(const struct uffd *u, void *addr, size_t len,
			      size_t granule, uint64_t mode)
{
	if (halve && calls++ >= GOOD_ROUNDS)
		len /= 2;
	return __real_uffd_continue_mode(u, addr, len, granule, mode);
}

/* ---- what becomes of them ---- */

static int measure(const struct options *o, struct zap_case *c, struct timing *t)
{
	struct reason why = { "" };
	struct region r;
	int err;

	calls = 0;
	if (region_create(&r, c, o, &why)) {
		region_destroy(&r);
		printf("%s: %s\n", c->name, why.text);
		return -ENOTSUP;
	}
	CHECK_EQ(timing_init(t, o, c->workload->uses_method ? 2 : 0), 0);
	err = c->workload->run(&r, t);
	timing_free(t);
	region_destroy(&r);
	return err;
}

struct broken {
	const char *name;
	int (*drop)(const struct zapbench_method *m, struct region *r, char *addr,
		    size_t len);
	int (*resolve)(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len);
	const char *words;
};

static const struct broken broken[] = {
	{ "zap/dontneed/shmem/4k/2m", drop_some_rounds, NULL,
	  "page 0 of 512 is still mapped after sample 3" },
	{ "zap/dontneed/shmem/4k/2m", drop_all_but_page_17, NULL,
	  "page 17 of 512 is still mapped after sample 3" },
	{ "zap/dontneed/anon/4k/2m", drop_all_but_page_17, NULL,
	  "page 17 of 512 is still mapped after sample 3" },
	{ "cycle/dontneed/shmem/4k/2m", drop_all_but_page_17, NULL,
	  "page 17 of 512 is still mapped after sample 3" },
	{ "cycle/dontneed/shmem/4k/2m", NULL, resolve_to_other_bytes,
	  "page 3 of 512 held other bytes after sample 3" },
	{ "zap/mprotect/shmem/4k/2m", protect_some_rounds, NULL,
	  "page 0 of 512 met none, not sigsegv after sample 3" },
	{ "zap/uffd_wp/shmem/4k/2m", uffd_protect_some_rounds, NULL,
	  "page 0 of 512 is not protected after sample 3" },
};

static unsigned int refuse(const struct options *o, const struct broken *b)
{
	struct reason why = { "" };
	struct zapbench_method m;
	struct zap_case c;
	struct timing t;
	int err;

	CHECK_EQ(case_parse(b->name, &c, &why), 0);
	m = *c.method;
	m.drop = b->drop ? b->drop : m.drop;
	m.resolve = b->resolve ? b->resolve : m.resolve;
	c.method = &m;
	err = measure(o, &c, &t);
	if (err == -ENOTSUP)
		return 0;
	CHECK_EQ(err, -EPROTO);
	CHECK_STR(t.why.text, b->words);
	return 1;
}

/* Half of a range that was to be continued: not forgiven more than a few times. */
static void refuse_half(const struct options *o)
{
	struct reason why = { "" };
	struct zap_case c;
	struct timing t;
	int err;

	CHECK_EQ(case_parse("continue/-/shmem/4k/2m", &c, &why), 0);
	halve = true;
	err = measure(o, &c, &t);
	halve = false;
	if (err == -ENOTSUP)
		return;
	CHECK_EQ(err, -EPROTO);
	CHECK_STR(t.why.text, "page 256 of 512 is not mapped after sample 5");
}

/* What is not resolved is a broken contract, not a method that is not available. */
static void refuse_a_sleeper(const struct options *o)
{
	struct reason why = { "" };
	struct zapbench_method m;
	struct region r;
	struct zap_case c;
	int event, err;

	CHECK_EQ(case_parse("zap/dontneed/shmem/4k/4k", &c, &why), 0);
	m = *c.method;
	m.resolve = resolve_nothing;
	c.method = &m;
	err = region_checked(&r, &c, o, 1, &event, &why);
	region_destroy(&r);
	if (!r.uffd.features)
		return;
	CHECK_EQ(err, -EPROTO);
	CHECK_STR(why.text, "page 0 of 1: its access did not end after it was resolved");
}

/* A method that this kernel lacks fails by its own errno, not by its end state. */
static void accept(const struct options *o, const char *method, const char *workload,
		   const char *axis)
{
	struct reason why = { "" };
	struct zap_case c;
	struct timing t;
	char name[64];
	int err;

	snprintf(name, sizeof(name), "%s/%s/shmem/4k/64k%s", workload, method, axis);
	CHECK_EQ(case_parse(name, &c, &why), 0);
	if (c.workload->needs_resolve && c.method->no_resolve)
		return;
	err = measure(o, &c, &t);
	if (err == -EPROTO)
		t_end(T_FAILED, "%s: %s", name, t.why.text);
}

int main(void)
{
	struct options o = t_options(10);
	unsigned int refused = 0;

	for (unsigned int i = 0; i < ARRAY_SIZE(broken); i++)
		refused += refuse(&o, &broken[i]);
	refuse_half(&o);
	refuse_a_sleeper(&o);
	for (unsigned int i = 0; i < zapbench_nr_methods; i++) {
		accept(&o, zapbench_methods[i].name, "zap", "");
		accept(&o, zapbench_methods[i].name, "zap", "/state=fresh");
		accept(&o, zapbench_methods[i].name, "cycle", "");
		accept(&o, zapbench_methods[i].name, "cycle", "/state=fresh");
	}
	free((char *)o.contents);
	if (!refused)
		t_end(T_SKIPPED, "no region could be made");
	return 0;
}
