// SPDX-License-Identifier: GPL-2.0-only
/* Threads share one CPU, so that a call and its reading are rarely apart. */
#include <string.h>

#include "pending.h"

/* More user instructions than there are from the call to the reading. */
enum { NEAR = 16 };

static struct call take(struct pending *p, unsigned int i)
{
	struct call found = p->calls[i];

	p->n--;
	memmove(&p->calls[i], &p->calls[i + 1], (p->n - i) * sizeof(found));
	return found;
}

void pending_add(struct pending *p, uint64_t site, uint64_t stack, uint64_t user)
{
	if (p->n == PENDING)
		take(p, 0);
	p->calls[p->n++] = (struct call){ site, stack, user };
}

/*
 * The call that has led to a reading now: as a rule the last one.  A thread that was
 * interrupted between the two goes on when others have come and gone; of several such
 * there is no telling, and the site is 0.
 */
struct call pending_take(struct pending *p, uint64_t user)
{
	for (unsigned int i = p->n; i; i--)
		if (user - p->calls[i - 1].user <= NEAR)
			return take(p, i - 1);
	return p->n == 1 ? take(p, 0) : (struct call){ 0 };
}
