// SPDX-License-Identifier: GPL-2.0-only
/* Written whole when it is closed; a file without its end was cut off. */
#include <errno.h>
#include <stdlib.h>

#include "output.h"

enum block { MARK = 1, TABLE, NODES, END };

static const char magic[8] = "zbplug1\n";

/* A full disk is seen at the end. */
static void put(struct output *o, const void *data, size_t size)
{
	if (size)
		fwrite(data, size, 1, o->file);
}

static void word(struct output *o, uint64_t value)
{
	put(o, &value, sizeof(value));
}

int output_begin(struct output *o, const char *path, enum by by)
{
	o->file = fopen(path, "wb");
	if (!o->file)
		return -errno;
	o->room = 1 << 12;
	o->parts = calloc(o->room, sizeof(*o->parts));
	if (!o->parts)
		return -ENOMEM;
	put(o, magic, sizeof(magic));
	word(o, by);
	return 0;
}

/* halts: how often the CPU was halted since the mark before. */
void output_mark(struct output *o, uint64_t site, uint64_t stack, uint64_t halts)
{
	word(o, MARK);
	word(o, site);
	word(o, stack);
	word(o, halts);
}

/* What has more than fits is written in pieces. */
void output_part(struct output *o, uint32_t of, uint64_t count)
{
	while (count) {
		uint32_t piece = count > UINT32_MAX ? UINT32_MAX : count;

		if (o->n == o->room) {
			o->room *= 2;
			o->parts = realloc(o->parts, o->room * sizeof(*o->parts));
			if (!o->parts) {
				fprintf(stderr, "zapbench plugin: out of memory\n");
				exit(1);
			}
		}
		o->parts[o->n++] = (struct part){ of, piece };
		count -= piece;
	}
}

/* Ends a list of parts. */
void output_next(struct output *o)
{
	word(o, o->n);
	put(o, o->parts, o->n * sizeof(*o->parts));
	o->n = 0;
}

/* The address that each counter is of. */
void output_table(struct output *o, const uint64_t *address, uint32_t n)
{
	word(o, TABLE);
	word(o, n);
	put(o, address, n * sizeof(*address));
}

/* The parent and the counter of each node. */
void output_nodes(struct output *o, const struct node *nodes, uint32_t n)
{
	word(o, NODES);
	word(o, nodes ? n : 0);
	for (uint32_t i = 0; nodes && i < n; i++)
		put(o, (uint32_t[]){ nodes[i].parent, nodes[i].slot },
		    2 * sizeof(uint32_t));
}

void output_end(struct output *o)
{
	word(o, END);
	if (fclose(o->file))
		fprintf(stderr, "zapbench plugin: the file could not be written\n");
}
