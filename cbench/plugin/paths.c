// SPDX-License-Identifier: GPL-2.0-only
/* A node has what was counted of its function while it was where execution is. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "paths.h"

/* Execution is where no frame tells of; the next known function begins a path. */
enum { LOST = UINT32_MAX };

/* Stacks are told apart by address; kernel stacks are 16 KiB, aligned to that. */
enum { STACK_SHIFT = 14 };

/* where: its return address's; 0: of an exception, and not yet known. */
struct frame {
	uint64_t where;
	uint32_t node; /* to return to */
	bool exception;
};

struct stack {
	uint64_t key; /* 0: none */
	uint32_t depth, room;
	struct frame *frames;
};

/* Nothing above could handle it: QEMU ends, and with it the boot. */
static void *checked(void *memory)
{
	if (memory)
		return memory;
	fprintf(stderr, "zapbench plugin: out of memory\n");
	exit(1);
}

int paths_init(struct paths *p, const uint64_t *count, uint32_t slots)
{
	*p = (struct paths){ .count = count, .now = LOST };
	p->room = 1 << 12;
	p->stack_room = 1 << 6;
	p->last = calloc(slots, sizeof(*p->last));
	p->nodes = calloc(p->room, sizeof(*p->nodes));
	p->changed = calloc(p->room, sizeof(*p->changed));
	p->stacks = calloc(p->stack_room, sizeof(*p->stacks));
	p->nr_nodes = 1;
	return p->last && p->nodes && p->changed && p->stacks ? 0 : -ENOMEM;
}

void paths_free(struct paths *p)
{
	for (uint32_t i = 0; p->stacks && i < p->stack_room; i++)
		free(p->stacks[i].frames);
	free(p->last);
	free(p->nodes);
	free(p->changed);
	free(p->stacks);
}

/* What was counted until now is nobody's. */
void paths_begin(struct paths *p, uint32_t slots)
{
	for (uint32_t i = 0; i < slots; i++)
		p->last[i] = p->count[i];
}

/* ---- the tree ---- */

static uint32_t new_node(struct paths *p, uint32_t parent, uint32_t slot)
{
	if (p->nr_nodes == p->room) {
		p->room *= 2;
		p->nodes = checked(realloc(p->nodes, p->room * sizeof(*p->nodes)));
		p->changed = checked(realloc(p->changed, p->room * sizeof(*p->changed)));
	}
	p->nodes[p->nr_nodes] = (struct node){ .parent = parent, .slot = slot };
	return p->nr_nodes++;
}

/* A child that was found is put first: it will be asked for again. */
static uint32_t child(struct paths *p, uint32_t parent, uint32_t slot)
{
	uint32_t *link, first, found;

	if (parent == LOST)
		parent = ROOT;
	first = p->nodes[parent].child;
	if (first != ROOT && p->nodes[first].slot == slot)
		return first;
	for (link = &p->nodes[parent].child; *link != ROOT; link = &p->nodes[*link].next)
		if (p->nodes[*link].slot == slot)
			break;
	found = *link;
	if (found != ROOT)
		*link = p->nodes[found].next;
	else
		found = new_node(p, parent, slot);
	p->nodes[found].next = first;
	p->nodes[parent].child = found;
	return found;
}

/* Gives a node what its function has counted since it was last given any. */
static void give(struct paths *p, uint32_t node)
{
	struct node *n = &p->nodes[node];
	uint64_t count = p->count[n->slot] - p->last[n->slot];

	if (!count)
		return;
	n->self += count;
	p->last[n->slot] += count;
	if (!n->changed)
		p->changed[p->nr_changed++] = node;
	n->changed = true;
}

static void go(struct paths *p, uint32_t node)
{
	if (p->now != LOST && p->now != ROOT)
		give(p, p->now);
	p->now = node;
}

/* ---- stacks ---- */

static struct stack *slot_for(struct stack *table, uint32_t room, uint64_t key)
{
	uint32_t i = (key * 0x9e3779b97f4a7c15) >> 32 & (room - 1);

	while (table[i].key && table[i].key != key)
		i = (i + 1) & (room - 1);
	return &table[i];
}

static void grow_stacks(struct paths *p)
{
	uint32_t room = 2 * p->stack_room;
	struct stack *table = checked(calloc(room, sizeof(*table)));

	for (uint32_t i = 0; i < p->stack_room; i++)
		if (p->stacks[i].key)
			*slot_for(table, room, p->stacks[i].key) = p->stacks[i];
	free(p->stacks);
	p->stacks = table;
	p->stack_room = room;
}

