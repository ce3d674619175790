/* SPDX-License-Identifier: GPL-2.0-only */
/* Types and functions shared by the files of the C core; see cdef.h. */
#ifndef ZAPBENCH_H
#define ZAPBENCH_H

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/types.h>

#include "uapi.h"
#include "cdef.h"

struct options;

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define MIN(a, b) ((a) < (b) ? (a) : (b))
#define MAX(a, b) ((a) > (b) ? (a) : (b))
#define ROUND_UP(x, to) (((x) + (to) - 1) / (to) * (to))

#define KIB ((size_t)1 << 10)
#define MIB ((size_t)1 << 20)
#define GIB ((size_t)1 << 30)

/* ---- case.c: names of cases ---- */

struct zap_case {
	char name[192];
	const struct zapbench_workload *workload;
	const struct zapbench_method *method; /* NULL: "-" */
	const struct zapbench_backing *backing;
	size_t page;
	size_t range;
	bool scratch; /* a contract's region: nothing is timed on it */
	/* The axes: a number, or which word of the axis it is; 0 is the default. */
	unsigned int scatter; /* drop so many single pages, 0: the whole range */
	unsigned int fresh; /* pages made anew before each sample */
	unsigned int events; /* ask for UFFD_EVENT_{REMOVE,UNMAP,REMAP}, read them */
	unsigned int spin; /* a sibling thread keeps the TLB warm on another CPU */
	unsigned int middle; /* inside a larger mapping */
	unsigned int by; /* enum continue_by */
	unsigned int step; /* enum continue_step */
	unsigned int wp, no_wake; /* modes of UFFDIO_CONTINUE */
	unsigned int threads, handlers, batch;
	unsigned int uffd_each;
	unsigned int delivery; /* enum delivery */
	unsigned int write;
	unsigned int order; /* enum page_order */
	unsigned int processes;
	unsigned int place; /* enum place */
	unsigned int no_stamps;
	unsigned int check; /* enum check */
};

/* The words of an axis, in the order of its row in case.c. */
enum continue_by {
	BY_CONTINUE,
	BY_POPULATE,
	BY_POPULATE_SINGLE,
	BY_POPULATE_WRITE,
	BY_COPY
};
enum continue_step { STEP_RANGE, STEP_PAGE, STEP_2M };
enum delivery {
	DELIVERY_READ,
	DELIVERY_POLL,
	DELIVERY_EPOLL,
	DELIVERY_BUSY,
	DELIVERY_SIGBUS
};
enum page_order { ORDER_ASCENDING, ORDER_RANDOM, ORDER_STRIDE };
enum place { PLACE_ANYWHERE, PLACE_SAME, PLACE_APART };
enum check {
	CHECK_NOTHING,
	CHECK_LOOP,
	CHECK_SLEEP,
	CHECK_EEXIST,
	CHECK_STRAND,
	CHECK_CONTENTS,
	CHECK_SURPLUS
};

enum { MAX_THREADS = 64, MAX_BATCH = 64 };

int case_parse(const char *name, struct zap_case *c, char *why, size_t size);
unsigned int word_number(const char *values, const char *value);
size_t size_parse(const char *text);
const char *size_text(size_t bytes, char *buf, size_t size);
size_t base_page(void);
size_t pmd_size(void);
unsigned int case_slots(const struct zap_case *c);
const struct zapbench_workload *workload_contract(void);
size_t contract_range(const struct zap_case *c);

/* ---- uffd.c: userfaultfd ---- */

struct uffd {
	int fd;
	uint64_t offered; /* features the kernel has */
	uint64_t features; /* features asked for */
	uint64_t ioctls;
	const char *route; /* how the descriptor was had */
};

int uffd_open(struct uffd *u, uint64_t needed, uint64_t wanted);
void uffd_close(struct uffd *u);
int uffd_register(const struct uffd *u, void *addr, size_t len, uint64_t mode);
int uffd_unregister(const struct uffd *u, void *addr, size_t len);
int uffd_continue(const struct uffd *u, void *addr, size_t len, size_t granule);
int uffd_continue_mode(const struct uffd *u, void *addr, size_t len, size_t granule,
		       uint64_t mode);
int uffd_copy(const struct uffd *u, void *addr, const void *from, size_t len);
int uffd_protect(const struct uffd *u, void *addr, size_t len, bool on);
int uffd_rwprotect(const struct uffd *u, void *addr, size_t len, bool on);
int uffd_poison(const struct uffd *u, void *addr, size_t len);
int uffd_zeropage(const struct uffd *u, void *addr, size_t len);
const char *uffd_feature_name(uint64_t features);
void uffd_wake(const struct uffd *u, void *addr, size_t len);

/* ---- region.c: memory under test ---- */

struct op {
	char *addr;
	size_t len;
};

