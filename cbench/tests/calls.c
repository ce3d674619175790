// SPDX-License-Identifier: GPL-2.0-only
/*
 * A drop makes as many system calls as its row says, and fails without each of the
 * descriptors that its row names, but without no other.
 */
#include <signal.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t.h"

enum { LACKING = 99 };

static int drop(struct region *r)
{
	return r->method->drop(r->method, r, r->ops[0].addr, r->ops[0].len);
}

static void make(struct region *r, struct zap_case *c, const struct options *o,
		 const char *name)
{
	struct reason why = { "" };

	CHECK_EQ(case_parse(name, c, &why), 0);
	if (region_create(r, c, o, &why))
		_exit(LACKING);
}

/* ---- system calls, between two that no drop makes ---- */

static void traced(const struct options *o, const char *name)
{
	struct zap_case c;
	struct region r;

	make(&r, &c, o, name);
	if (ptrace(PTRACE_TRACEME, 0, NULL, NULL))
		_exit(LACKING); /* who is traced already, or may not be */
	raise(SIGSTOP);
	syscall(SYS_getppid);
	if (drop(&r))
		_exit(LACKING);
	syscall(SYS_getppid);
	_exit(0);
}

static long entered(pid_t pid)
{
	struct __ptrace_syscall_info info = { 0 };

	ptrace(PTRACE_GET_SYSCALL_INFO, pid, (void *)sizeof(info), &info);
	return info.op == PTRACE_SYSCALL_INFO_ENTRY ? (long)info.entry.nr : -1;
}

/* -1: this kernel lacks the method. */
static int count_calls(const struct options *o, const char *name)
{
	int status, calls = 0, marks = 0;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid)
		traced(o, name);
	waitpid(pid, &status, 0);
	ptrace(PTRACE_SETOPTIONS, pid, NULL, (void *)PTRACE_O_TRACESYSGOOD);
	for (; WIFSTOPPED(status); waitpid(pid, &status, 0)) {
		long nr = WSTOPSIG(status) & 0x80 ? entered(pid) : -1;

		if (nr == SYS_getppid)
			marks++;
		else if (nr >= 0 && marks == 1)
			calls++;
		ptrace(PTRACE_SYSCALL, pid, NULL, NULL);
	}
	CHECK(WIFEXITED(status));
	if (WEXITSTATUS(status) == LACKING)
		return -1;
	CHECK_EQ(marks, 2);
	return calls;
}

/* ---- descriptors ---- */

static int status_of(const struct options *o, const char *name, bool file, bool uffd)
{
	int status;
	pid_t pid = fork();

	CHECK(pid >= 0);
	if (!pid) {
		struct zap_case c;
		struct region r;

		make(&r, &c, o, name);
		r.fd = file ? r.fd : -1;
		r.uffd.fd = uffd ? r.uffd.fd : -1;
		_exit(-drop(&r));
	}
	waitpid(pid, &status, 0);
	CHECK(WIFEXITED(status));
	return WEXITSTATUS(status);
}

int main(void)
{
	struct options o = t_options(1);
	unsigned int counted = 0;

	for (unsigned int i = 0; i < zapbench_nr_methods; i++) {
		const struct zapbench_method *m = &zapbench_methods[i];
		char name[64];
		int calls;

		snprintf(name, sizeof(name), "zap/%s/shmem/4k/64k", m->name);
		calls = count_calls(&o, name);
		if (calls < 0)
			continue;
		counted++;
		if (calls != (int)m->calls)
			t_end(T_FAILED, "%s: %d calls, not %u", m->name, calls, m->calls);
		CHECK_EQ(status_of(&o, name, false, true), m->needs_file ? EBADF : 0);
		CHECK_EQ(status_of(&o, name, true, false), m->needs_uffd ? EBADF : 0);
	}
	free((char *)o.contents);
	if (!counted)
		t_end(T_SKIPPED, "no region could be made");
	return 0;
}
