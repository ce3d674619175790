// SPDX-License-Identifier: GPL-2.0-only
/* The file: a word that names it, their number, the functions. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "functions.h"

static const char magic[8] = "zbfunc1\n";

static int read_all(struct functions *f, FILE *file)
{
	char word[sizeof(magic)];

	if (fread(word, sizeof(word), 1, file) != 1 ||
	    memcmp(word, magic, sizeof(word)) ||
	    fread(&f->n, sizeof(f->n), 1, file) != 1 || f->n < 2)
		return -EINVAL;
	f->all = calloc(f->n, sizeof(*f->all));
	if (!f->all)
		return -ENOMEM;
	return fread(f->all, sizeof(*f->all), f->n, file) == f->n ? 0 : -EINVAL;
}

int functions_read(struct functions *f, const char *path)
{
	FILE *file = fopen(path, "rb");
	int err;

	if (!file)
		return -errno;
	err = read_all(f, file);
	fclose(file);
	return err;
}

/* The index of the function that an address is in, or NO_FUNCTION. */
uint64_t function_of(const struct functions *f, uint64_t address)
{
	uint64_t low = 0, high = f->n - 1;

	if (address < f->all[0].address || address >= f->all[high].address)
		return NO_FUNCTION;
	while (high - low > 1) {
		uint64_t middle = low + (high - low) / 2;

		if (f->all[middle].address <= address)
			low = middle;
		else
			high = middle;
	}
	return low;
}