struct region {
	const struct zap_case *c;
	const struct zapbench_backing *backing;
	const struct zapbench_method *method;
	const struct options *options;
	size_t page; /* what state M maps */
	size_t granule; /* what one fault or CONTINUE maps */
	size_t len; /* bytes that one operation on a slot drops */
	size_t margin; /* mapped before and after them */
	size_t stride; /* from slot to slot, a hole of at least a page between */
	unsigned int slots;
	char *reserved; /* PROT_NONE all around the slots */
	size_t reserved_len;
	char *base; /* slot 0 */
	int fd; /* -1: anonymous */
	char *alias; /* a second, shared mapping of the file; NULL: none */
	struct uffd uffd;
	uint64_t reg_mode; /* 0: the range is not registered */
	bool no_reregister; /* contract: does the registration survive by itself? */
	struct op *ops; /* one sample */
	unsigned int nr_ops;
	uint64_t seed;
};

/* Prime, so that pages a power of two apart never hold the same bytes. */
#define CONTENT_PAGES 509

int region_create(struct region *r, const struct zap_case *c, const struct options *o,
		  char *why, size_t size);
void region_destroy(struct region *r);
char *region_slot(const struct region *r, unsigned int slot);
off_t region_offset(const struct region *r, const char *addr);
int region_mmap(const struct region *r, char *addr, size_t len);
int region_register(struct region *r, char *addr, size_t len);
int region_unregister_all(struct region *r);
int region_register_all(struct region *r, uint64_t mode);
size_t region_mapping(const struct region *r);
bool region_maps_pmd(const struct region *r);
bool region_maps_mthp(const struct region *r);
const char *region_content(const struct region *r, const char *addr);
bool page_is(const struct region *r, const char *page, const char *addr);
long region_blocks(const struct region *r);
int region_drop_alias(const struct region *r);

/* ---- state.c: from state to state ---- */

bool region_loses_data(const struct region *r);
int region_fill(struct region *r, char *addr, size_t len);
int region_map(struct region *r);
int region_restore(struct region *r);
int region_refresh(struct region *r);
int region_resolve(struct region *r, char *addr, size_t len);
int region_put_back(struct region *r, uint64_t *between);
void region_touch(const struct region *r, const char *addr, size_t len);
int region_expected_event(const struct region *r);

/* ---- mapped.c: what the page tables and the page cache hold ---- */

int mapped_slot_as_requested(const struct region *r, const char *slot, char *why,
			     size_t size);
int mapped_as_requested(const struct region *r, char *why, size_t size);
bool page_present(const char *addr);
int vma_count(void);
int vma_has_flag(const char *addr, const char *flag);
int cached_pages(const struct region *r, const char *addr, size_t len, size_t *cached);

/* ---- access.c: which event does an access raise? ---- */

struct accessor;

struct accessor *accessor_start(const struct uffd *u, size_t granule);
void accessor_stop(struct accessor *a);
int access_begin(struct accessor *a, char *addr, bool write, int *event);
int access_end(struct accessor *a);
long thread_faults(void);

/* ---- endstate.c: is T really T, and R really R? ---- */

enum { CONTRACT_TRIES = 3 };

int region_checked(struct region *r, const struct zap_case *c, const struct options *o,
		   size_t max_pages, int *event, char *why, size_t size);

/* ---- patience.c: a drop that may never return ---- */

/* Of the thread's own time: a hundred times what a call on a few pages takes. */
enum { PATIENCE_MS = 20 };

int drop_patiently(struct region *r, const struct op *op);

/* ---- contract.c: promises, checked ---- */

struct contract {
	const struct zapbench_method *method;
	const struct zapbench_backing *backing;
	size_t page;
	int err; /* 0: held; -ENOTSUP: not on this kernel; else broken */
	char why[200];
};

int contract_check(const struct zap_case *c, const struct options *o,
		   struct contract *result);

/* ---- timing.c: the timed loop ---- */

enum { RAW_SAMPLES = 4096, HIST_BITS = 7, HIST_BUCKETS = 58 << HIST_BITS };

struct series {
	const char *name;
	uint64_t *raw; /* the first RAW_SAMPLES values */
	uint64_t *buckets; /* log-linear histogram after that */
	uint64_t n, min, max, sum;
};

int series_init(struct series *s, const char *name);
int series_count(struct series *s);
int series_add(struct series *s, uint64_t value);
void series_free(struct series *s);
unsigned int hist_index(uint64_t value);

enum { MAX_STAGES = 4 };

/* What became of the faults that were timed. */
struct fault_counts {
	uint64_t pages; /* touched */
	uint64_t faults; /* of them, those that raised an event */
	uint64_t repeated; /* further events of the same page in the same pass */
	uint64_t minor; /* events of that kind */
	uint64_t strandings; /* threads that slept on after their page was resolved */
	uint64_t eexist, eagain; /* answers of the resolving ioctl */
	uint64_t wall; /* of the passes, in the clock's unit */
	bool oversubscribed; /* more threads and handlers than CPUs */
};

