/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The plugin's file: a word that names it and how was counted, then for each mark a
 * head, its parts by counter and its parts by node; at the end what the numbers stand
 * for.  Little-endian, as the only guest is.
 */
#ifndef ZAPBENCH_PLUGIN_OUTPUT_H
#define ZAPBENCH_PLUGIN_OUTPUT_H

#include <stdint.h>
#include <stdio.h>

#include "paths.h"

enum by { BY_ADDRESS, BY_FUNCTION, BY_PATH };

struct part {
	uint32_t of, count;
};

struct output {
	FILE *file;
	struct part *parts; /* not written yet */
	uint32_t n, room;
};

int output_begin(struct output *o, const char *path, enum by by);
void output_mark(struct output *o, uint64_t site, uint64_t stack, uint64_t halts);
void output_part(struct output *o, uint32_t of, uint64_t count);
void output_next(struct output *o);
void output_table(struct output *o, const uint64_t *address, uint32_t n);
void output_nodes(struct output *o, const struct node *nodes, uint32_t n);
void output_end(struct output *o);

#endif
