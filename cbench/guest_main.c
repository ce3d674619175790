// SPDX-License-Identifier: GPL-2.0-only
/*
 * The program by itself.  As process 1 of a virtual machine it
 * also prepares the machine, and restarts it at the end (QEMU runs it with
 * -no-reboot): a process 1 that exits would be a kernel panic.
 */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/reboot.h>
#include <termios.h>
#include <unistd.h>

#include "zapbench.h"

enum { MAX_ARGS = 256 };

static const struct {
	const char *type, *dir, *data;
} mounts[] = {
	{ "proc", "/proc", NULL },
	{ "sysfs", "/sys", NULL },
	{ "devtmpfs", "/dev", NULL },
	{ "tmpfs", "/tmp", "size=100%" },
};

#define THP "/sys/kernel/mm/transparent_hugepage"

/* Nothing to put back: the kernel is ours.  A kernel may lack any of them. */
static const struct {
	const char *path, *value;
} settings[] = {
	{ THP "/enabled", "madvise" },
	{ THP "/shmem_enabled", "advise" },
	/* one size only, or a fault would take the largest that fits */
	{ THP "/hugepages-64kB/shmem_enabled", "advise" },
	{ THP "/khugepaged/defrag", "0" },
	{ THP "/khugepaged/scan_sleep_millisecs", "4294967295" },
	{ "/proc/sys/vm/compaction_proactiveness", "0" },
};

static void write_file(const char *path, const char *value)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0)
		return;
	if (write(fd, value, strlen(value)) < 0)
		fprintf(stderr, "zapbench-guest: %s: %s\n", path, strerror(errno));
	close(fd);
}

/*
 * The file system for the backing "file": the head of an ext2 image, copied to
 * a RAM disk whose other blocks read as the zeros that they are in the image.
 */
static void mount_file_system(void)
{
	int image = open("/file.ext2", O_RDONLY | O_CLOEXEC);
	int disk = open("/dev/ram0", O_WRONLY | O_CLOEXEC);
	char block[4096];
	ssize_t n;

	while (image >= 0 && disk >= 0 && (n = read(image, block, sizeof(block))) > 0)
		if (write(disk, block, n) != n)
			break;
	if (image >= 0)
		close(image);
	if (disk >= 0)
		close(disk);
	if (image >= 0 && mount("/dev/ram0", "/file", "ext2", 0, NULL))
		fprintf(stderr, "zapbench-guest: /file: %s\n", strerror(errno));
}

static void prepare_machine(void)
{
	for (unsigned int i = 0; i < ARRAY_SIZE(mounts); i++)
		if (mount(mounts[i].type, mounts[i].dir, mounts[i].type, 0,
			  mounts[i].data) &&
		    errno != EBUSY)
			fprintf(stderr, "zapbench-guest: %s: %s\n", mounts[i].dir,
				strerror(errno));
	for (unsigned int i = 0; i < ARRAY_SIZE(settings); i++)
		write_file(settings[i].path, settings[i].value);
	mount_file_system();
}

/* A virtio port appears a few milliseconds after process 1 has started. */
static int open_port(const char *path)
{
	struct termios raw;
	int fd = -1;

	for (int tries = 0; tries < 2000 && fd < 0; tries++) {
		fd = open(path, O_WRONLY | O_CLOEXEC | O_NOCTTY);
		if (fd < 0)
			usleep(1000);
	}
	if (fd >= 0 && !tcgetattr(fd, &raw)) {
		cfmakeraw(&raw);
		tcsetattr(fd, TCSANOW, &raw);
	}
	return fd;
}

/*
 * /args holds one argument a line; --out DEVICE is for process 1 alone, which has
 * the machine to itself.
 */
static int read_arguments(char *text, size_t size, char **args, const char **out)
{
	int fd = open("/args", O_RDONLY | O_CLOEXEC), n = 1;
	ssize_t len = fd < 0 ? -1 : read(fd, text, size - 1);
	bool next_is_out = false;

	if (fd >= 0)
		close(fd);
	text[len > 0 ? len : 0] = '\0';
	args[0] = "zapbench-guest";
	args[n++] = "--own-machine";
	for (char *line; n < MAX_ARGS - 1 && (line = strsep(&text, "\n"));) {
		if (next_is_out)
			*out = line;
		else if (*line && strcmp(line, "--out"))
			args[n++] = line;
		next_is_out = !strcmp(line, "--out");
	}
	args[n] = NULL;
	return n;
}

static void run_as_init(void)
{
	char text[16384], *args[MAX_ARGS];
	const char *out = "/dev/ttyS1";
	int argc, fd;

	prepare_machine();
	argc = read_arguments(text, sizeof(text), args, &out);
	fd = open_port(out);
	if (fd < 0)
		fprintf(stderr, "zapbench-guest: %s: %s\n", out, strerror(errno));
	else
		zapbench_main(argc, args, fd);
	tcdrain(fd);
	reboot(RB_AUTOBOOT);
}

int main(int argc, char **argv)
{
	sigset_t ends;

	if (getpid() == 1)
		run_as_init();
	/* blocked to the end: a signal that comes after the last record kills no more */
	sigemptyset(&ends);
	sigaddset(&ends, SIGINT);
	sigaddset(&ends, SIGTERM);
	sigprocmask(SIG_BLOCK, &ends, NULL);
	/* a reader that went away is an error of write(2), not our death */
	signal(SIGPIPE, SIG_IGN);
	return zapbench_main(argc, argv, STDOUT_FILENO);
}