static struct stack *stack_of(struct paths *p, uint64_t where)
{
	uint64_t key = where >> STACK_SHIFT | 1ull << 63;
	struct stack *s;

	if (p->stack && p->stack->key == key)
		return p->stack;
	if (2 * p->nr_stacks >= p->stack_room)
		grow_stacks(p);
	s = slot_for(p->stacks, p->stack_room, key);
	if (!s->key) {
		s->key = key;
		p->nr_stacks++;
	}
	return s;
}

static void push(struct stack *s, struct frame frame)
{
	if (s->depth == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->frames = checked(realloc(s->frames, s->room * sizeof(*s->frames)));
	}
	s->frames[s->depth++] = frame;
}

static struct frame *top(const struct stack *s)
{
	return s && s->depth ? &s->frames[s->depth - 1] : NULL;
}

/* ---- what happens ---- */

/*
 * An instruction of the function runs.  Without a call in between, it was jumped
 * to: back to a function that has jumped away, or to a next one (a tail call),
 * which gets a node of its own.
 */
void paths_at(struct paths *p, uint32_t slot)
{
	const struct frame *frame = top(p->stack);
	uint32_t limit = frame ? frame->node : ROOT;

	for (uint32_t n = p->now; n != limit && n != ROOT && n != LOST;
	     n = p->nodes[n].parent)
		if (p->nodes[n].slot == slot) {
			if (n != p->now)
				go(p, n);
			return;
		}
	go(p, child(p, p->now, slot));
}

/* A call has stored its return address; what lies below is no longer in use. */
void paths_call(struct paths *p, uint32_t slot, uint64_t where)
{
	struct stack *s = stack_of(p, where);
	struct frame *frame;

	paths_at(p, slot);
	while ((frame = top(s))) {
		if (frame->exception && !frame->where)
			frame->where = where + sizeof(where);
		if (frame->where > where)
			break;
		s->depth--;
	}
	push(s, (struct frame){ .where = where, .node = p->now });
	p->stack = s;
}

/*
 * A return has loaded its return address.  Where that lies below the innermost
 * frame, the function has moved it (error_entry() does), and that frame is meant.
 */
void paths_return(struct paths *p, uint32_t slot, uint64_t where)
{
	struct stack *s = stack_of(p, where);
	const struct frame *frame;

	paths_at(p, slot);
	while ((frame = top(s)) && frame->where < where)
		s->depth--;
	p->stack = s;
	if (frame && !frame->exception) {
		go(p, frame->node);
		s->depth--;
	} else {
		go(p, LOST);
	}
}

/* The kernel is entered from outside. */
void paths_enter(struct paths *p, uint32_t slot)
{
	p->stack = NULL;
	go(p, child(p, ROOT, slot));
}

/*
 * Something happens within the kernel.  What has nothing to do with what it
 * interrupts begins a path of its own.
 */
void paths_interrupt(struct paths *p, uint32_t slot, bool own)
{
	if (p->stack)
		push(p->stack, (struct frame){ .node = p->now, .exception = true });
	go(p, child(p, own ? ROOT : p->now, slot));
}

/* An exception has ended, its frame being at this place: what it interrupted goes on. */
void paths_resume(struct paths *p, uint64_t where)
{
	struct stack *s = stack_of(p, where);
	uint32_t node = LOST;
	const struct frame *frame;

	while ((frame = top(s)) && frame->where <= where) {
		if (frame->exception)
			node = frame->node;
		s->depth--;
	}
	p->stack = node == LOST ? NULL : s;
	go(p, node);
}

/* The kernel is left. */
void paths_leave(struct paths *p)
{
	p->stack = NULL;
	go(p, LOST);
}

/* All that was counted goes to nodes; what no node has had goes to one of its own. */
void paths_settle(struct paths *p, uint32_t slots)
{
	if (p->now != LOST && p->now != ROOT)
		give(p, p->now);
	for (uint32_t slot = 0; slot < slots; slot++)
		if (p->count[slot] != p->last[slot])
			give(p, child(p, ROOT, slot));
}

/* What the nodes have had was written. */
void paths_clear(struct paths *p)
{
	for (uint32_t i = 0; i < p->nr_changed; i++) {
		struct node *n = &p->nodes[p->changed[i]];

		n->self = 0;
		n->changed = false;
	}
	p->nr_changed = 0;
}
