/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Call paths of what is counted by function: a tree, and where in it execution is.
 *
 * A path is known by the addresses of return addresses on the stack: a frame is
 * pushed by the store of a call, and popped by the load of a return from the same
 * place.  So neither a switch to another stack nor a longer jump confuses it.
 */
#ifndef ZAPBENCH_PLUGIN_PATHS_H
#define ZAPBENCH_PLUGIN_PATHS_H

#include <stdbool.h>
#include <stdint.h>

enum { ROOT = 0 };

struct node {
	uint32_t parent, slot; /* slot: of the function's counter */
	uint32_t child, next; /* ROOT: none */
	bool changed;
	uint64_t self;
};

struct stack;

struct paths {
	const uint64_t *count; /* by slot */
	uint64_t *last; /* what was given to nodes of it */
	struct node *nodes;
	uint32_t nr_nodes, room;
	uint32_t now; /* the node that runs */
	uint32_t *changed; /* nodes with some self */
	uint32_t nr_changed;
	struct stack *stacks, *stack; /* a hash table; the one last seen in use */
	uint32_t nr_stacks, stack_room;
};

int paths_init(struct paths *p, const uint64_t *count, uint32_t slots);
void paths_free(struct paths *p);
void paths_begin(struct paths *p, uint32_t slots);
void paths_at(struct paths *p, uint32_t slot);
void paths_call(struct paths *p, uint32_t slot, uint64_t where);
void paths_return(struct paths *p, uint32_t slot, uint64_t where);
void paths_enter(struct paths *p, uint32_t slot);
void paths_interrupt(struct paths *p, uint32_t slot, bool own);
void paths_resume(struct paths *p, uint64_t where);
void paths_leave(struct paths *p);
void paths_settle(struct paths *p, uint32_t slots);
void paths_clear(struct paths *p);

#endif
