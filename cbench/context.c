// SPDX-License-Identifier: GPL-2.0-only
/* The context record: what the figures of this stream were taken on. */
#include <dirent.h>
#include <elf.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "zapbench.h"

#define THP_DIR "/sys/kernel/mm/transparent_hugepage"
#define HUGETLB_DIR "/sys/kernel/mm/hugepages"

/* The first line of a file, without its end; "" if it cannot be read. */
const char *first_line(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : read(fd, buf, size - 1);

	if (fd >= 0)
		close(fd);
	buf[n > 0 ? n : 0] = '\0';
	buf[strcspn(buf, "\n")] = '\0';
	return buf;
}

/* The number after key in a "key: value" file; 0 if there is none. */
unsigned long long number_after(const char *path, const char *key)
{
	char line[512];
	FILE *f = fopen(path, "re");
	unsigned long long n = 0;

	while (f && fgets(line, sizeof(line), f))
		if (!strncmp(line, key, strlen(key)))
			n = strtoull(line + strlen(key), NULL, 10);
	if (f)
		fclose(f);
	return n;
}

static const char *cpu_model(char *buf, size_t size)
{
	char line[512];
	FILE *f = fopen("/proc/cpuinfo", "re");

	snprintf(buf, size, "unknown");
	while (f && fgets(line, sizeof(line), f)) {
		char *colon = strchr(line, ':');

		if (strncmp(line, "model name", 10) || !colon)
			continue;
		snprintf(buf, size, "%s", colon + 2);
		buf[strcspn(buf, "\n")] = '\0';
		break;
	}
	if (f)
		fclose(f);
	return buf;
}

/* The GNU build id in /sys/kernel/notes, in hex; "" if there is none. */
static void kernel_build_id(char *hex, size_t size)
{
	unsigned char notes[4096];
	int fd = open("/sys/kernel/notes", O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, notes, sizeof(notes));
	size_t at = 0;

	hex[0] = '\0';
	if (fd >= 0)
		close(fd);
	while (n > 0 && at + sizeof(Elf64_Nhdr) <= (size_t)n) {
		Elf64_Nhdr h;
		size_t name, desc;

		memcpy(&h, notes + at, sizeof(h));
		name = at + sizeof(h);
		desc = name + ROUND_UP(h.n_namesz, 4);
		at = desc + ROUND_UP(h.n_descsz, 4);
		if (at > (size_t)n)
			return;
		if (h.n_type != NT_GNU_BUILD_ID || h.n_namesz != 4 ||
		    memcmp(notes + name, "GNU", 4) || h.n_descsz * 2 >= size)
			continue;
		for (size_t i = 0; i < h.n_descsz; i++)
			snprintf(hex + 2 * i, 3, "%02x", notes[desc + i]);
		return;
	}
}

/* "always [madvise] never" to "madvise"; a plain value stays itself. */
static const char *selected(char *text)
{
	char *from = strchr(text, '['), *to = from ? strchr(from, ']') : NULL;

	if (!to)
		return text;
	*to = '\0';
	return from + 1;
}

static void write_thp(struct record *j)
{
	static const char *const files[] = { "enabled", "shmem_enabled", "defrag",
					     "khugepaged/defrag" };
	char path[128], value[128];

	record_open(j, "thp", '{');
	for (unsigned int i = 0; i < ARRAY_SIZE(files); i++) {
		snprintf(path, sizeof(path), THP_DIR "/%s", files[i]);
		if (!access(path, R_OK))
			record_str(
				j, files[i],
				selected((char *)first_line(path, value, sizeof(value))));
	}
	record_close(j, '}');
}

/* free or total pages of a hugetlb size; -1 if the machine lacks the size */
long long hugetlb_pages(size_t bytes, const char *file)
{
	char path[160], value[32];

	snprintf(path, sizeof(path), HUGETLB_DIR "/hugepages-%zukB/%s", bytes / KIB,
		 file);
	if (!*first_line(path, value, sizeof(value)))
		return -1;
	return atoll(value);
}

static void write_hugepages(struct record *j)
{
	DIR *dir = opendir(HUGETLB_DIR);
	struct dirent *d;
	unsigned long kib;

	record_open(j, "hugepages", '[');
	while (dir && (d = readdir(dir))) {
		if (sscanf(d->d_name, "hugepages-%lukB", &kib) != 1)
			continue;
		record_open(j, NULL, '{');
		record_int(j, "size", kib * KIB);
		record_int(j, "total", hugetlb_pages(kib * KIB, "nr_hugepages"));
		record_int(j, "free", hugetlb_pages(kib * KIB, "free_hugepages"));
		record_close(j, '}');
	}
	if (dir)
		closedir(dir);
	record_close(j, ']');
}

static void write_uffd(struct record *j)
{
	struct uffd u;
	int err = uffd_open(&u, 0, 0);

	record_open(j, "uffd", '{');
	record_str(j, "route", err ? "none" : u.route);
	record_mask(j, "features", err ? 0 : u.offered);
	record_mask(j, "ioctls", err ? 0 : u.ioctls);
	record_close(j, '}');
	if (!err)
		uffd_close(&u);
}

static void write_uname(struct record *j)
{
	struct utsname u;

	uname(&u);
	record_open(j, "uname", '{');
	record_str(j, "sysname", u.sysname);
	record_str(j, "release", u.release);
	record_str(j, "version", u.version);
	record_str(j, "machine", u.machine);
	record_close(j, '}');
}

int record_context(const struct options *o)
{
	char text[2048];
	struct record j;
	int err = record_begin(&j, o, "context");

	if (err)
		return err;
	write_uname(&j);
	kernel_build_id(text, sizeof(text));
	if (*text)
		record_str(&j, "build_id", text);
	else
		record_raw(&j, "build_id", "null");
	record_str(&j, "cmdline", first_line("/proc/cmdline", text, sizeof(text)));
	record_str(&j, "cpu", cpu_model(text, sizeof(text)));
	record_int(&j, "cpus", sysconf(_SC_NPROCESSORS_ONLN));
	record_str(&j, "clock", o->tsc ? "tsc" : "raw");
	record_str(&j, "unit", o->tsc ? "instructions" : "ns");
	record_int(&j, "mem_total", number_after("/proc/meminfo", "MemTotal:") * KIB);
	record_int(&j, "page_size", base_page());
	write_thp(&j);
	write_hugepages(&j);
	write_uffd(&j);
	record_int(&j, "seed", o->seed);
	record_str(&j, "tool", "zapbench " ZAPBENCH_VERSION);
	record_open(&j, "argv", '[');
	for (int i = 0; i < o->argc; i++)
		record_str(&j, NULL, o->argv[i]);
	record_close(&j, ']');
	return record_end(&j, o->out);
}
