/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What Python and C share: the tables that span the matrix of cases, what C finds
 * out for Python, and the one entry point.  Declarations only, no preprocessor: cffi
 * reads this file as it is, the C files include it through zapbench.h.
 */

struct reason;
struct region;
struct timing;
struct zap_case;
struct zapbench_backing;

/* What the next access of a page meets.  Names: zapbench_event_name(). */
enum event {
	EVENT_NONE, /* no fault at all: still mapped */
	EVENT_REFAULT, /* an ordinary page fault, reported to nobody */
	EVENT_MINOR, /* userfaultfd: page in the cache, not mapped */
	EVENT_MISSING, /* userfaultfd: no page */
	EVENT_WP, /* userfaultfd: write to a protected page */
	EVENT_RWP, /* userfaultfd: any access to a protected page */
	EVENT_SIGSEGV,
	EVENT_SIGBUS,
	NR_EVENTS
};

/* How T shows in /proc/PID/pagemap. */
enum shown {
	SHOWN_ABSENT, /* nothing is mapped */
	SHOWN_MARKER, /* an entry that maps no page */
	SHOWN_PROTECTED, /* the page is mapped, and protected by userfaultfd */
	SHOWN_NOT /* as before the drop */
};

/* What a method can never have, and why. */
struct zapbench_refusal {
	bool (*of)(const struct zap_case *c);
	const char *reason;
	int error; /* the errno of whoever tries; 0: there is nothing to try */
};

/* A way to drop translations. */
struct zapbench_method {
	const char *name;
	const char *summary;
	/* NULL if its end state equals that of MADV_ZAP; else what differs */
	const char *differs;
	int event; /* declared for a range registered by reg_mode */
	int shown; /* enum shown: each page is looked at after every drop */
	uint64_t reg_mode; /* UFFDIO_REGISTER_MODE_*, 0: not registered */
	uint64_t features; /* UFFD_FEATURE_* it cannot do without */
	bool loses_data; /* the page cache loses its pages */
	bool write_only; /* only writes meet the event */
	int advice; /* for the methods that are one madvise() */
	uint64_t promises; /* bit n: promise n of zapbench_promises[] */
	int (*drop)(const struct zapbench_method *m, struct region *r, char *addr,
		    size_t len);
	int (*resolve)(const struct zapbench_method *m, struct region *r, char *addr,
		       size_t len);
	const char *no_resolve; /* why there is no way from T to R; NULL: there is */
	struct zapbench_refusal refusals[4];
	unsigned int calls; /* system calls of a drop */
	bool needs_file, needs_uffd; /* descriptors that it cannot do without */
	const char *lock; /* how the kernel locks the call */
	const char *hole; /* what other threads may meet while it is on its way */
};

/* What is behind the mapping. */
struct zapbench_backing {
	const char *name;
	const char *summary;
	bool has_file;
	bool is_private; /* MAP_PRIVATE */
	bool hugetlb;
	bool thp; /* pages mapped by a PMD are measured on it */
	bool mthp; /* and large folios of smaller sizes */
	bool uffd_minor; /* userfaultfd offers minor mode for it */
	uint64_t minor_feature; /* UFFD_FEATURE_MINOR_* that says so */
	int (*open)(struct region *r);
};

struct zapbench_page_size {
	const char *name;
	const char *summary;
	size_t bytes;
};

/* What is timed. */
struct zapbench_workload {
	const char *name;
	const char *summary;
	bool uses_method;
	bool timed;
	bool handles_faults; /* by itself: nobody else reads its userfaultfd */
	bool is_harness; /* what it times is the harness's own share of the others */
	bool needs_minor; /* userfaultfd's minor mode */
	bool needs_resolve; /* a way from T to R */
	/* Why a case is none of its own; NULL: it is one.  May be NULL itself. */
	const char *(*excluded)(const struct zap_case *c);
	int (*run)(struct region *r, struct timing *t);
};

/* Further axes of a case, written /key=value. */
struct zapbench_axis {
	const char *name;
	const char *summary;
	unsigned int max; /* takes a number, 1 to this; 0: one of these words */
	const char *words[8]; /* by the number that stands for it: none for 0 */
	size_t offset; /* of that number, an unsigned int of struct zap_case */
	const struct zapbench_workload *workloads[8]; /* that take it */
	const char *foreign; /* why the other workloads do not take it */
};

/* What a method may promise about the state it leaves. */
struct zapbench_promise {
	const char *name;
	const char *summary;
	const char *loss; /* what a method does that does not keep it */
	/* What is seen of it, if its loss is a cost besides instructions, else NULL;
	   and in a word, where that is not "kept" or "lost". */
	const char *cost, *cost_kept, *cost_lost;
	bool events; /* checked with userfaultfd's non-fault events asked for */
	bool own_process; /* checked where it disturbs nothing else */
	uint64_t needs; /* bit n: enum need n, see promise/need.h */
	/* Why it is not checked on hugetlb, on a machine that others use, and with
	   methods that do not promise it; NULL: it is. */
	const char *not_hugetlb, *not_shared_machine, *not_unpromised;
	/* on a region of its own in state M: see promise/checks.h */
	int (*check)(struct region *r, struct reason *note);
};

extern const struct zapbench_method zapbench_methods[];
extern const struct zapbench_backing zapbench_backings[];
extern const struct zapbench_page_size zapbench_page_sizes[];
extern const struct zapbench_workload *const zapbench_workloads[];
extern const struct zapbench_axis zapbench_axes[];
extern const struct zapbench_promise zapbench_promises[];
extern const unsigned int zapbench_nr_methods;
extern const unsigned int zapbench_nr_backings;
extern const unsigned int zapbench_nr_page_sizes;
extern const unsigned int zapbench_nr_workloads;
extern const unsigned int zapbench_nr_axes;
extern const unsigned int zapbench_nr_promises;

const char *zapbench_event_name(int event);

/* NULL if the tables allow the case, else the reason why they do not. */
const char *zapbench_excluded(const char *case_name);

/* The errno by which the kernel is said to refuse an excluded case; 0: it is not asked.
 */
int zapbench_refused(const char *case_name);

/* Whether a case has nothing of what a promise is about, on whatever kernel. */
bool zapbench_nothing_there(const char *case_name, const char *promise);

/* Bytes of backing memory the case needs at most, or -errno. */
long long zapbench_case_memory(const char *case_name);

/* How this process can get a userfaultfd: tried, not deduced from settings. */
struct zapbench_userfaultfd {
	const char *route; /* NULL: not at all */
	uint64_t features; /* UFFD_FEATURE_* that the kernel offers */
	int error; /* errno of the first route, if there is none */
};

void zapbench_probe_userfaultfd(struct zapbench_userfaultfd *found);

/* The frequency of this machine's TSC in kHz, measured for 50 ms; 0: it has none. */
unsigned long zapbench_tsc_khz(void);

/* The whole program: arguments in, records out.  Returns the exit status. */
int zapbench_main(int argc, char **argv, int out_fd);