struct timing {
	const struct options *o;
	struct series total;
	struct series stage[MAX_STAGES];
	unsigned int nr_stages;
	unsigned int warmup; /* rounds left before samples are kept */
	bool keeping;
	uint64_t empty; /* least cost of a sample of no-ops */
	uint64_t case_start, case_total;
	uint64_t ops, pages_per_op;
	uint64_t deadline_ns;
	struct fault_counts faults; /* workload minor_fault */
	long switches; /* voluntary ones of this thread before the sample */
	char why[200];
};

uint64_t now_ns(void);
uint64_t clock_now(const struct options *o);
int timing_init(struct timing *t, const struct options *o, unsigned int warmup);
int timing_stages(struct timing *t, const char *const *names, unsigned int n);
void timing_free(struct timing *t);
bool timing_more(struct timing *t);
void timing_before(struct timing *t);
int timing_add(struct timing *t, uint64_t start, uint64_t end);
int timing_keep(struct timing *t, uint64_t start, uint64_t end);
int timing_keep_stage(struct timing *t, unsigned int stage, uint64_t value);
void timing_finish(struct timing *t);
void timing_measure_empty(struct region *r, struct timing *t);
int run_ops(const struct zapbench_method *m, struct region *r);
int drop_nothing(const struct zapbench_method *m, struct region *r, char *addr,
		 size_t len);

int workload_empty(struct region *r, void *timing);
int workload_zap(struct region *r, void *timing);
int workload_cycle(struct region *r, void *timing);
int workload_continue(struct region *r, void *timing);
int workload_minor_fault(struct region *r, void *timing);

/* ---- crew.c: threads that do the same, each its part, at the same time ---- */

struct crew;
typedef void crew_work(void *arg, unsigned int member);
typedef void crew_watch(void *arg);

/* How long the threads of a pass are left alone before somebody looks after them. */
enum { WATCH_MS = 50 };

struct crew *crew_start(unsigned int n, const struct options *o, crew_work *work,
			void *arg);
uint64_t crew_pass(struct crew *crew, crew_watch *watch);
bool crew_sleeps(const struct crew *crew, unsigned int member);
pthread_t crew_thread(const struct crew *crew, unsigned int member);
void crew_stop(struct crew *crew);

/* ---- sibling.c: threads beside the measured one ---- */

struct sibling;

struct served {
	uint32_t events; /* bit n: UFFD_EVENT_PAGEFAULT + n was seen */
	long minor, missing; /* faults */
};

struct sibling *sibling_spin(const char *addr, size_t len);
struct sibling *sibling_serve(const struct region *r);
struct served sibling_stop(struct sibling *s);

/* ---- record.c: JSON lines ---- */

struct record {
	FILE *f;
	char *line;
	size_t len;
	bool first;
};

struct counts {
	unsigned int samples, contracts, skips, errors;
};

int record_begin(struct record *j, const struct options *o, const char *kind);
void record_str(struct record *j, const char *key, const char *value);
void record_int(struct record *j, const char *key, long long value);
void record_mask(struct record *j, const char *key, uint64_t value);
void record_raw(struct record *j, const char *key, const char *json);
void record_open(struct record *j, const char *key, char bracket);
void record_close(struct record *j, char bracket);
void record_axes(struct record *j, const struct zap_case *c);
int record_end(struct record *j, int fd);
int record_context(const struct options *o);
int record_samples(const struct options *o, const struct zap_case *c, struct timing *t,
		   const struct served *served);
int record_counts(const struct options *o, const struct counts *n);
int record_trouble(const struct options *o, const char *kind, const char *case_name,
		   const char *reason, int err);

/* ---- context.c: what the machine is ---- */

const char *first_line(const char *path, char *buf, size_t size);
unsigned long long number_after(const char *path, const char *key);
long long hugetlb_pages(size_t bytes, const char *file);

/* ---- runner.c, main.c ---- */

struct options {
	int out;
	unsigned int samples;
	double max_seconds;
	uint64_t seed;
	const char *contents; /* what the pages hold: CONTENT_PAGES of them */
	bool tsc;
	bool contract_only;
	const char *kernel;
	const char *tier;
	int boot;
	const char *dir;
	const char *tmpfs;
	int signal_fd; /* -1: signals are somebody else's */
	int argc;
	char **argv;
};

int run_cases(const struct options *o, char **cases, unsigned int nr);
bool interrupted(const struct options *o);

static inline uint64_t mix64(uint64_t x)
{
	/* splitmix64's finaliser (Steele, Lea and Flood, 2014) */
	x += 0x9e3779b97f4a7c15ull;
	x = (x ^ (x >> 30)) * 0xbf58476d1ce4e5b9ull;
	x = (x ^ (x >> 27)) * 0x94d049bb133111ebull;
	return x ^ (x >> 31);
}

#endif
