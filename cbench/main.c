// SPDX-License-Identifier: GPL-2.0-only
/* Arguments in, records out. */
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "layout.h"
#include "runner.h"
#include "size.h"
#include "stop.h"

enum {
	OPT_CASES = 1,
	OPT_SAMPLES,
	OPT_SEED,
	OPT_CLOCK,
	OPT_KERNEL,
	OPT_TIER,
	OPT_BOOT,
	OPT_START,
	OPT_QEMU,
	OPT_MEMORY,
	OPT_DIR,
	OPT_TMPFS,
	OPT_SECONDS,
	OPT_CONTRACT,
	OPT_OWN
};

static const struct option long_options[] = {
	{ "cases", required_argument, NULL, OPT_CASES },
	{ "samples", required_argument, NULL, OPT_SAMPLES },
	{ "seed", required_argument, NULL, OPT_SEED },
	{ "clock", required_argument, NULL, OPT_CLOCK },
	{ "kernel", required_argument, NULL, OPT_KERNEL },
	{ "tier", required_argument, NULL, OPT_TIER },
	{ "boot", required_argument, NULL, OPT_BOOT },
	{ "start", required_argument, NULL, OPT_START },
	{ "qemu", required_argument, NULL, OPT_QEMU },
	{ "memory", required_argument, NULL, OPT_MEMORY },
	{ "dir", required_argument, NULL, OPT_DIR },
	{ "tmpfs", required_argument, NULL, OPT_TMPFS },
	{ "max-seconds", required_argument, NULL, OPT_SECONDS },
	{ "contract-only", no_argument, NULL, OPT_CONTRACT },
	{ "own-machine", no_argument, NULL, OPT_OWN },
	{ 0 },
};

static const char usage[] =
	"usage: zapbench-guest [--cases FILE] [--samples N] [--seed N] [--clock "
	"raw|tsc]\n"
	"       [--kernel NAME] [--tier NAME] [--boot N] [--start TIME] [--qemu "
	"VERSION]\n"
	"       [--memory MIB] [--dir DIR] [--tmpfs DIR]\n"
	"       [--max-seconds S] [--contract-only] [--own-machine] [CASE]...\n";

struct case_list {
	char **names;
	unsigned int nr;
};

static int add_case(struct case_list *list, const char *name)
{
	char **names = realloc(list->names, (list->nr + 1) * sizeof(*names));

	if (!names)
		return -ENOMEM;
	list->names = names;
	list->names[list->nr] = strdup(name);
	return list->names[list->nr++] ? 0 : -ENOMEM;
}

static int add_case_file(struct case_list *list, const char *path)
{
	char line[256];
	FILE *f = fopen(path, "re");
	int err = f ? 0 : -errno;

	while (!err && fgets(line, sizeof(line), f)) {
		line[strcspn(line, "#\r\n \t")] = '\0';
		if (*line)
			err = add_case(list, line);
	}
	if (f)
		fclose(f);
	return err;
}

static void free_cases(struct case_list *list)
{
	for (unsigned int i = 0; i < list->nr; i++)
		free(list->names[i]);
	free(list->names);
}

static int parse_number(const char *text, double min, double max, double *value)
{
	char *end;

	errno = 0;
	*value = strtod(text, &end);
	return errno || end == text || *end || !(*value >= min && *value <= max) ? -EINVAL
										 : 0;
}

/* Where the word of an option goes that takes any. */
static const char **word_of(struct options *o, int opt)
{
	switch (opt) {
	case OPT_KERNEL:
		return &o->kernel;
	case OPT_TIER:
		return &o->tier;
	case OPT_START:
		return &o->start;
	case OPT_QEMU:
		return &o->qemu;
	case OPT_DIR:
		return &o->dir;
	case OPT_TMPFS:
		return &o->tmpfs;
	}
	return NULL;
}

static int parse_option(struct options *o, struct case_list *list, int opt)
{
	const char **word = word_of(o, opt);
	double n = 0;
	char *end;

	if (word) {
		*word = optarg;
		return 0;
	}
	switch (opt) {
	case OPT_CASES:
		return add_case_file(list, optarg);
	case OPT_SAMPLES:
		if (parse_number(optarg, 1, 1e9, &n))
			return -EINVAL;
		o->samples = n;
		return 0;
	case OPT_SEED:
		errno = 0;
		o->seed = strtoull(optarg, &end, 0);
		return errno || !*optarg || *end ? -EINVAL : 0;
	case OPT_CLOCK:
		o->tsc = !strcmp(optarg, "tsc");
		return o->tsc || !strcmp(optarg, "raw") ? 0 : -EINVAL;
	case OPT_BOOT:
		if (parse_number(optarg, 0, 1e9, &n))
			return -EINVAL;
		o->boot = n;
		return 0;
	case OPT_MEMORY:
		if (parse_number(optarg, 1, 1e9, &n))
			return -EINVAL;
		o->memory = n;
		return 0;
	case OPT_SECONDS:
		return parse_number(optarg, 0, 1e6, &o->max_seconds);
	case OPT_CONTRACT:
		o->contract_only = true;
		return 0;
	case OPT_OWN:
		o->own_machine = true;
		return 0;
	}
	return -ENOENT;
}

static int parse_arguments(struct options *o, struct case_list *list)
{
	int opt, err = 0;

	optind = 0; /* once more: this may be a second call in one process */
	opterr = 0;
	while (!err &&
	       (opt = getopt_long(o->argc, o->argv, "", long_options, NULL)) != -1) {
		err = parse_option(o, list, opt);
		if (err)
			fprintf(stderr, "zapbench-guest: %s: %s\n", o->argv[optind - 1],
				opt == '?' ? "no such option, or its value is missing"
					   : strerror(-err));
	}
	for (int i = optind; i < o->argc && !err; i++)
		err = add_case(list, o->argv[i]);
	if (!err && !list->nr) {
		fputs(usage, stderr);
		err = -EINVAL;
	}
	return err;
}

/* The bytes that pages are filled with, and checked against. */
static char *make_contents(uint64_t seed)
{
	size_t words = CONTENT_PAGES * base_page() / sizeof(uint64_t);
	uint64_t *p = malloc(words * sizeof(*p));

	for (size_t i = 0; p && i < words; i++)
		p[i] = mix64(seed + i) | 1; /* never the zeros of a hole */
	return (char *)p;
}

/* Returns the exit status, or -errno if records could not be written. */
static int run(struct options *o, const struct case_list *list)
{
	char *contents = make_contents(mix64(o->seed));
	sigset_t old;
	int status;

	if (!contents)
		return -ENOMEM;
	o->contents = contents;
	take_signals(o, &old);
	status = run_cases(o, list->names, list->nr);
	give_signals_back(o, &old);
	free(contents);
	return status;
}

int zapbench_main(int argc, char **argv, int out_fd)
{
	struct options o = {
		.out = out_fd,
		.samples = 100,
		.max_seconds = 2,
		.seed = 1,
		.kernel = "running",
		.tier = "native",
		.dir = ".",
		.argc = argc,
		.argv = argv,
	};
	struct case_list list = { 0 };
	int status = 2;

	if (!parse_arguments(&o, &list)) {
		status = run(&o, &list);
		if (status < 0) {
			fprintf(stderr, "zapbench-guest: cannot write records: %s\n",
				strerror(-status));
			status = 2;
		}
	}
	free_cases(&list);
	return status;
}
