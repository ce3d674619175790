// SPDX-License-Identifier: GPL-2.0-only
/* Calls, returns, jumps, exceptions and switches of stacks, and who has what then. */
#include <string.h>

#include "plugin/paths.h"
#include "t.h"

enum { USER_CODE, OTHER_CODE, ENTRY, F, G, H, COLD, SWITCH, IRQ, FAULT, SLOTS };

static const uint64_t stack_a = 0xffff888000004000, stack_b = 0xffff888000008000;

struct machine {
	uint64_t count[SLOTS];
	struct paths p;
};

static void begin(struct machine *m)
{
	memset(m, 0, sizeof(*m));
	CHECK_EQ(paths_init(&m->p, m->count, SLOTS), 0);
	paths_begin(&m->p, SLOTS);
}

/* The self of the node that a path leads to; 0: none has. */
static uint64_t self(struct machine *m, const uint32_t *path, unsigned int n)
{
	uint64_t sum = 0;

	paths_settle(&m->p, SLOTS);
	for (uint32_t i = 0; i < m->p.nr_changed; i++) {
		uint32_t node = m->p.changed[i], at = n;

		for (uint32_t up = node;
		     at && up != ROOT && m->p.nodes[up].slot == path[at - 1];
		     up = m->p.nodes[up].parent)
			if (--at == 0 && m->p.nodes[up].parent == ROOT)
				sum += m->p.nodes[node].self;
	}
	return sum;
}

#define SELF(m, ...)                                                                     \
	self(m, (const uint32_t[]){ __VA_ARGS__ },                                       \
	     sizeof((const uint32_t[]){ __VA_ARGS__ }) / 4)

/* All that was counted is at some node. */
static void check_sum(struct machine *m)
{
	uint64_t counted = 0, given = 0;

	paths_settle(&m->p, SLOTS);
	for (unsigned int i = 0; i < SLOTS; i++)
		counted += m->count[i];
	for (uint32_t i = 0; i < m->p.nr_changed; i++)
		given += m->p.nodes[m->p.changed[i]].self;
	CHECK_EQ(given, counted);
}

static void call(struct machine *m, uint32_t from, uint32_t to, uint64_t where)
{
	m->count[from]++;
	paths_call(&m->p, from, where);
	paths_at(&m->p, to);
	m->count[to]++;
}

static void ret(struct machine *m, uint32_t from, uint64_t where)
{
	m->count[from]++;
	paths_return(&m->p, from, where);
}

static void calls_and_returns(void)
{
	struct machine m;

	begin(&m);
	paths_enter(&m.p, ENTRY);
	call(&m, ENTRY, F, stack_a - 8);
	call(&m, F, F, stack_a - 32); /* recursion is a path of its own */
	ret(&m, F, stack_a - 32);
	call(&m, F, G, stack_a - 32);
	ret(&m, G, stack_a - 32);
	ret(&m, F, stack_a - 8);
	m.count[ENTRY] += 5;
	m.count[USER_CODE] += 100;
	CHECK_EQ(SELF(&m, ENTRY), 6);
	CHECK_EQ(SELF(&m, ENTRY, F), 4);
	CHECK_EQ(SELF(&m, ENTRY, F, F), 2);
	CHECK_EQ(SELF(&m, ENTRY, F, G), 2);
	CHECK_EQ(SELF(&m, USER_CODE), 100);
	check_sum(&m);
	paths_clear(&m.p);
	CHECK_EQ(SELF(&m, ENTRY, F), 0);
	paths_free(&m.p);
}

