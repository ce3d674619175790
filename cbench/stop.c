// SPDX-License-Identifier: GPL-2.0-only
/* SIGINT and SIGTERM: blocked and looked for, so that a case ends before the program. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "stop.h"

/* Blocks SIGINT and SIGTERM, so that a case ends before the program does. */
void take_signals(struct options *o, sigset_t *old)
{
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	pthread_sigmask(SIG_BLOCK, &set, old);
	o->signal_fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

void give_signals_back(struct options *o, const sigset_t *old)
{
	struct signalfd_siginfo info;

	/* take what is pending, or it would strike now */
	while (read(o->signal_fd, &info, sizeof(info)) > 0)
		;
	close(o->signal_fd);
	pthread_sigmask(SIG_SETMASK, old, NULL);
}

/* Was SIGINT or SIGTERM sent?  They are blocked, and wait in the signalfd. */
bool interrupted(const struct options *o)
{
	struct pollfd p = { .fd = o->signal_fd, .events = POLLIN };

	return o->signal_fd >= 0 && poll(&p, 1, 0) > 0;
}
