// SPDX-License-Identifier: GPL-2.0-only
/*
 * Threads that fault and threads that resolve, in every way that a fault is
 * delivered: each page of each pass raises one event.  Nothing here counts page
 * faults of the process, so that it can be run under ThreadSanitizer, whose own
 * memory has some.
 */
#ifdef __SANITIZE_THREAD__
#include <sanitizer/tsan_interface.h>
#endif
#include <unistd.h>

#include "../timing.h"
#include "../workload.h"
#include "../workload/crew.h"
#include "t.h"

/*
 * A message is read after the pass began in which its page was accessed.  The
 * kernel is between the two, of which ThreadSanitizer knows nothing: it is told
 * here, where these calls of the core are wrapped (see meson.build).
 */
#ifdef __SANITIZE_THREAD__
static char began;
#endif

uint64_t __real_crew_pass(struct crew *crew, crew_watch *watch);
uint64_t __wrap_crew_pass(struct crew *crew, crew_watch *watch);
ssize_t __real_read(int fd, void *buf, size_t len);
ssize_t __wrap_read(int fd, void *buf, size_t len);

uint64_t __wrap_crew_pass(struct crew *crew, crew_watch *watch)
{
#ifdef __SANITIZE_THREAD__
	__tsan_release(&began);
#endif
	return __real_crew_pass(crew, watch);
}

ssize_t __wrap_read(int fd, void *buf, size_t len)
{
	ssize_t n = __real_read(fd, buf, len);

#ifdef __SANITIZE_THREAD__
	__tsan_acquire(&began);
#endif
	return n;
}

static void times_every_page(const struct options *o, const char *name)
{
	struct zap_case c;
	struct region r;
	struct timing t;
	int err;

	t_region(&r, &c, o, name);
	CHECK_EQ(timing_init(&t, o, 1), 0);
	CHECK_EQ(region_drop_alias(&r), 0);
	err = c.workload->run(&r, &t);
	if (err)
		t_end(T_FAILED, "%s: %s", name,
		      *t.why.text ? t.why.text : strerror(-err));
	CHECK(t.faults.faults > 0);
	CHECK_EQ(t.faults.faults, t.faults.pages);
	CHECK_EQ(t.faults.faults % (r.len / r.page), 0);
	timing_free(&t);
	region_destroy(&r);
}

int main(void)
{
	static const char *const axes[] = {
		"",
		"/threads=4",
		"/threads=4/handlers=2/uffd=each",
		"/delivery=poll",
		"/delivery=epoll/threads=2/handlers=2/batch=4",
		"/delivery=sigbus/threads=2",
		"/order=random/access=write/threads=2",
		"/topology=process/threads=2",
	};
	struct options o = t_options(2);
	char name[128];

	for (unsigned int i = 0; i < ARRAY_SIZE(axes); i++) {
		snprintf(name, sizeof(name), "minor_fault/dontneed/shmem/4k/64k%s",
			 axes[i]);
		times_every_page(&o, name);
	}
	free((char *)o.contents);
	return 0;
}