/* A tail call is a path of its own, a jump back is none, nor is a loop. */
static void jumps(void)
{
	struct machine m;

	begin(&m);
	paths_enter(&m.p, ENTRY);
	call(&m, ENTRY, F, stack_a - 8);
	paths_at(&m.p, COLD);
	m.count[COLD]++;
	paths_at(&m.p, F);
	m.count[F]++;
	for (unsigned int i = 0; i < 10; i++)
		paths_at(&m.p, F);
	paths_at(&m.p, G);
	m.count[G]++;
	ret(&m, G, stack_a - 8); /* to the caller of F */
	call(&m, ENTRY, H, stack_a - 8);
	CHECK_EQ(SELF(&m, ENTRY, F), 2);
	CHECK_EQ(SELF(&m, ENTRY, F, COLD), 1);
	CHECK_EQ(SELF(&m, ENTRY, F, G), 2);
	CHECK_EQ(SELF(&m, ENTRY, H), 1);
	check_sum(&m);
	paths_free(&m.p);
}

/* error_entry() moves its return address down; the frame is the caller's all the same. */
static void a_return_address_is_moved(void)
{
	struct machine m;

	begin(&m);
	paths_enter(&m.p, ENTRY);
	call(&m, ENTRY, F, stack_a - 8);
	ret(&m, F, stack_a - 128);
	call(&m, ENTRY, G, stack_a - 136);
	CHECK_EQ(SELF(&m, ENTRY, G), 1);
	check_sum(&m);
	paths_free(&m.p);
}

/* An exception is a part of what it interrupts; an interrupt is not.  Both end there. */
static void exceptions(bool own)
{
	struct machine m;
	uint32_t slot = own ? IRQ : FAULT;

	begin(&m);
	paths_enter(&m.p, ENTRY);
	call(&m, ENTRY, F, stack_a - 8);
	paths_interrupt(&m.p, slot, own);
	m.count[slot]++;
	call(&m, slot, G, stack_a - 256);
	ret(&m, G, stack_a - 256);
	paths_resume(&m.p, stack_a - 240);
	m.count[F] += 7;
	call(&m, F, H, stack_a - 16);
	CHECK_EQ(SELF(&m, ENTRY, F), 9);
	CHECK_EQ(SELF(&m, ENTRY, F, H), 1);
	CHECK_EQ(own ? SELF(&m, IRQ, G) : SELF(&m, ENTRY, F, FAULT, G), 2);
	check_sum(&m);
	paths_free(&m.p);
}

/* Another task runs meanwhile, on a stack of its own: both go on where they were. */
static void switches(void)
{
	struct machine m;

	begin(&m);
	paths_enter(&m.p, ENTRY);
	call(&m, ENTRY, F, stack_a - 8);
	call(&m, F, SWITCH, stack_a - 64);
	ret(&m, SWITCH, stack_b - 64); /* nothing is known of that task */
	m.count[H]++;
	paths_at(&m.p, H);
	call(&m, H, SWITCH, stack_b - 64);
	ret(&m, SWITCH, stack_a - 64);
	call(&m, F, SWITCH, stack_a - 64);
	ret(&m, SWITCH, stack_b - 64);
	call(&m, H, G, stack_b - 64);
	CHECK_EQ(SELF(&m, ENTRY, F), 3);
	CHECK_EQ(SELF(&m, ENTRY, F, SWITCH), 4);
	CHECK_EQ(SELF(&m, H), 3);
	CHECK_EQ(SELF(&m, H, SWITCH), 2);
	CHECK_EQ(SELF(&m, H, G), 1);
	check_sum(&m);
	paths_free(&m.p);
}

/* Many stacks and nodes: tables grow. */
static void many(void)
{
	struct machine m;

	begin(&m);
	for (uint64_t i = 1; i <= 1000; i++) {
		uint64_t where = stack_a + (i << 14);

		paths_enter(&m.p, ENTRY);
		for (unsigned int depth = 1; depth <= 100; depth++)
			call(&m, depth == 1 ? ENTRY : F, F, where - 8 * depth);
	}
	CHECK_EQ(SELF(&m, ENTRY), 1000);
	CHECK_EQ(SELF(&m, ENTRY, F), 2000);
	check_sum(&m);
	paths_free(&m.p);
}

int main(void)
{
	calls_and_returns();
	jumps();
	a_return_address_is_moved();
	exceptions(false);
	exceptions(true);
	switches();
	many();
	return 0;
}
