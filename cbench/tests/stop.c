// SPDX-License-Identifier: GPL-2.0-only
/* A signal is noticed, and kills nobody: neither when it comes nor afterwards. */
#include <unistd.h>

#include "../stop.h"
#include "t.h"

int main(void)
{
	static const int numbers[] = { SIGINT, SIGTERM };
	struct options o = { .signal_fd = -1 };
	sigset_t old;

	CHECK(!interrupted(&o));
	for (unsigned int i = 0; i < ARRAY_SIZE(numbers); i++) {
		signal(numbers[i], SIG_DFL);
		take_signals(&o, &old);
		CHECK(!interrupted(&o));
		kill(getpid(), numbers[i]);
		CHECK(interrupted(&o));
		CHECK(interrupted(&o)); /* until it is given back */
		give_signals_back(&o, &old);
	}
	return 0;
}
