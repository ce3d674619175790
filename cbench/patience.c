// SPDX-License-Identifier: GPL-2.0-only
/* A drop that is given up if it does not return. */
#include <setjmp.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>

#include "patience.h"

static _Thread_local sigjmp_buf too_long;

static void on_timer(int sig)
{
	siglongjmp(too_long, sig);
}

/*
 * A drop that may never return: on 6.18 and 7.3, MADV_GUARD_INSTALL over a
 * uffd-wp marker zaps the page, finds the marker still there, and starts again
 * for ever (guard_install_pte_entry() and zap_pte_range() in mm/).  It does take
 * signals in between.
 */
int drop_patiently(struct region *r, const struct op *op)
{
	struct sigevent event = { .sigev_notify = SIGEV_THREAD_ID,
				  .sigev_signo = SIGALRM };
	struct itimerspec after = { .it_value.tv_nsec = PATIENCE_MS * 1000000L };
	struct sigaction sa = { .sa_handler = on_timer }, old;
	timer_t timer;
	int err;

	event._sigev_un._tid = gettid();
	if (timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &timer))
		return -errno;
	sigaction(SIGALRM, &sa, &old);
	if (!sigsetjmp(too_long, 1)) {
		timer_settime(timer, 0, &after, NULL);
		err = r->method->drop(r->method, r, op->addr, op->len);
	} else {
		err = -ETIME;
	}
	timer_delete(timer);
	sigaction(SIGALRM, &old, NULL);
	return err;
}
